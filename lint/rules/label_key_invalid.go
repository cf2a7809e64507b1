package rules

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// LabelKeyInvalid finds keys that aren't written as Docker asks for.
var LabelKeyInvalid = &lint.Rule{
	Name:     "LabelKeyInvalid",
	Aliases:  []string{"DL3048"},
	Severity: lint.Info,
	Profile:  lint.Strict,
	Doc: lint.Doc{
		Title: "Label's key is not of the form that Docker asks for",
		Why: `Docker's guideline for labels (docs.docker.com, "Docker object labels"): a key begins and ends with a lower-case
letter or a digit, has only such letters, digits, single periods and hyphens in it, and doesn't begin with com.docker,
io.docker or org.dockerproject, which are Docker's own. Filters of tools compare keys letter for letter.`,
		Bad:  file("FROM alpine:3.20\nLABEL App__Owner=\"team\"\n"),
		Good: file("FROM alpine:3.20\nLABEL com.example.app-owner=\"team\"\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, st := range p.File.Stages {
			for _, l := range labels(st) {
				switch {
				case strings.Contains(l.key, "$"):
				case reservedLabel.MatchString(l.key):
					p.Report(lint.Diagnostic{Span: l.span, Message: fmt.Sprintf("label %s is in a name space of Docker's own", l.key)})
				case !labelKey.MatchString(l.key):
					p.Report(lint.Diagnostic{Span: l.span, Message: fmt.Sprintf("label %s has more in its key than lower-case letters, digits, and single periods and hyphens between them", l.key)})
				}
			}
		}
		return nil
	},
}

var (
	labelKey      = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`)
	reservedLabel = regexp.MustCompile(`^(com\.docker|io\.docker|org\.dockerproject)\.`)
)
