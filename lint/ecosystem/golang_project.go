package ecosystem

import (
	"fmt"
	"path"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// goManifests says what "go mod download" reads: go.mod and go.sum, a workspace
// above them, and the go.mod of every module that a replace takes from a folder
// (Go Modules Reference, "go mod download", "replace directive", "Workspaces").
func goManifests(u *Use, e Env) Manifests {
	m := Manifests{Doubt: u.Doubt}
	if !e.Project.Known() {
		m.Files = []string{"go.mod", "go.sum*"}
		m.doubt("the build context is not known")
		return m
	}
	p := e.Project
	if !p.regular("go.mod") {
		m.Breaks = "the context has no file go.mod"
		return m
	}
	m.Files = []string{"go.mod"}
	if p.regular("go.sum") {
		m.Files = append(m.Files, "go.sum")
	} else {
		m.doubt("the context has no file go.sum")
	}
	m.goOptions(u, e)
	m.goMod(p)
	if v, _, _ := e.get("GOWORK"); v != "off" {
		m.goWork(p)
	}
	m.without(p, "vendor")
	return m
}

func (m *Manifests) goOptions(u *Use, e Env) {
	for _, f := range u.options.flags {
		if f.name != "-x" && f.name != "-C" {
			m.doubt("go is given " + f.name)
		}
	}
	for _, name := range []string{"GOFLAGS", "GOWORK"} {
		switch v, _, known := e.get(name); {
		case !known:
			m.doubt(e.Why)
		case name == "GOFLAGS" && strings.Contains(v, "-mod"), name == "GOFLAGS" && strings.Contains(v, "-overlay"):
			m.doubt("GOFLAGS is " + v)
		case name == "GOWORK" && v != "" && v != "off":
			m.breaks("GOWORK is " + v)
		}
	}
}

// goMod looks at go.mod itself.
func (m *Manifests) goMod(p Project) {
	mod, err := modfile.Parse("go.mod", p.read("go.mod"), nil)
	if err != nil {
		m.doubt(fmt.Sprintf("go.mod can't be read: %v", err))
		return
	}
	for _, r := range mod.Replace {
		if r.New.Version == "" { // a folder
			m.breaks(fmt.Sprintf("go.mod replaces %s by the folder %s", r.Old.Path, r.New.Path))
		}
	}
	// Since Go 1.18, go mod download without arguments leaves go.sum as it is
	// (Go 1.18 release notes, "go mod download").
	if mod.Go == nil || semver.Compare("v"+majorMinor(mod.Go.Version), "v1.18") < 0 {
		m.doubt("go.mod asks for a Go before 1.18, whose go mod download may write go.sum")
	}
}

// majorMinor is "1.21" of "1.21rc2" and "1.21.3".
func majorMinor(version string) string {
	major, rest, _ := strings.Cut(version, ".")
	minor := rest
	for i, c := range rest {
		if c < '0' || c > '9' {
			minor = rest[:i]
			break
		}
	}
	return major + "." + minor
}

// goWork refuses a workspace, in the project's folder or above it.
func (m *Manifests) goWork(p Project) {
	for dir := p.Dir; ; dir = path.Dir(dir) {
		there, err := Project{p.Files, dir}.Has("go.work")
		if err != nil {
			m.doubt(err.Error())
		} else if there {
			m.breaks("the context has " + path.Join(dir, "go.work"))
		}
		if dir == "." || dir == "/" {
			return
		}
	}
}
