package rules

import (
	"fmt"

	"github.com/imgmgr/imgmgr/lint"
)

// LabelValueInvalid finds labels whose value isn't what their key promises.
var LabelValueInvalid = &lint.Rule{
	Name:     "LabelValueInvalid",
	Aliases:  []string{"DL3051", "DL3052", "DL3053", "DL3054", "DL3055", "DL3056", "DL3058"},
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "Label's value is not of the kind that its key promises",
		Why: `Registries, scanners and bots read labels: they show the licence, link to the source and compare times. The keys
of the OCI image specification say what their values are (annotations.md): a time as in RFC 3339, an SPDX licence
expression, a URL. Others can be given a kind with "labels" in .imgmgr.yaml, or "label-schema" in .hadolint.yaml.

A value with a variable in it is left alone.`,
		Bad:  file("FROM alpine:3.20\nLABEL org.opencontainers.image.licenses=\"Apache 2\"\n"),
		Good: file("FROM alpine:3.20\nLABEL org.opencontainers.image.licenses=\"Apache-2.0\"\n"),
	},
	Run: func(p *lint.Pass) error {
		kinds := p.Config().Labels
		for _, st := range p.File.Stages {
			for _, l := range labels(st) {
				name, asked := kinds[l.key]
				if !asked {
					name = ociLabels[l.key]
				}
				kind, known := labelKinds[name]
				switch {
				case !l.known || name == "":
				case l.value == "" && asked:
					p.Report(lint.Diagnostic{Span: l.span, Alias: "DL3051", Message: fmt.Sprintf("label %s is empty", l.key)})
				case l.value == "" || !known:
				case !kind.is(l.value):
					alias := kind.code
					if !asked {
						alias = "LabelValueInvalid"
					}
					p.Report(lint.Diagnostic{Span: l.span, Alias: alias, Message: fmt.Sprintf("label %s is to be %s: %q is none", l.key, kind.what, l.value)})
				}
			}
		}
		return nil
	},
}

// ociLabels are the keys of the image specification whose values have a form
// (opencontainers/image-spec, annotations.md, "Pre-Defined Annotation Keys").
var ociLabels = map[string]string{
	"org.opencontainers.image.created":       "rfc3339",
	"org.opencontainers.image.licenses":      "spdx",
	"org.opencontainers.image.url":           "url",
	"org.opencontainers.image.documentation": "url",
	"org.opencontainers.image.source":        "url",
}
