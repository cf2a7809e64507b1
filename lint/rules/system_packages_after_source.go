package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/effect"
)

// SystemPackagesAfterSource finds steps that install packages of the system, or
// make users, and that every change of the sources runs again.
//
// What a step may be moved past is for package effect to say; what surrounds it
// is in system_packages_world.go.
var SystemPackagesAfterSource = &lint.Rule{
	Name:     "SystemPackagesAfterSource",
	Severity: lint.Warning,
	Safety:   lint.BuildSafe,
	Reorders: true,
	Doc: lint.Doc{
		Title: "System packages are installed again after every change of the sources",
		Why: `BuildKit runs a step again when anything above it changed. An installation of system packages below "COPY . ." runs
again for every edited line, although it reads nothing of the sources. Above them it stays cached until it is changed
itself. The same holds for steps that make users.

The frontend moves a step by itself where it is proven that the step and all that it moves past touch different files
and settings: every command of the step is known, the sources go to a known folder that is no system folder and no
link, their owner is a number, no variable leads programs into that folder, and USER, SHELL, ENV and ARG are the same
in both places. Elsewhere the fix names what is missing to the proof.`,
		Bad: lint.Example{
			Dockerfile: "FROM debian:12\nWORKDIR /app\nCOPY . .\nRUN apt-get update && apt-get install -y curl\nCMD [\"./serve\"]\n",
			Images:     map[string]string{"debian:12": `{"config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`},
		},
		Good: lint.Example{
			Dockerfile: "FROM debian:12\nWORKDIR /app\nRUN apt-get update && apt-get install -y curl\nCOPY . .\nCMD [\"./serve\"]\n",
			Images:     map[string]string{"debian:12": `{"config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`},
		},
	},
	Run: func(p *lint.Pass) error {
		w := newWorlds(p)
		for _, st := range p.File.Stages {
			sources := false
			for i, in := range st.Instructions {
				if sources = sources || w.isSource(in); sources && in.Name == "RUN" {
					w.judgeSystemStep(st.Instructions[:i], in)
				}
			}
		}
		return nil
	},
}

// climb is a way up for a step.
type climb struct {
	to      *dockerfile.Instruction // it would stand right above this
	verdict verdict
	args    bool // past an ARG, which the history names in front of the step
}

// judgeSystemStep reports a step that could stand above the sources that are
// among the instructions above it, or could but for something between them.
func (w *worlds) judgeSystemStep(above []*dockerfile.Instruction, in *dockerfile.Instruction) {
	own := w.effect(in)
	if own.Unknown != "" || own.Installs == "" && own.Users == "" {
		return
	}
	v := verdict{safety: lint.BuildSafe}
	w.base(in, &v)
	var ways []climb
	args := false
	for _, other := range slices.Backward(above) {
		o := effect.Between(own, w.effect(other))
		isSource := w.isSource(other)
		switch {
		case o == nil:
		case other.Name == "RUN" || other.Name == "FROM" || other.Name == "USER" || other.Name == "SHELL" || o.Certain && !isSource:
			v.block("%s stands between them", quoted(w.pass, other))
		case o.Certain:
			v.block("it uses what %s brings", quoted(w.pass, other))
		case o.Unlikely:
			v.less(lint.Safe, "%s", o.Says)
		default:
			v.less(lint.Unsafe, "%s", o.Says)
		}
		if v.blocked != "" {
			if len(ways) == 0 && !(o.Certain && isSource) {
				w.reportBlocked(above, in, own, other, v)
			}
			break
		}
		args = args || other.Name == "ARG"
		if isSource {
			ways = append(ways, climb{other, v, args})
		}
	}
	if len(ways) == 0 {
		return
	}
	// As far up as the best proof reaches.
	best := ways[0]
	for _, way := range ways[1:] {
		if way.verdict.safety >= best.verdict.safety {
			best = way
		}
	}
	w.reportMovable(in, own, best)
}

// reportMovable reports a step that can be moved.
func (w *worlds) reportMovable(in *dockerfile.Instruction, own effect.Effect, way climb) {
	line := quoted(w.pass, way.to)
	w.moved[in] = true
	fix := &lint.Fix{
		Message: fmt.Sprintf("Run %s above %s", titleOf(own), line),
		Safety:  way.verdict.safety,
		Doubt:   way.verdict.doubt,
		Edits:   moved(w.pass.File, in, w.pass.File.InsertAbove(way.to)),
	}
	if way.args {
		fix.Rewords = 1
	}
	w.pass.Report(lint.Diagnostic{
		Span:     own.Command.Span,
		Severity: severityOf(own),
		Message:  fmt.Sprintf("%s runs again after every change of the sources: %s stands above it", titleOf(own), line),
		Fix:      fix,
		Evidence: churn(w.pass, way.to, nil),
	})
}

// reportBlocked reports a step that has sources above it and can't be moved
// past what stands between them.
func (w *worlds) reportBlocked(above []*dockerfile.Instruction, in *dockerfile.Instruction, own effect.Effect, between *dockerfile.Instruction, v verdict) {
	if w.moved[between] {
		w.moved[in] = true // the next round looks again
		return
	}
	if own.Installs == "" {
		return // making a user again costs next to nothing
	}
	for _, other := range slices.Backward(above[:slices.Index(above, between)]) {
		if !w.isSource(other) {
			continue
		}
		if o := effect.Between(own, w.effect(other)); o != nil && o.Certain {
			return
		}
		w.pass.Report(lint.Diagnostic{
			Span:     own.Command.Span,
			Severity: severityOf(own),
			Message:  fmt.Sprintf("%s runs again after every change of the sources: %s stands above it, and %s", titleOf(own), quoted(w.pass, other), v.blocked),
			Evidence: []lint.Evidence{{What: titleOf(own), Says: v.blocked}},
		})
		return
	}
}

// titleOf names a step by what takes its time.
func titleOf(e effect.Effect) string {
	if e.Installs != "" {
		return e.Installs
	}
	return e.Users
}

// severityOf: to make a user again costs a fraction of a second.
func severityOf(e effect.Effect) lint.Severity {
	if e.Installs == "" {
		return lint.Info
	}
	return lint.Warning
}

// quoted is an instruction's first line as messages show it: as its owner wrote it,
// also where a rewrite has changed it since.
func quoted(p *lint.Pass, in *dockerfile.Instruction) string {
	more := strings.Contains(strings.TrimSpace(p.File.Text(in.Span)), "\n")
	text := strings.Join(strings.Fields(strings.TrimRight(strings.TrimSpace(p.Written(in)), string(p.File.Escape))), " ")
	const width = 60
	if r := []rune(text); len(r) > width {
		text, more = string(r[:width+1]), true
		if last := strings.LastIndexByte(text, ' '); last > width/2 {
			text = text[:last] // no part of a word
		}
	}
	if more {
		return text + " …"
	}
	return text
}
