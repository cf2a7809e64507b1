package rules

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// CacheMountSharedByPlatforms finds cache mounts that hold programs for one
// platform, and are mounted in the builds for all.
var CacheMountSharedByPlatforms = &lint.Rule{
	Name:     "CacheMountSharedByPlatforms",
	Severity: lint.Info,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "Compiled files of several platforms share a cache mount",
		Why: `A cache mount is told by its id, or else by its target, and not by the platform: in a build for amd64 and arm64 both
steps get the same folder, at the same time. In node_modules, a virtual environment or a folder of build results the one
finds what the other has compiled, and takes it for its own: "wrong ELF class", "Exec format error", or an image with the
other's program. The platform in the id keeps them apart.

Caches whose keys hold the platform may be shared, as those of go build, pip and npm: about them nothing is said.
The rule speaks where the build is known to be for several platforms, and, as info, where the Dockerfile itself asks for the target's
platform. A stage on $BUILDPLATFORM runs on one.`,
		Bad:  file("FROM --platform=$BUILDPLATFORM alpine:3.22 AS tools\nFROM node:22\nWORKDIR /app\nCOPY package*.json ./\nRUN --mount=type=cache,target=/app/node_modules npm ci && cp -r node_modules /opt\n"),
		Good: file("FROM --platform=$BUILDPLATFORM alpine:3.22 AS tools\nFROM node:22\nWORKDIR /app\nCOPY package*.json ./\nARG TARGETPLATFORM\nRUN --mount=type=cache,target=/app/node_modules,id=/app/node_modules-$TARGETPLATFORM npm ci && cp -r node_modules /opt\n"),
	},
	Run: func(p *lint.Pass) error {
		several, why := platforms(p)
		if !several {
			return nil
		}
		all := newSteps(p)
		var told *dockerfile.Stage // that a fix declares the platform in
		for _, s := range all.list {
			if platform := all.root(s.in.Stage).Platform; platform != "" && platform != "$TARGETPLATFORM" {
				continue
			}
			for _, m := range cacheMounts(p, s.in) {
				what := cmp.Or(nativePackages(m.Target), all.tree(s, m.Target))
				if what == "" || strings.Contains(m.flag.Value, "$TARGET") || strings.Contains(m.flag.Value, "${TARGET") || m.has("from") {
					continue
				}
				d := lint.Diagnostic{
					Span:    m.flag.Span,
					Message: fmt.Sprintf("%s of every platform lies in the one cache mount at %s: its id doesn't say the platform", what, m.Target),
				}
				if fix, tells := all.apart(s, m); !tells || told != s.in.Stage { // the others come with the next round
					d.Fix = fix
					if tells {
						told = s.in.Stage
					}
				}
				if len(p.Facts.Platforms) > 1 {
					d.Severity = lint.Warning
				}
				d.Evidence = []lint.Evidence{{What: "the build", Says: why}}
				p.Report(d)
			}
		}
		return nil
	},
}

// platforms reports that an image is built for several platforms, and how that is
// known.
func platforms(p *lint.Pass) (several bool, why string) {
	switch {
	case len(p.Facts.Platforms) > 1:
		return true, "is for " + listed(p.Facts.Platforms)
	case p.Facts.Platform != "":
		return false, ""
	}
	for _, in := range p.File.Instructions {
		switch c := in.Command.(type) {
		case *instructions.Stage:
			if onBuilder(in.Stage) {
				return true, "has a stage on $BUILDPLATFORM"
			}
		case *instructions.ArgCommand:
			for _, arg := range c.Args {
				if strings.HasPrefix(arg.Key, "TARGET") && slices.Contains(dockerfile.PlatformArgs(), arg.Key) {
					return true, "asks for " + arg.Key
				}
			}
		}
	}
	return false, ""
}

// tree says that a command of the step leaves in a folder what it compiles for the
// machine that it runs on; "" where none is known to.
func (all *steps) tree(s *step, folder string) string {
	if s.opaque || !s.state.WorkdirKnown {
		return ""
	}
	for i, u := range s.uses {
		if u == nil || u.Tool.Tree == nil || u.Dir == "" || slices.ContainsFunc(s.commands[:i], moves) {
			continue
		}
		dir := u.Tool.Tree(u, s.env(i))
		if dir == "" {
			continue
		}
		if !path.IsAbs(dir) {
			dir = path.Join(s.state.Workdir, u.Dir, dir)
		}
		if dir == folder {
			return "what " + u.Title + " compiles"
		}
	}
	return ""
}

// apart puts the platform into the mount's id; tells reports that it brings the
// ARG for that.
func (all *steps) apart(s *step, m cacheMount) (fix *lint.Fix, tells bool) {
	const variable = "TARGETPLATFORM"
	f := all.pass.File
	edits, ok := m.add(f, "id="+m.Target+"-$"+variable)
	if m.has("id") {
		at := strings.Index(f.Text(m.flag.Span), "id="+m.ID)
		if ok = ok && m.ID != "" && at >= 0; ok {
			end := m.flag.Span.Start + at + len("id="+m.ID)
			edits = []edit.Edit{{Span: edit.Span{Start: end, End: end}, New: "-$" + variable}}
		}
	}
	if !ok || !plainPath(m.Target) {
		return nil, false
	}
	fix = &lint.Fix{Message: "Give each platform a mount of its own", Safety: lint.Safe, Edits: edits}
	if tells = !declared(s.in, all.lineage[s.in.Stage], variable); tells {
		at := f.InsertAbove(s.in)
		line := f.Indent(s.in.Span.Start) + "ARG " + variable + f.Newline
		fix.Edits = append(fix.Edits, edit.Edit{Span: edit.Span{Start: at, End: at}, New: line, Origin: s.in.Keyword})
		fix.Rewords = runs(s.in.Stage.Instructions)
	}
	return fix, tells
}

// declared reports an ARG of that name above an instruction.
func declared(in *dockerfile.Instruction, lineage []*dockerfile.Stage, name string) bool {
	for _, st := range lineage {
		for _, other := range st.Instructions {
			if c, ok := other.Command.(*instructions.ArgCommand); ok && (st != in.Stage || other.Span.Start < in.Span.Start) &&
				slices.ContainsFunc(c.Args, func(arg instructions.KeyValuePairOptional) bool { return arg.Key == name }) {
				return true
			}
		}
	}
	return false
}
