package rules

import (
	"fmt"
	"strings"
	"time"

	"github.com/distribution/reference"

	"github.com/imgmgr/imgmgr/lint"
)

// BaseImageEndOfLife finds images of releases that get no security updates any
// more.
var BaseImageEndOfLife = &lint.Rule{
	Name:     "BaseImageEndOfLife",
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "Image is of a release that gets no more security updates",
		Why: `A release that has ended gets no fixes: each flaw that is found from then on stays in the image, and after a while the
package servers let go of it, so that apt-get update fails. The rule knows the dates of Debian (LTS included), Ubuntu,
Alpine, CentOS, Node.js, Python, Ruby, PHP, Go and .NET, and reads tags as the official images write them: of
node:14-buster both node and Debian are over. An image that a tag outlived is no better for being pinned by digest.`,
		Bad:  lint.Example{Dockerfile: "FROM node:14-bookworm-slim\n", Today: "2026-01-01"},
		Good: lint.Example{Dockerfile: "FROM node:24-bookworm-slim\n", Today: "2026-01-01"},
	},
	Run: func(p *lint.Pass) error {
		if p.Facts.Today.IsZero() {
			return nil
		}
		today := p.Facts.Today.Format(time.DateOnly)
		for _, r := range imageRefs(p) {
			var ended []string
			for _, line := range releasesOf(repository(r.named), r.tag()) {
				if line.end < today {
					ended = append(ended, fmt.Sprintf("%s %s since %s", line.product, line.version, line.end))
				}
			}
			if len(ended) > 0 {
				p.Report(lint.Diagnostic{Span: r.span, Message: fmt.Sprintf("%s gets no security updates: %s", r.ref, strings.Join(ended, ", "))})
			}
		}
		return nil
	},
}

// repository is an image's short name; the official images are also there below
// a name for each architecture.
func repository(named reference.Named) string {
	name := reference.FamiliarName(named)
	switch of, rest, _ := strings.Cut(name, "/"); of {
	case "amd64", "arm32v5", "arm32v6", "arm32v7", "arm64v8", "i386", "mips64le", "ppc64le", "riscv64", "s390x":
		return rest
	}
	return name
}
