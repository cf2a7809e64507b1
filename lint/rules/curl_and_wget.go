package rules

import (
	"fmt"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// CurlAndWget finds stages that download with two programs.
var CurlAndWget = &lint.Rule{
	Name:     "CurlAndWget",
	Aliases:  []string{"DL4001"},
	Severity: lint.Info,
	Profile:  lint.Strict,
	Doc: lint.Doc{
		Title: "Both curl and wget are used",
		Why:   "They do the same, and each brings libraries of its own that are downloaded, shipped and patched. One of them is enough.",
		Bad:   file("FROM debian:bookworm-slim\nRUN curl -fsSLO https://example.com/a\nRUN wget -nv https://example.com/b\n"),
		Good:  file("FROM debian:bookworm-slim\nRUN curl -fsSLO https://example.com/a\nRUN curl -fsSLO https://example.com/b\n"),
	},
	Run: func(p *lint.Pass) error {
		first := map[*dockerfile.Stage]string{}
		for _, c := range commands(p) {
			name := c.Name()
			if name != "curl" && name != "wget" {
				continue
			}
			switch before := first[c.in.Stage]; before {
			case "":
				first[c.in.Stage] = name
			case name, "both":
			default:
				first[c.in.Stage] = "both"
				p.Report(lint.Diagnostic{Span: c.Span, Message: fmt.Sprintf("this stage downloads with %s above and with %s here: one of them is enough", before, name)})
			}
		}
		return nil
	},
}
