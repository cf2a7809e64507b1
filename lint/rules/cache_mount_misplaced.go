package rules

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// CacheMountMisplaced finds cache mounts at a place where the tool would have its
// cache for another user or in another environment.
var CacheMountMisplaced = &lint.Rule{
	Name:     "CacheMountMisplaced",
	Severity: lint.Warning,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "A cache mount lies where the tool does not look",
		Why: `Where a tool keeps its cache is decided by HOME, which goes with USER, and by variables such as GOMODCACHE and
npm_config_cache. A mount elsewhere stays empty: each build downloads or compiles everything again, and what was to be in
the mount ends up in the image.

The rule speaks where the Dockerfile and the base image's configuration tell the place, and the mount is where the same tool
has its cache by default or for another user.`,
		Bad: lint.Example{
			Dockerfile: "FROM node:22\nENV npm_config_cache=/var/cache/npm\nWORKDIR /app\nCOPY package*.json ./\nRUN --mount=type=cache,target=/root/.npm npm ci\n",
			Images:     map[string]string{"node:22": `{"config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`},
		},
		Good: lint.Example{
			Dockerfile: "FROM node:22\nENV npm_config_cache=/var/cache/npm\nWORKDIR /app\nCOPY package*.json ./\nRUN --mount=type=cache,target=/var/cache/npm npm ci\n",
			Images:     map[string]string{"node:22": `{"config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`},
		},
	},
	Run: func(p *lint.Pass) error {
		all := newSteps(p)
		for _, s := range all.list {
			list := cacheMounts(p, s.in)
			if len(list) == 0 {
				continue
			}
			wants := all.caches(s)
			for _, m := range list {
				if slices.ContainsFunc(wants, func(w *want) bool { return related(m.Target, w.cache.Path) || related(m.Target, w.target()) }) || all.named(s, m) {
					continue // it serves
				}
				for _, w := range wants {
					if w.cache.Guess != "" || all.mounted(s, w.target()) != nil {
						continue
					}
					if rest, ok := s.meant(w, m); ok {
						all.reportMisplaced(s, w, m, rest)
						break
					}
				}
			}
		}
		return nil
	},
}

// named reports that a command of the step is told of the mount.
func (all *steps) named(s *step, m cacheMount) bool {
	return len(s.on(m.Target)) > 0 || strings.Contains(all.pass.File.Text(edit.Span{Start: m.flag.Span.End, End: s.in.Span.End}), m.Target)
}

// meant reports that a mount is where the cache would be with another HOME or
// without variables that name its place; rest is what the cache's path has
// behind the mount's.
func (s *step) meant(w *want, m cacheMount) (rest string, ok bool) {
	for i, u := range s.uses {
		if u != w.use {
			continue
		}
		for _, e := range elsewhere(s.env(i), m.Target) {
			for _, c := range u.Tool.Caches(u, e) {
				switch {
				case c.Name != w.cache.Name:
				case within(c.Path, m.Target):
					return "", true
				case within(m.Target, c.Path) && m.Target != "/" && m.Target != e.Home && m.Target != path.Dir(e.Home):
					return strings.TrimPrefix(c.Path, m.Target), true
				}
			}
		}
	}
	return "", false
}

// elsewhere are environments in which a tool may have its cache at a place: those
// of root and of the home folder that the place lies in, each as the command has
// it and without any variable.
func elsewhere(e ecosystem.Env, place string) []ecosystem.Env {
	homes := []string{"/root"}
	if parts := strings.Split(place, "/"); len(parts) > 2 && parts[1] == "home" {
		homes = append(homes, "/home/"+parts[2])
	}
	var list []ecosystem.Env
	for _, home := range homes {
		other := e
		other.Home, other.HomeKnown = home, true
		bare := other
		bare.Vars, bare.Open, bare.Complete = map[string]string{}, map[string]bool{}, true
		list = append(list, other, bare)
	}
	official := e // whose variables are known by its name
	official.Complete, official.Vars = false, maps.Clone(e.Vars)
	maps.DeleteFunc(official.Vars, func(_, value string) bool { return path.IsAbs(value) })
	return append(list, official)
}

func (all *steps) reportMisplaced(s *step, w *want, m cacheMount, rest string) {
	f := all.pass.File
	place := strings.TrimSuffix(w.target(), rest)
	d := lint.Diagnostic{
		Span:    m.flag.Span,
		Message: fmt.Sprintf("%s has its cache in %s here, and the cache mount at %s stays empty: it %s whenever this step re-runs", w.use.Title, w.cache.Path, m.Target, w.cache.Costs),
	}
	for _, of := range []struct{ what, says string }{{"USER", s.state.User}, {"HOME", s.state.Home}} {
		if of.says != "" {
			d.Evidence = append(d.Evidence, lint.Evidence{What: of.what, Says: of.says})
		}
	}
	at, ok := m.place(f)
	owner := ""
	if s.state.UIDKnown && s.state.UID != 0 && !m.has("uid", "mode") {
		owner = ",uid=" + strconv.Itoa(s.state.UID)
	}
	if !ok || !plainPath(place) || !s.state.UIDKnown {
		all.pass.Report(d)
		return
	}
	d.Fix = &lint.Fix{
		Message: "Mount it at " + place,
		Safety:  lint.Safe,
		Edits:   []edit.Edit{{Span: at, New: place + owner, Origin: m.flag.Span}},
		Drops:   []string{w.cache.Path},
	}
	if w.cache.Kept {
		d.Fix.Safety, d.Fix.Doubt = lint.Unsafe, "whether a later step needs what is in the cache is not known"
	}
	all.pass.Report(d)
}
