package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// BashSyntaxInSh finds bash's syntax where /bin/sh is dash, which takes it for
// something else without an error.
var BashSyntaxInSh = &lint.Rule{
	Name:     "BashSyntaxInSh",
	Aliases:  []string{"SC3009", "SC3010", "SC3014", "SC3020", "SC3037"},
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "Syntax of bash in a shell that reads it otherwise",
		Why: `RUN runs /bin/sh, which in Debian's and Ubuntu's images, and all that are made of them, is dash. It makes one folder
named "{bin,lib}", writes "-e" at the head of a file, starts a command of "&>" in the background, and finds every [[ and
== false. Only what goes wrong without ending the build is reported. SHELL ["/bin/bash", "-c"] brings bash.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN mkdir -p /app/{bin,lib}\n"),
		Good: file("FROM debian:bookworm-slim\nRUN mkdir -p /app/bin /app/lib\n"),
	},
	Run: func(p *lint.Pass) error {
		if p.Facts.ShellCheck != nil {
			return nil // it knows more of them
		}
		for _, st := range p.File.Stages {
			base := baseShell(p, st)
			runs, _ := runScripts(st)
			for _, r := range runs {
				if scriptShell(p, r.in, r.script, base) != dash {
					continue
				}
				for _, c := range r.script.Commands() {
					if !underBash(c) {
						misreadByDash(p, c)
					}
				}
				reportAmpersands(p, r.script)
			}
		}
		return nil
	},
}

// underBash reports a command that bash -c or its like runs.
func underBash(c *shell.Command) bool {
	return slices.ContainsFunc(c.Wrappers, func(w shell.Word) bool { return w.Value != "sudo" && w.Value != "env" })
}

// misreadByDash reports the words of a command that dash takes otherwise.
func misreadByDash(p *lint.Pass, c *shell.Command) {
	report := func(w shell.Word, code, format string, args ...any) {
		p.Report(lint.Diagnostic{Span: w.Span, Alias: code, Message: fmt.Sprintf(format, args...) + ": /bin/sh is dash here"})
	}
	args := c.Args()
	switch c.Name() {
	case "[[":
		report(c.Words[0], "SC3010", "there is no [[, so the test is never true")
	case "[", "test":
		for _, w := range args {
			if w.Raw == "==" {
				report(w, "SC3014", "the test has no ==, so it is never true")
			}
		}
	case "echo":
		if len(args) > 0 && (args[0].Raw == "-e" || args[0].Raw == "-ne" || args[0].Raw == "-en") {
			report(args[0], "SC3037", "echo prints %q as it is", args[0].Raw)
		}
	case "mkdir", "touch", "rm", "rmdir", "cp", "mv", "ln", "chmod", "chown", "install", "tar", "cat":
		for _, w := range args {
			if braces.MatchString(w.Raw) && !strings.ContainsAny(w.Raw, `"'\`) {
				report(w, "SC3009", "the braces in %s are not expanded", w.Raw)
			}
		}
	}
}

// braces are a list or a range in braces, without a variable's own.
var braces = regexp.MustCompile(`(^|[^$])\{[^{}$]*(,|\.\.)[^{}$]*\}`)

// reportAmpersands finds &> and >&, which to dash are a command in the
// background and a redirection of its own.
func reportAmpersands(p *lint.Pass, s *shell.Script) {
	text := s.Text.String()
	syntax.Walk(s.Syntax, func(n syntax.Node) bool {
		at := -1
		switch n := n.(type) {
		case *syntax.Stmt:
			if n.Background {
				at = int(n.Semicolon.Offset())
			}
		case *syntax.Redirect: // where all of the script was read as bash
			if n.Op == syntax.RdrAll || n.Op == syntax.AppAll {
				at = int(n.OpPos.Offset())
			}
		}
		if at >= 0 && strings.HasPrefix(text[at:], "&>") {
			p.Report(lint.Diagnostic{
				Span: s.Text.Span(edit.Span{Start: at, End: at + 2}), Alias: "SC3020",
				Message: "&> starts the command in the background, and the step goes on: /bin/sh is dash here",
			})
		}
		return true
	})
}
