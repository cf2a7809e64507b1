package rules

import (
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// ProgressInLog finds wget with its progress bar.
var ProgressInLog = &lint.Rule{
	Name:     "ProgressInLog",
	Aliases:  []string{"DL3047"},
	Severity: lint.Info,
	Profile:  lint.Strict,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "wget prints its progress into the build's log",
		Why: `Without a terminal wget prints a line for every 50 kB: thousands for a large file, between which the reason of a
failure is hard to find. -nv prints one line for the file, and errors.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN wget https://example.com/big.tar.gz\n"),
		Good: file("FROM debian:bookworm-slim\nRUN wget -nv https://example.com/big.tar.gz\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			if c.Name() != "wget" || len(c.Args()) == 0 || quietWget(c) {
				continue
			}
			d := lint.Diagnostic{Span: c.Span, Message: "wget prints its progress line by line into the log: -nv prints one line for the file"}
			if name := c.Words[0]; name.Raw == name.Value {
				d.Fix = &lint.Fix{Message: "Add -nv", Safety: lint.Safe, Edits: []edit.Edit{{Span: edit.Span{Start: name.Span.End, End: name.Span.End}, New: " -nv"}}}
			}
			p.Report(d)
		}
		return nil
	},
}

// quietWget reports an option that keeps the progress away, or words that may
// hold one.
func quietWget(c ran) bool {
	if c.has("-q", "--quiet", "-nv", "--no-verbose", "--progress", "-o", "--output-file", "-a", "--append-output", "--version", "--help", "--spider") {
		return true
	}
	for _, w := range c.Args() {
		v := w.Value
		if !w.Literal && strings.HasPrefix(v, "$") && !strings.Contains(v, "/") {
			return true
		}
		if len(v) > 2 && v[0] == '-' && v[1] != '-' && strings.Contains(v, "q") {
			return true // a cluster: -qO-
		}
	}
	return false
}
