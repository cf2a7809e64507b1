package rules

import (
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// VersionTakenForRedirect finds versions that the shell reads as the name of a
// file.
var VersionTakenForRedirect = &lint.Rule{
	Name:     "VersionTakenForRedirect",
	Severity: lint.Error,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "The shell takes a version for the name of a file",
		Why: `In pip install flask>=3 the shell reads a redirection: it installs flask in any version, and writes pip's output to a
file named "=3". Nothing fails, and the log of the step is empty. Quotes keep the requirement together.`,
		Bad:  file("FROM python:3.13-slim\nRUN pip install flask>=3.0\n"),
		Good: file("FROM python:3.13-slim\nRUN pip install \"flask>=3.0\"\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			for _, r := range c.Redirects {
				word, ok := cutWord(p, c, r)
				if !ok {
					continue
				}
				whole := edit.Span{Start: word.Span.Start, End: r.Path.Span.End}
				text := word.Raw + r.Op + r.Path.Raw
				p.Report(lint.Diagnostic{
					Span:    whole,
					Message: fmt.Sprintf("the shell reads %s as %s with its output written to a file named %q: quote it", text, word.Raw, r.Path.Value),
					Fix: &lint.Fix{Message: "Quote the requirement", Safety: lint.Unsafe, Edits: []edit.Edit{
						{Span: edit.Span{Start: whole.Start, End: whole.Start}, New: `"`},
						{Span: edit.Span{Start: whole.End, End: whole.End}, New: `"`},
					}},
				})
			}
		}
		return nil
	},
}

// cutWord is the word that a redirection follows without white space, where
// what is redirected to begins like a version.
func cutWord(p *lint.Pass, c ran, r shell.Redirect) (shell.Word, bool) {
	if r.Op != ">" || !strings.HasPrefix(r.Path.Raw, "=") || strings.ContainsAny(r.Path.Raw, "\"'\\\r") {
		return shell.Word{}, false
	}
	for _, w := range c.Args() {
		if w.Span.End == r.Path.Span.Start-len(r.Op) && w.Literal && w.Raw == w.Value && w.Span.Of(p.File.Src) == w.Raw {
			return w, true
		}
	}
	return shell.Word{}, false
}
