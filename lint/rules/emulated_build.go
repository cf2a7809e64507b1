package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// EmulatedBuild finds stages that compile under emulation what a native compiler
// could make.
var EmulatedBuild = &lint.Rule{
	Name:     "EmulatedBuild",
	Severity: lint.Info,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "A stage compiles under emulation, and could compile for the platform natively",
		Why: `A stage without --platform is built for the target's platform. Where that is not the builder's own, every command in it runs
under emulation, compilers too, which takes several times as long, once for each platform. A compiler that can make programs for another platform does it at full speed in
a stage on $BUILDPLATFORM: Go with GOOS and GOARCH, where cgo is off; for Java's archives and for what a bundler makes for browsers there is nothing to
set, and one run serves all platforms.

The rule speaks of stages of which only results are copied, where every command is known, and the build is known to be for several processors; as info, where the
Dockerfile itself asks for the target's platform.`,
		Bad:  file("FROM golang:1.26 AS build\nARG TARGETARCH\nWORKDIR /src\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /app .\nFROM scratch\nCOPY --from=build /app /app\n"),
		Good: file("FROM --platform=$BUILDPLATFORM golang:1.26 AS build\nARG TARGETARCH\nWORKDIR /src\nCOPY . .\nARG TARGETOS\nRUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /app .\nFROM scratch\nCOPY --from=build /app /app\n"),
	},
	Run: func(p *lint.Pass) error {
		several, why := platforms(p)
		final := p.File.Final(p.Facts.Target)
		if !several || final == nil || len(p.Facts.Platforms) > 1 && len(architectures(p.Facts.Platforms)) < 2 {
			return nil
		}
		all := newSteps(p)
		needed := p.File.NeededWith(p.Facts.Target, p.Facts.Args)
		for _, st := range p.File.Stages {
			if st.Platform != "" && st.Platform != "$TARGETPLATFORM" || st.Parent != nil || !needed[st] || slices.Contains(p.Facts.OtherTargets, st.Name) && st.Name != "" {
				continue
			}
			if crossing := all.crossing(st); crossing != nil && all.onlyResults(st, crossing) {
				all.reportEmulated(st, crossing, why)
			}
		}
		return nil
	},
}

// architectures are those of platforms, each once.
func architectures(platforms []string) []string {
	var list []string
	for _, p := range platforms {
		if parts := strings.Split(p, "/"); len(parts) > 1 && !slices.Contains(list, parts[1]) {
			list = append(list, parts[1])
		}
	}
	return list
}

// crossed is a command that can compile for another platform.
type crossed struct {
	step *step
	use  *ecosystem.Use
	how  *ecosystem.Cross
}

// crossing are the commands of a stage that compile; nil where one of them can't
// do it for another platform, or a command isn't known.
func (all *steps) crossing(st *dockerfile.Stage) []crossed {
	var list []crossed
	for _, in := range st.Instructions {
		s := all.of[in]
		if s == nil {
			continue
		}
		if s.opaque {
			return nil
		}
		for i, u := range s.uses {
			switch {
			case u == nil && (ecosystem.Inert(s.commands[i]) || ecosystem.System(s.commands[i]) || s.commands[i].Name() == "cd"):
			case u == nil || u.Through != "":
				return nil
			case u.Tool.Cross == nil && u.Kind&ecosystem.Build == 0 && u.Kind != 0:
			case u.Tool.Cross == nil:
				return nil
			default:
				how := u.Tool.Cross(u, s.env(i))
				if how == nil && u.Kind&ecosystem.Build != 0 {
					return nil
				}
				if how != nil {
					list = append(list, crossed{s, u, how})
				}
			}
		}
	}
	return list
}

