package rules

import (
	"fmt"

	"github.com/imgmgr/imgmgr/lint"
)

// IgnoreUnused finds ignore comments that keep nothing quiet.
var IgnoreUnused = &lint.Rule{
	Name:     "IgnoreUnused",
	Severity: lint.Info,
	Last:     true,
	Doc: lint.Doc{
		Title: "An ignore comment keeps nothing quiet",
		Why: `What it was written for has been repaired, or it stands above the wrong instruction. Left in place, it hides the next
mistake of that kind. Only names of rules that were checked are judged, and only comments that start with "# imgmgr":
those of hadolint and of BuildKit may be for them.`,
		Bad:  file("FROM alpine:3.20\n# imgmgr ignore=LatestTag\nRUN true\n"),
		Good: file("# imgmgr ignore=LatestTag # always the newest\nFROM alpine:latest\nRUN true\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, ig := range p.Ignores() {
			for _, name := range ig.Names {
				if ig.Owner == "imgmgr" && ig.Spoken[name] && !ig.Used[name] {
					p.Report(lint.Diagnostic{Span: ig.Span, Message: fmt.Sprintf("there is nothing that this comment keeps quiet about %s: take the name out", name)})
				}
			}
		}
		return nil
	},
}
