package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// FailureIgnored finds scripts that go on behind a command that failed.
var FailureIgnored = &lint.Rule{
	Name:     "FailureIgnored",
	Severity: lint.Warning,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "The step goes on behind a command that failed",
		Why: `A shell goes on behind ";" and behind a line's end, whatever became of the command there, and the step succeeds if its
last command does: it is cached as done, without what failed. This holds for each line of RUN <<EOF. With set -e in front
the first failure ends the step, as && does.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN <<EOF\napt-get update\napt-get install -y --no-install-recommends curl\necho done\nEOF\n"),
		Good: file("FROM debian:bookworm-slim\nRUN <<EOF\nset -e\napt-get update\napt-get install -y --no-install-recommends curl\necho done\nEOF\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, st := range p.File.Stages {
			runs, _ := runScripts(st)
			for _, r := range runs {
				if endsAtFailure(p, r) {
					continue
				}
				if c := ignoredFailure(p, r.script); c != nil {
					p.Report(lint.Diagnostic{
						Span:    c.Span,
						Message: fmt.Sprintf("if %s fails, the step goes on and may succeed: put set -e in front, or join the commands with &&", c.Name()),
						Fix:     setErrexit(p, r),
					})
				}
			}
		}
		return nil
	},
}

// endsAtFailure reports that the shell or the script has errexit.
func endsAtFailure(p *lint.Pass, r runScript) bool {
	flag := func(arg string) bool {
		return arg == "errexit" || strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.Contains(arg, "e")
	}
	line, _, _ := strings.Cut(r.script.Text.String(), "\n")
	if words := strings.Fields(line); strings.HasPrefix(line, "#!") && slices.ContainsFunc(words[1:], flag) {
		return true
	}
	if argv := p.State(r.in).Shell; len(argv) > 1 && slices.ContainsFunc(argv[1:], flag) {
		return true
	}
	return slices.ContainsFunc(r.script.Commands(), func(c *shell.Command) bool {
		return c.Name() == "set" && slices.ContainsFunc(c.Args(), func(w shell.Word) bool { return flag(w.Value) })
	})
}

// ignoredFailure is the first command of a script whose failure nobody sees.
// Lists with || have seen to it, and a script that ends with true is meant so.
func ignoredFailure(p *lint.Pass, s *shell.Script) *shell.Command {
	lists := andLists(s)
	if len(lists) == 0 || meantToSucceed(lists[len(lists)-1]) {
		return nil
	}
	for _, list := range lists[:len(lists)-1] {
		for _, st := range list {
			if st.Plain && !slices.ContainsFunc(list, func(o *shell.Statement) bool { return o.Joiner == "||" }) {
				if c := st.Commands[0]; matters(p, c) {
					return c
				}
			}
		}
	}
	return nil
}

// andLists are the statements of a script between semicolons and line ends. A
// command in the background is none: nobody waits for it.
func andLists(s *shell.Script) [][]*shell.Statement {
	var lists [][]*shell.Statement
	for _, st := range s.Statements {
		switch {
		case st.Joiner == "&&" || st.Joiner == "||":
			lists[len(lists)-1] = append(lists[len(lists)-1], st)
		case st.Joiner == "&":
			lists[len(lists)-1] = []*shell.Statement{st}
		default:
			lists = append(lists, []*shell.Statement{st})
		}
	}
	return lists
}

func meantToSucceed(list []*shell.Statement) bool {
	commands := list[len(list)-1].Commands
	if len(commands) != 1 {
		return false
	}
	switch c := commands[0]; c.Name() {
	case "true", ":":
		return true
	case "exit":
		return len(c.Args()) == 1 && c.Args()[0].Value == "0"
	}
	return false
}

// matters reports a command that may fail, and whose work the image needs. Of
// cd, ShellCheck speaks where it is there; what dpkg -i leaves undone, an
// apt-get install -f behind it does.
func matters(p *lint.Pass, c *shell.Command) bool {
	switch c.Name() {
	case "", "echo", "printf", "true", ":", "[", "[[", "test", "export", "set", "unset", "umask", "alias", "trap", "shopt", "readonly", "local", "declare",
		"rm", "ls", "date", "id", "pwd", "env", "sleep", "which", "type", "command", "exit", "wait", "kill", "ulimit", "whoami", "uname", "df", "history", "dpkg":
		return false
	case "cd":
		return p.Facts.ShellCheck == nil
	}
	return true
}

// setErrexit puts set -e in front of a script, behind the comments that it
// begins with.
func setErrexit(p *lint.Pass, r runScript) *lint.Fix {
	first := r.script.Statements[0].Span.Start
	text := "set -e; "
	if len(r.in.Heredocs) > 0 && r.in.Heredocs[0].Body.Start <= first {
		line := p.File.Lines.Span(p.File.Lines.Line(first))
		text = string(p.File.Src[line.Start:first]) + "set -e" + p.File.Newline
		first = line.Start
		if strings.TrimSpace(text) != "set -e" {
			return nil
		}
	}
	return &lint.Fix{Message: "Let the first failure end the step", Safety: lint.Unsafe, Edits: []edit.Edit{{Span: edit.Span{Start: first, End: first}, New: text}}}
}
