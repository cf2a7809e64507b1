package rules

import (
	"fmt"
	"slices"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// PlatformMissing finds images that aren't there for the platform of the build.
var PlatformMissing = &lint.Rule{
	Name:     "PlatformMissing",
	Severity: lint.Error,
	Doc: lint.Doc{
		Title: "There is no such image for the platform of the build",
		Why: `A build for several platforms needs each of its base images for each of them. Where the index of one lists no image for
a platform, the build for that platform fails, often minutes after the others began. The rule asks the registry which
platforms there are, for the platform of --platform, of a bake file's target, or of FROM itself. Where an image can do
its work on another platform, as a compiler can that knows how to cross-compile, FROM --platform=$BUILDPLATFORM is a way out.`,
		Bad: lint.Example{
			Dockerfile: "FROM --platform=linux/riscv64 example/tool:1\n",
			Registry: map[string]string{
				"example/tool:1": `{"digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222", "index": true, "lacking": true,
					"platforms": [{"platform": "linux/amd64"}, {"platform": "linux/arm64"}]}`,
			},
		},
		Good: lint.Example{
			Dockerfile: "FROM --platform=linux/arm64 example/tool:1\n",
			Registry: map[string]string{
				"example/tool:1": `{"digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222", "index": true,
					"platforms": [{"platform": "linux/amd64"}, {"platform": "linux/arm64"}]}`,
			},
		},
	},
	Run: func(p *lint.Pass) error {
		needed := p.File.NeededWith(p.Facts.Target, p.Facts.Args)
		var built []edit.Span
		for _, st := range p.File.Stages {
			if needed[st] {
				built = append(built, st.From.Span)
				for _, in := range st.Instructions {
					built = append(built, in.Span)
				}
			}
		}
		for _, r := range imageRefs(p) {
			if r.platform == "" || !slices.ContainsFunc(built, func(s edit.Span) bool { return s.Start <= r.span.Start && r.span.End <= s.End }) {
				continue
			}
			m, err := offered(p, r.ref, r.platform)
			if err != nil || !m.Lacking || len(m.Platforms) == 0 {
				continue
			}
			p.Report(lint.Diagnostic{
				Span:     r.span,
				Message:  fmt.Sprintf("%s is not there for %s, so that the build for it fails", r.ref, r.platform),
				Evidence: []lint.Evidence{{What: "the registry", Says: m.Digest + " lists " + platformsOf(m)}},
			})
		}
		return nil
	},
}
