package rules

import (
	"fmt"

	"github.com/imgmgr/imgmgr/lint"
)

// LabelNotAllowed finds labels that aren't among those of the team.
var LabelNotAllowed = &lint.Rule{
	Name:     "LabelNotAllowed",
	Aliases:  []string{"DL3050"},
	Severity: lint.Info,
	Doc: lint.Doc{
		Title: "A label that isn't among those that images may have",
		Why: `Where tools decide by labels, one that nobody knows is likely to be a misspelt one. The rule speaks where the
configuration names labels and allows no other: "labels-only" in .imgmgr.yaml, or "strict-labels" in .hadolint.yaml.`,
		Bad:  lint.Example{Dockerfile: "FROM alpine:3.20\nLABEL maintaner=\"team@example.com\"\n", Config: "labels-only: true\nlabels:\n  maintainer: email\n"},
		Good: lint.Example{Dockerfile: "FROM alpine:3.20\nLABEL maintainer=\"team@example.com\"\n", Config: "labels-only: true\nlabels:\n  maintainer: email\n"},
	},
	Run: func(p *lint.Pass) error {
		if !p.Config().LabelsOnly {
			return nil
		}
		for _, st := range p.File.Stages {
			for _, l := range labels(st) {
				if _, ok := p.Config().Labels[l.key]; !ok {
					p.Report(lint.Diagnostic{Span: l.span, Message: fmt.Sprintf("the configuration allows no label %s", l.key)})
				}
			}
		}
		return nil
	},
}
