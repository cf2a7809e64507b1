package rules

import (
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// PatternNotQuoted finds patterns of find that the shell expands first.
var PatternNotQuoted = &lint.Rule{
	Name:     "PatternNotQuoted",
	Aliases:  []string{"SC2061"},
	Severity: lint.Warning,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "The shell expands a pattern that is meant for find",
		Why: `In find / -name *.pyc the shell looks first: a file main.pyc in the working directory takes the pattern's place, and
find looks for that name alone; with two such files it fails. Quotes leave the pattern to find.`,
		Bad:  file("FROM python:3.13-slim\nWORKDIR /app\nRUN find / -name *.pyc -delete\n"),
		Good: file("FROM python:3.13-slim\nWORKDIR /app\nRUN find / -name '*.pyc' -delete\n"),
	},
	Run: func(p *lint.Pass) error {
		if p.Facts.ShellCheck != nil {
			return nil // it says the same
		}
		for _, c := range commands(p) {
			if c.Name() != "find" {
				continue
			}
			for _, w := range patterns(c) {
				if w.Literal || !strings.ContainsAny(w.Raw, "*?") || strings.ContainsAny(w.Raw, "\"'\\$`{/\r") || w.Span.Of(p.File.Src) != w.Raw {
					continue
				}
				p.Report(lint.Diagnostic{
					Span:    w.Span,
					Message: fmt.Sprintf("the shell replaces %s by the files of the working directory that match, before find sees it", w.Raw),
					Fix:     &lint.Fix{Message: "Quote the pattern", Safety: lint.Unsafe, Edits: []edit.Edit{{Span: w.Span, New: "'" + w.Raw + "'"}}},
				})
			}
		}
		return nil
	},
}

// patterns are the arguments of find that it takes for patterns itself.
func patterns(c ran) []shell.Word {
	args := c.Args()
	var all []shell.Word
	for i, w := range args[:max(0, len(args)-1)] {
		switch w.Value {
		case "-name", "-iname", "-path", "-ipath", "-wholename", "-lname", "-regex", "-iregex":
			all = append(all, args[i+1])
		}
	}
	return all
}
