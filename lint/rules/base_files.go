package rules

import (
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/effect"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// mayMake reports that an instruction of the stages, or one that can't be looked
// into, may make or change one of the places: what the base image has there says
// nothing then.
func mayMake(p *lint.Pass, lineage []*dockerfile.Stage, places ...string) bool {
	for _, st := range lineage {
		for _, in := range st.Instructions {
			if in.Trigger != nil || in.Name == "HEALTHCHECK" || in.Name == "ONBUILD" {
				continue
			}
			e := effect.Of(in, surroundings(p, in))
			if e.Unknown != "" || e.System || e.Installs != "" || e.Users != "" {
				return true
			}
			for _, w := range e.Writes {
				if slices.ContainsFunc(places, func(place string) bool { return related(w.Path, place) }) {
					return true
				}
			}
		}
	}
	return false
}

// searchPath are the folders in which a program is looked for at the end of a
// stage; not ok where that isn't known.
func searchPath(state lint.State) ([]string, bool) {
	value, set, known := state.Lookup("PATH")
	if !known {
		return nil, false
	}
	if !set { // as runc has it
		value = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	dirs := strings.Split(value, ":")
	return dirs, !slices.ContainsFunc(dirs, func(dir string) bool { return !path.IsAbs(dir) })
}

// programPlaces are where a program can be.
func programPlaces(state lint.State, name string) ([]string, bool) {
	if path.IsAbs(name) {
		return []string{path.Clean(name)}, true
	}
	dirs, ok := searchPath(state)
	if !ok || name == "" || strings.ContainsAny(name, "/$`*") {
		return nil, false
	}
	var places []string
	for _, dir := range dirs {
		places = append(places, path.Join(dir, name))
	}
	return places, true
}

// inBase reports whether the base image has one of the places; not known where its
// files aren't.
func inBase(state lint.State, places []string) (has, known bool) {
	if state.Image == nil || state.Image.Files == nil {
		return false, false
	}
	for _, place := range places {
		switch _, _, err := facts.Locate(state.Image.Files, place); {
		case err == nil:
			return true, true
		case !facts.Absent(err):
			return false, false
		}
	}
	return false, true
}
