package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/effect"
)

// VolatileArgEarly finds build arguments, and variables made of them, that are
// set above steps which have no use for them.
var VolatileArgEarly = &lint.Rule{
	Name:     "VolatileArgEarly",
	Severity: lint.Warning,
	Safety:   lint.BuildSafe,
	Reorders: true,
	Doc: lint.Doc{
		Title: "A build argument is set above steps that do not use it",
		Why: `BuildKit puts every ARG and ENV into the environment of each RUN below it. A step runs again when the value changes, used
or not: with a commit or a date in an ARG on top, every build installs everything again. Below the steps that don't
need it, right above its first use, it costs nothing.

The frontend moves it by itself past steps that provably don't read it: COPY, WORKDIR, USER and the like that don't
expand it, and RUNs of known programs alone, which neither name it nor heed a variable of that name. A package
manager's own variables stay, and so does anything above a step that runs a project's scripts: those may read any
variable. Stages that start from this one have the ARG as before.`,
		Bad: lint.Example{
			Dockerfile: "FROM debian:12\nARG GIT_SHA\nRUN apt-get update && apt-get install -y make\nCOPY . .\nRUN make VERSION=$GIT_SHA\n",
			Images:     map[string]string{"debian:12": `{"config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`},
		},
		Good: lint.Example{
			Dockerfile: "FROM debian:12\nRUN apt-get update && apt-get install -y make\nCOPY . .\nARG GIT_SHA\nRUN make VERSION=$GIT_SHA\n",
			Images:     map[string]string{"debian:12": `{"config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`},
		},
	},
	Run: func(p *lint.Pass) error {
		w := newWorlds(p)
		for _, st := range p.File.Stages {
			for i, in := range st.Instructions {
				if v := volatile(st.Instructions[:i], in); v != nil {
					w.judgeArgument(v, st.Instructions[i+1:])
				}
			}
		}
		return nil
	},
}

// argument is an ARG, or an ENV that is made of one.
type argument struct {
	in    *dockerfile.Instruction
	names []string
	// given reports that only the build gives it a value, so that it is likely
	// another one each time.
	given bool
}

// volatile reads an instruction that sets variables which a build may give
// another value; nil for any other.
func volatile(above []*dockerfile.Instruction, in *dockerfile.Instruction) *argument {
	v := &argument{in: in}
	switch c := in.Command.(type) {
	case *instructions.ArgCommand:
		for _, arg := range c.Args {
			if ofBuildKit(arg.Key) {
				return nil
			}
			v.names = append(v.names, arg.Key)
			v.given = v.given || arg.Value == nil
		}
		return v
	case *instructions.EnvCommand:
		for _, kv := range c.Env {
			v.names = append(v.names, kv.Key)
		}
		for _, other := range above {
			arg := volatile(nil, other)
			if arg == nil || other.Name != "ARG" || !slices.ContainsFunc(arg.names, func(name string) bool { return slices.Contains(effect.Of(in, effect.World{}).Vars, name) }) {
				continue
			}
			v.given = v.given || arg.given
			return v
		}
	}
	return nil
}

// ofBuildKit reports an ARG that BuildKit itself gives a meaning or a value
// (Dockerfile reference, "Predefined ARGs", "Automatic platform ARGs", "BuildKit
// built-in build args"). None of them is another one in the next build.
func ofBuildKit(name string) bool {
	return strings.HasPrefix(name, "BUILDKIT_") || name == "SOURCE_DATE_EPOCH" || slices.Contains(dockerfile.PlatformArgs(), name)
}

// judgeArgument reports one that steps below have no use for.
func (w *worlds) judgeArgument(v *argument, below []*dockerfile.Instruction) {
	own := w.effect(v.in)
	verdict := verdict{safety: lint.BuildSafe}
	w.base(v.in, &verdict)
	var stop, last *dockerfile.Instruction // what it may not pass, and the last RUN that it does
	var spared []string                    // titles of steps
	for _, other := range below {
		if other.Name == "ONBUILD" || !effect.Commutes(own, w.effect(other)) {
			stop = other
			break
		}
		if other.Name != "RUN" {
			continue
		}
		last = other
		if title := w.costly(other); title != "" && !slices.Contains(spared, title) {
			spared = append(spared, title)
		}
	}
	if len(spared) == 0 {
		return
	}
	f := w.pass.File
	fix := &lint.Fix{Safety: verdict.safety, Doubt: verdict.doubt}
	if v.in.Name == "ARG" {
		fix.Rewords = w.reworded(below, stop)
	}
	names, use := listed(v.names), ""
	if stop != nil {
		use = fmt.Sprintf("nothing above %s uses", quoted(w.pass, stop))
		fix.Message = fmt.Sprintf("Move %s %s above %s", v.in.Name, names, quoted(w.pass, stop))
		fix.Edits = moved(f, v.in, f.InsertAbove(stop))
	} else {
		at, _ := f.InsertBelow(last)
		use = "nothing in the stage uses"
		fix.Message = fmt.Sprintf("Move %s %s below %s", v.in.Name, names, quoted(w.pass, last))
		fix.Edits = moved(f, v.in, at)
	}
	w.reportArgument(v, fmt.Sprintf("another value of %s makes %s run again, although %s", names, listed(spared), use), fix)
}

// reworded counts the steps whose line of the history names other ARGs, or names
// them in another order: those that the ARG passes, and where it passes another
// ARG all below, too, also in stages that start from this one.
func (w *worlds) reworded(below []*dockerfile.Instruction, stop *dockerfile.Instruction) int {
	at := slices.Index(below, stop)
	if at < 0 {
		at = len(below)
	}
	if !slices.ContainsFunc(below[:at], func(in *dockerfile.Instruction) bool { return in.Name == "ARG" }) {
		return runs(below[:at])
	}
	count := runs(below)
	for st, line := range w.lineage {
		if slices.Contains(line[1:], below[0].Stage) {
			count += runs(st.Instructions)
		}
	}
	return count
}

func runs(list []*dockerfile.Instruction) int {
	count := 0
	for _, in := range list {
		if in.Name == "RUN" {
			count++
		}
	}
	return count
}

// costly names what takes the time of a step; "" where running it again costs
// next to nothing.
func (w *worlds) costly(in *dockerfile.Instruction) string {
	e := w.effect(in)
	if e.Installs != "" {
		return e.Installs
	}
	if s := w.of[in]; s != nil {
		for _, u := range s.uses {
			if u != nil {
				return u.Title
			}
		}
		if e.Network {
			return s.commands[0].Name()
		}
	}
	return ""
}

// reportArgument reports one with what it is in the way of.
func (w *worlds) reportArgument(v *argument, message string, fix *lint.Fix) {
	severity, them := lint.Info, " it"
	if v.given {
		severity = lint.Warning
	}
	if len(v.names) > 1 {
		them = " them"
	}
	w.pass.Report(lint.Diagnostic{Span: v.in.Span, Severity: severity, Message: message + them, Fix: fix})
}
