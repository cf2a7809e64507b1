package rules

import (
	"fmt"
	"maps"
	"slices"

	"github.com/imgmgr/imgmgr/lint"
)

// LabelMissing finds images without a label that the team asks for.
var LabelMissing = &lint.Rule{
	Name:     "LabelMissing",
	Aliases:  []string{"DL3049"},
	Severity: lint.Info,
	Doc: lint.Doc{
		Title: "A label that every image is to have is missing",
		Why: `A team that finds its images by owner, service or version needs every image to say them. The rule speaks where the
configuration names labels: "labels" in .imgmgr.yaml, or "label-schema" in .hadolint.yaml.`,
		Bad:  lint.Example{Dockerfile: "FROM alpine:3.20\n", Config: "labels:\n  maintainer: email\n"},
		Good: lint.Example{Dockerfile: "FROM alpine:3.20\nLABEL maintainer=\"team@example.com\"\n", Config: "labels:\n  maintainer: email\n"},
	},
	Run: func(p *lint.Pass) error {
		set, final := finalLabels(p)
		if final == nil {
			return nil
		}
		for _, key := range slices.Sorted(maps.Keys(p.Config().Labels)) {
			if !set[key] {
				p.Report(lint.Diagnostic{Span: nameSpan(final), Message: fmt.Sprintf("the image is to have the label %s", key)})
			}
		}
		return nil
	},
}
