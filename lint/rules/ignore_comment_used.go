package rules

import (
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// IgnoreCommentUsed finds comments that keep rules quiet.
var IgnoreCommentUsed = &lint.Rule{
	Name:     "IgnoreCommentUsed",
	Aliases:  []string{"DL1001"},
	Severity: lint.Info,
	Profile:  lint.All,
	Doc: lint.Doc{
		Title: "A comment keeps rules quiet",
		Why: `Some teams want what is let pass to be in one place, the configuration, where it is reviewed. Only the profile all
speaks of it; a configuration can turn it on by its name.`,
		Bad:  file("FROM alpine:3.20\n# hadolint ignore=DL3018\nRUN apk add --no-cache curl\n"),
		Good: file("FROM alpine:3.20\nRUN apk add --no-cache curl\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range p.File.Comments {
			if names, _ := lint.IgnoreComment(c.Text); names != nil {
				p.Report(lint.Diagnostic{Span: c.Span, Message: fmt.Sprintf("this comment keeps quiet about %s", strings.Join(names, ", "))})
			}
		}
		return nil
	},
}
