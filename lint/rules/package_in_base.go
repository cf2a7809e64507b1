package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// PackageInBase finds packages that are installed though the base image has them.
var PackageInBase = &lint.Rule{
	Name:     "PackageInBase",
	Severity: lint.Info,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "Package is in the base image already",
		Why: `A package that the base image has is installed again for nothing, or, where the mirror has a newer version by now, is
shipped twice: the old one stays in the layer below. Often it is there because it was needed on another base. The rule
reads the list of packages in the base image (dpkg's, apk's or RPM's), where the image is at hand, and says which version
is there, and leaves ca-certificates and tzdata alone, which are installed for what is newer in them. The fix takes the words out; where the newest version is what is wanted, leave them, and have a newer base image
in the long run.`,
		Bad: lint.Example{
			Dockerfile: "FROM node:22\nRUN apt-get update && apt-get install -y git ffmpeg\n",
			Images:     map[string]string{"node:22": "{}"},
			Roots: map[string]map[string]string{"node:22": {
				"var/lib/dpkg/status": "Package: git\nStatus: install ok installed\nVersion: 1:2.39.5-0+deb12u2\n",
			}},
		},
		Good: lint.Example{
			Dockerfile: "FROM node:22\nRUN apt-get update && apt-get install -y ffmpeg\n",
			Images:     map[string]string{"node:22": "{}"},
			Roots: map[string]map[string]string{"node:22": {
				"var/lib/dpkg/status": "Package: git\nStatus: install ok installed\nVersion: 1:2.39.5-0+deb12u2\n",
			}},
		},
	},
	Run: func(p *lint.Pass) error {
		bases := map[baseList]map[string]string{}
		for _, u := range installs(p) {
			image := p.State(u.in).Image
			if u.use.Tool.Installed == nil || len(u.Packages) == 0 || image == nil || image.Files == nil || removesPackages(p, u.in) {
				continue
			}
			key := baseList{image, u.use.Tool.Name}
			installed, asked := bases[key]
			if !asked {
				// Nil where it isn't known.
				installed, _ = u.use.Tool.Installed(func(name string) ([]byte, error) { return facts.Read(image.Files, name) })
				bases[key] = installed
			}
			reportInBase(p, u, installed)
		}
		return nil
	},
}

// newestWanted are packages of data that get out of date, which are installed for
// what is newer in them.
var newestWanted = []string{"ca-certificates", "tzdata", "debian-archive-keyring", "ubuntu-keyring", "alpine-keys"}

// baseList is the list of a tool's packages in an image.
type baseList struct {
	image *facts.Image
	tool  string
}

// reportInBase names the packages of one command that the list has.
func reportInBase(p *lint.Pass, u install, installed map[string]string) {
	var names []string
	var evidence []lint.Evidence
	var edits []edit.Edit
	var span edit.Span
	base := origin(u.in.Stage).Base
	if ref, ok := p.BaseRef(origin(u.in.Stage)); ok {
		base = ref
	}
	for _, pkg := range u.Packages {
		name, _, _ := strings.Cut(pkg.Word.Value, ":") // apt's architecture
		version, there := installed[name]
		if !there || pkg.Pinned || slices.Contains(newestWanted, name) {
			continue
		}
		if names == nil {
			span.Start = pkg.Word.Span.Start
		}
		names, span.End = append(names, name), pkg.Word.Span.End
		evidence = append(evidence, lint.Evidence{What: base, Says: "has " + name + " " + version})
		if span, ok := wordOut(p.File.Src, pkg.Word.Span); ok {
			edits = append(edits, edit.Edit{Span: span})
		}
	}
	if names == nil {
		return
	}
	d := lint.Diagnostic{Span: span, Message: fmt.Sprintf("%s is in %s already", list(names), base), Evidence: evidence}
	if len(names) > 1 {
		d.Message = fmt.Sprintf("%s are in %s already", list(names), base)
	}
	if len(names) < len(u.Packages) && len(edits) == len(names) {
		d.Fix = &lint.Fix{Message: "Don't install " + list(names), Safety: lint.Unsafe, Edits: edits}
	}
	p.Report(d)
}

// wordOut is a word with the blanks beside it, or with its whole line where it has
// one of its own that goes on. It fails for the last line of a command: that above
// it would go on to nothing.
func wordOut(src []byte, s edit.Span) (edit.Span, bool) {
	blank := func(at int) bool { return at >= 0 && at < len(src) && (src[at] == ' ' || src[at] == '\t') }
	out := s
	for blank(out.Start - 1) {
		out.Start--
	}
	if out.Start > 0 && src[out.Start-1] != '\n' {
		return out, true
	}
	line, _, _ := strings.Cut(string(src[s.End:]), "\n")
	switch strings.TrimSpace(line) {
	case "":
		return s, false
	case "\\", "`":
		out.End += len(line) + 1
		return out, true
	}
	for blank(s.End) {
		s.End++
	}
	return s, true
}

// removesPackages reports a command that takes packages away, in the stage or one
// below: what the base had may be gone.
func removesPackages(p *lint.Pass, in *dockerfile.Instruction) bool {
	return slices.ContainsFunc(commands(p), func(c ran) bool {
		if !slices.Contains(in.Stage.Lineage(), c.in.Stage) || c.in.Span.Start > in.Span.Start {
			return false
		}
		switch c.Name() {
		case "dpkg", "rpm":
			return true
		}
		u := ecosystem.Find(c.Command)
		return u != nil && u.Tool.Installed != nil && slices.ContainsFunc(c.Args(), func(w shell.Word) bool {
			return slices.Contains([]string{"remove", "purge", "autoremove", "del", "erase", "swap"}, w.Value)
		})
	})
}
