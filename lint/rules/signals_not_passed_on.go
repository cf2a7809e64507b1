package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// SignalsNotPassedOn finds images whose program never hears that it is to end.
var SignalsNotPassedOn = &lint.Rule{
	Name:     "SignalsNotPassedOn",
	Severity: lint.Warning,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "Process 1 is a shell or a script runner, and signals do not reach the program",
		Why: `docker stop and Kubernetes send SIGTERM to process 1 of the container. dash, the /bin/sh of Debian and Ubuntu, stays there
while the program runs below it, and as process 1 it ignores the signal: nothing happens for ten seconds, then all is killed. npm start and yarn
start do end at the signal, but the program, which a dash of theirs has started, is killed with the container.
Requests are cut off, and nothing is saved. Start the program itself, or let the shell become it: exec.

Tried with dash 0.5.12, npm 6 to 11 and Yarn 1.22. The sh of Alpine and bash replace themselves by their last command, and
pnpm passes the signal on; about them nothing is said. Commands in shell form are BuildKit's own check.`,
		Bad:  file("FROM debian:12\nCMD [\"sh\", \"-c\", \"app --port $PORT\"]\n"),
		Good: file("FROM debian:12\nCMD [\"sh\", \"-c\", \"exec app --port $PORT\"]\n"),
	},
	Run: func(p *lint.Pass) error {
		final := p.File.Final(p.Facts.Target)
		if final == nil || baseShell(p, final) != dash {
			return nil
		}
		in := startCommand(final)
		if in == nil || in.Err != nil {
			return nil
		}
		if in.JSON && len(in.Args) == 3 && in.Args[0].Value != "" && in.Args[1].Value == "-c" {
			if name := in.Args[0].Value; name == "sh" || name == "/bin/sh" || name == "dash" || name == "/bin/dash" {
				reportShell(p, in)
			}
			return nil
		}
		reportRunner(p, in)
		return nil
	},
}

// startCommand is the ENTRYPOINT of a stage, or else its CMD; nil where the stage has
// neither of its own.
func startCommand(st *dockerfile.Stage) *dockerfile.Instruction {
	for _, name := range []string{"ENTRYPOINT", "CMD"} {
		for _, s := range st.Lineage() {
			for _, in := range slices.Backward(s.Instructions) {
				if in.Name == name {
					return in
				}
			}
		}
	}
	return nil
}

// reportShell looks at the script of ["sh", "-c", "…"].
func reportShell(p *lint.Pass, in *dockerfile.Instruction) {
	word := in.Args[2]
	text := &edit.Text{}
	inner := edit.Span{Start: word.Span.Start + 1, End: word.Span.End - 1}
	written := p.File.Text(word.Span) == `"`+word.Value+`"`
	if !written {
		inner = edit.Span{Start: word.Span.Start, End: word.Span.Start + len(word.Value)}
		text.Add([]byte(strings.Repeat(" ", inner.Start)+word.Value), inner)
	} else {
		text.Add(p.File.Src, inner)
	}
	script := shell.Parse(text, shell.POSIX)
	if script.Err != nil || len(script.Statements) == 0 || supervises(script) {
		return
	}
	last := script.Statements[len(script.Statements)-1]
	if !last.Plain || len(last.Commands[0].Words) == 0 {
		return
	}
	c := last.Commands[0]
	if slices.ContainsFunc(c.Wrappers, func(w shell.Word) bool { return w.Value == "exec" }) || ecosystem.Inert(c) || ecosystem.System(c) || c.Name() == "" {
		return
	}
	d := lint.Diagnostic{
		Span:    in.Span,
		Message: fmt.Sprintf("process 1 is %s, which waits for %s and ignores SIGTERM: the container is stopped by force, ten seconds later", in.Args[0].Value, c.Name()),
	}
	if written && len(c.Assigns) == 0 && len(c.Wrappers) == 0 {
		at := c.Words[0].Span.Start
		d.Fix = &lint.Fix{Message: "Let the shell become " + c.Name(), Safety: lint.Safe, Edits: []edit.Edit{{Span: edit.Span{Start: at, End: at}, New: "exec "}}}
	}
	p.Report(d)
}

// supervises reports a script that does more than to start a program: it has
// processes beside it, or heeds signals itself.
func supervises(s *shell.Script) bool {
	for _, st := range s.Statements {
		if st.Joiner == "&" {
			return true
		}
		for _, c := range st.Commands {
			if slices.Contains([]string{"trap", "wait", "tail", "sleep", "cat", "cron", "service", "supervisord", "eval", "."}, c.Name()) {
				return true
			}
		}
	}
	return false
}

// reportRunner looks at a command that runs a script of the project.
func reportRunner(p *lint.Pass, in *dockerfile.Instruction) {
	var c *shell.Command
	if list, _ := commandsOf(p.File, in); in.JSON && len(list) == 1 {
		c = list[0]
	} else if !in.JSON {
		if list := shell.Parse(in.Body, shell.POSIX).Commands(); len(list) == 1 {
			c = list[0]
		}
	}
	if c == nil {
		return
	}
	u := ecosystem.Find(c)
	if u == nil || u.HabitsOf().Starts == "" {
		return
	}
	all := newSteps(p)
	name := u.HabitsOf().Starts
	script, plain := scriptOf(all.project(in), name)
	if strings.HasPrefix(script, "exec ") || strings.Contains(script, " exec ") {
		return
	}
	d := lint.Diagnostic{
		Span:    in.Span,
		Message: fmt.Sprintf("process 1 is %s, which runs the script %s in a shell: SIGTERM ends both, and the program is killed without having heard of it", u.Tool.Name, name),
	}
	if script != "" {
		d.Evidence = []lint.Evidence{{What: "package.json", Says: name + ": " + script}}
	}
	if words := strings.Fields(script); plain && len(words) > 1 && words[0] == "node" && in.JSON && len(in.Args) <= 3 {
		list, err := json.Marshal(words)
		span := edit.Span{Start: in.Args[0].Span.Start, End: in.Args[len(in.Args)-1].Span.End}
		if err == nil {
			text := strings.ReplaceAll(strings.Trim(string(list), "[]"), `","`, `", "`)
			d.Fix = &lint.Fix{
				Message: "Start " + script, Safety: lint.Unsafe,
				Doubt: "the script doesn't get the variables that " + u.Tool.Name + " sets",
				Edits: []edit.Edit{{Span: span, New: text}},
			}
		}
	}
	p.Report(d)
}

// scriptOf is a script of the project's package.json; "" where it isn't known. It
// is plain where it is one command of plain words, with nothing to run before or
// after it.
func scriptOf(project ecosystem.Project, name string) (script string, plain bool) {
	if !project.Known() {
		return "", false
	}
	scripts := project.Scripts()
	script = strings.TrimSpace(scripts[name])
	plain = script != "" && !strings.ContainsAny(script, "\"'\\$`&|;<>(){}*?~#=") && scripts["pre"+name] == "" && scripts["post"+name] == ""
	return script, plain
}