// onlyResults reports that other stages take nothing but results from a stage.
func (all *steps) onlyResults(st *dockerfile.Stage, crossing []crossed) bool {
	taken := false
	for _, other := range all.pass.File.Stages {
		if other != st && slices.Contains(all.lineage[other], st) {
			return false
		}
	}
	for _, in := range all.pass.File.Instructions {
		if !slices.Contains(all.pass.File.Sources(in), st) {
			continue
		}
		c, ok := in.Command.(*instructions.CopyCommand)
		if !ok {
			return false
		}
		taken = taken || !onBuilder(in.Stage)
		for _, source := range c.SourcePaths {
			if !result(source, crossing) {
				return false
			}
		}
	}
	return taken
}

// result reports that a path may be what the commands make, and nothing of the
// stage's own system.
func result(source string, crossing []crossed) bool {
	if nativePackages(source) != "" {
		return false
	}
	clean := path.Clean("/" + source)
	for _, system := range []string{"/bin", "/sbin", "/lib", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib"} {
		if within(system, clean) {
			return false
		}
	}
	return slices.ContainsFunc(crossing, func(c crossed) bool {
		return c.how.Results == nil || slices.ContainsFunc(c.how.Results, func(name string) bool {
			return path.Base(clean) == name || strings.HasPrefix(name, ".") && path.Ext(clean) == name
		})
	})
}

func (all *steps) reportEmulated(st *dockerfile.Stage, crossing []crossed, why string) {
	f := all.pass.File
	var titles, lines []string
	from := st.From.Keyword.End
	edits := []edit.Edit{{Span: edit.Span{Start: from, End: from}, New: " --platform=$BUILDPLATFORM"}}
	lines = append(lines, "FROM --platform=$BUILDPLATFORM "+st.Base)
	fixable := st.Platform == ""
	asked := map[string]bool{}
	for _, c := range crossing {
		title := c.use.Title
		if script := c.use.HabitsOf().Script; script != "" {
			title = c.use.Tool.Name + "'s script " + script
		}
		if !slices.Contains(titles, title) {
			titles = append(titles, title)
		}
		if len(c.how.Set) == 0 {
			continue
		}
		set := strings.Join(c.how.Set, " ")
		lines = append(lines, set+" "+c.use.Title)
		fixable = fixable && !c.step.in.JSON && c.step.elsewhere[c.use.Command] == "" && len(c.use.Command.Words) > 0 && len(c.use.Command.Wrappers) == 0
		if !fixable {
			continue
		}
		at := c.use.Command.Words[0].Span.Start
		edits = append(edits, all.asking(c, asked)...)
		edits = append(edits, edit.Edit{Span: edit.Span{Start: at, End: at}, New: set + " "})
	}
	d := lint.Diagnostic{
		Span:    nameSpan(st),
		Message: fmt.Sprintf("this stage is emulated where the image is for another platform than the builder's: %s could compile for it on $BUILDPLATFORM", listed(titles)),
		Evidence: []lint.Evidence{
			{What: "the build", Says: why},
			{What: "lines", Says: strings.Join(lines, "\n")},
		},
	}
	if len(all.pass.Facts.Platforms) > 1 {
		d.Severity = lint.Warning
	}
	if fixable {
		d.Fix = &lint.Fix{
			Message: "Compile on the builder's own platform", Safety: lint.Unsafe, Edits: edits,
			Doubt: "whether something else in the stage depends on the platform is not known",
		}
	}
	if f.Windows(st) {
		return
	}
	all.pass.Report(d)
}

// asking are the ARGs for the platform's variables that a command is to be given,
// above its step.
func (all *steps) asking(c crossed, asked map[string]bool) []edit.Edit {
	f := all.pass.File
	var names []string
	for _, set := range c.how.Set {
		_, name, _ := strings.Cut(set, "=$")
		if !asked[name] && !declared(c.step.in, all.lineage[c.step.in.Stage], name) {
			asked[name] = true
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	at := f.InsertAbove(c.step.in)
	line := f.Indent(c.step.in.Span.Start) + "ARG " + strings.Join(names, " ") + f.Newline
	return []edit.Edit{{Span: edit.Span{Start: at, End: at}, New: line, Origin: c.step.in.Keyword}}
}
