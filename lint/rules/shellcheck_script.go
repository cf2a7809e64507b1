package rules

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// checkedScript is a RUN's script as ShellCheck gets it: with a preamble that
// says what the Dockerfile says around it.
type checkedScript struct {
	script   *shell.Script
	sh       binSh
	text     string
	preamble edit.Span // in text
}

// checkedScripts are those of all RUNs, triggers of ONBUILD included.
func checkedScripts(p *lint.Pass) []checkedScript {
	var all []checkedScript
	for _, st := range p.File.Stages {
		sh := baseShell(p, st)
		for _, in := range st.Instructions {
			run := in
			if in.Trigger != nil {
				run = in.Trigger
			}
			script := p.File.Script(run)
			if script == nil || script.Dialect == shell.Foreign || strings.TrimSpace(script.Text.String()) == "" {
				continue
			}
			s := checkedScript{script: script, sh: scriptShell(p, in, script, sh)}
			s.prepend(definedNames(p, in))
			all = append(all, s)
		}
	}
	return all
}

// scriptShell is the shell that reads a script; base is the base image's.
func scriptShell(p *lint.Pass, in *dockerfile.Instruction, script *shell.Script, base binSh) binSh {
	program := ""
	if argv := p.State(in).Shell; len(argv) > 0 {
		program = path.Base(argv[0])
	}
	switch {
	case script.Dialect == shell.Bash, program == "bash": // which another build's SHELL can be
		return bash
	case program == "ash":
		return busybox
	case program == "dash":
		return dash
	case p.Config().Profile == lint.Hadolint: // it doesn't know what images have
		return unknownSh
	}
	return base
}

// prepend writes the preamble. It stands behind the comments that the script
// begins with, so that their directives hold for all of it.
func (s *checkedScript) prepend(names []string) {
	dialect := map[binSh]string{bash: "bash", dash: "dash", busybox: "dash", unknownSh: "sh"}[s.sh]
	preamble := "# shellcheck shell=" + dialect + "\n"
	if len(names) > 0 {
		preamble += "export " + strings.Join(names, "=1 ") + "=1\n"
	}
	text := s.script.Text.String()
	at := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") || !strings.HasSuffix(line, "\n") {
			break
		}
		at += len(line)
	}
	s.text = text[:at] + preamble + text[at:]
	s.preamble = edit.Span{Start: at, End: at + len(preamble)}
}

// definedNames are the names that ENV and ARG set above an instruction, and those
// that BuildKit sets itself. Their values don't count: what is split on purpose
// (CFLAGS) looks the same as what isn't.
func definedNames(p *lint.Pass, in *dockerfile.Instruction) []string {
	state := p.State(in)
	set := map[string]bool{}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"} {
		set[name], set[strings.ToLower(name)] = true, true
	}
	for name := range state.Env {
		set[name] = true
	}
	for name := range state.Open {
		set[name] = true
	}
	for _, above := range in.Stage.Instructions {
		if above == in {
			break
		}
		if c, ok := above.Command.(*instructions.ArgCommand); ok {
			for _, arg := range c.Args {
				set[arg.Key] = true
			}
		}
	}
	var names []string
	for name := range set {
		if shellName(name) && name != "PATH" && name != "HOME" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// shellName reports a name that a shell's variable can have.
func shellName(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// place leads a span of the text back to the Dockerfile; not ok for one in the
// preamble.
func (s *checkedScript) place(at edit.Span) (edit.Span, bool) {
	at, ok := s.own(at)
	if !ok {
		return edit.Span{}, false
	}
	return s.script.Text.Span(at), true
}

// own is a span of the text as one of the script.
func (s *checkedScript) own(at edit.Span) (edit.Span, bool) {
	switch {
	case at.End <= s.preamble.Start && at.Start < s.preamble.Start:
	case at.Start >= s.preamble.End:
		at.Start, at.End = at.Start-s.preamble.Len(), at.End-s.preamble.Len()
	default:
		return edit.Span{}, false
	}
	return at, 0 <= at.Start && at.Start <= at.End && at.End <= s.script.Text.Len()
}

// edits leads a proposal back to the Dockerfile.
func (s *checkedScript) edits(fix []facts.ShellEdit) ([]edit.Edit, bool) {
	edits := make([]edit.Edit, 0, len(fix))
	for _, e := range fix {
		at, ok := s.own(edit.Span{Start: e.Start, End: e.End})
		if !ok || strings.Contains(e.New, "\n") {
			return nil, false
		}
		span := s.script.Text.Span(at)
		if at.Len() == 0 && at.Start > 0 && s.ends(at.Start) {
			// Behind a word, and in front of the continuation that may follow.
			before := s.script.Text.Offset(at.Start-1) + 1
			span = edit.Span{Start: before, End: before}
		}
		edits = append(edits, edit.Edit{Span: span, New: e.New})
	}
	return edits, len(edits) > 0
}

// ends reports that a word ends at an offset of the script.
func (s *checkedScript) ends(at int) bool {
	text := s.script.Text.String()
	return !strings.ContainsRune(" \t\n", rune(text[at-1])) && (at == len(text) || strings.ContainsRune(" \t\n;&|)", rune(text[at])))
}
