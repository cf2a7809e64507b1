package rules

import (
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// IgnoreWithoutReason finds ignore comments that don't say why.
var IgnoreWithoutReason = &lint.Rule{
	Name:     "IgnoreWithoutReason",
	Severity: lint.Warning,
	Profile:  lint.All,
	Doc: lint.Doc{
		Title: "An ignore comment gives no reason",
		Why: `Whoever reads the file a year later can't tell a decision from an accident, and so nobody dares to take the comment
away. The reason stands in the same line, behind a second "#". BuildKit's own "# check=skip=…" has no room for one.

Only the profile all asks for reasons; a configuration can turn the rule on by its name.`,
		Bad:  file("FROM alpine:3.20\n# imgmgr ignore=UnpinnedPackage\nRUN apk add --no-cache curl\n"),
		Good: file("FROM alpine:3.20\n# imgmgr ignore=UnpinnedPackage # the image is rebuilt every night\nRUN apk add --no-cache curl\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, ig := range p.Ignores() {
			if ig.Owner != "check" && ig.Reason == "" {
				p.Report(lint.Diagnostic{Span: ig.Span, Message: fmt.Sprintf("this comment doesn't say why it keeps quiet about %s: add \"# REASON\"", strings.Join(ig.Names, ", "))})
			}
		}
		return nil
	},
}
