package rules

import (
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// LatestTag finds images that are asked for without saying which version.
var LatestTag = &lint.Rule{
	Name:     "LatestTag",
	Aliases:  []string{"DL3006", "DL3007"},
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "Image has no version: no tag, or latest",
		Why: `A reference without a tag means "latest", which is only the name of what was pushed last. Two builds of the same
Dockerfile get two different images, with nothing in the Dockerfile that shows when it changed, and a new major version
arrives without being asked for. Name the version that the build is made for, or pin a digest.

The rule looks at FROM, COPY --from and RUN --mount=from, and at the defaults of ARGs in them. It is silent about a
reference with a digest, about stages, named contexts, what only a build argument decides, and distroless images, whose
version is in their name.`,
		Bad:  file("FROM python\nCOPY . /app\n"),
		Good: file("FROM python:3.13-slim\nCOPY . /app\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, r := range imageRefs(p) {
			if r.digest() != "" || versionedName(r.named.Name()) {
				continue
			}
			switch r.tag() {
			case "":
				p.Report(lint.Diagnostic{Span: r.span, Alias: "DL3006", Message: fmt.Sprintf("%s has no tag, so a build takes whatever \"latest\" is on that day", r.ref)})
			case "latest":
				p.Report(lint.Diagnostic{Span: r.span, Alias: "DL3007", Message: fmt.Sprintf("%s is whatever was pushed last on the day of the build", r.ref)})
			}
		}
		return nil
	},
}

// versionedName reports a repository that has its version in its name and tags
// only variants: gcr.io/distroless/static-debian12.
func versionedName(name string) bool {
	return strings.HasPrefix(name, "gcr.io/distroless/") && strings.Contains(name, "-debian")
}
