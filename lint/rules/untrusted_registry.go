package rules

import (
	"fmt"
	"path"
	"slices"

	"github.com/distribution/reference"

	"github.com/imgmgr/imgmgr/lint"
)

// UntrustedRegistry finds images of registries that aren't on the team's list.
var UntrustedRegistry = &lint.Rule{
	Name:     "UntrustedRegistry",
	Aliases:  []string{"DL3026"},
	Severity: lint.Error,
	Doc: lint.Doc{
		Title: "Image is from a registry that isn't trusted",
		Why: `What an image is built from runs in the build and in production. The rule looks at FROM, COPY --from and
RUN --mount=from, and speaks where the configuration has a list of registries: "registries" in .imgmgr.yaml or
"trustedRegistries" in .hadolint.yaml. "*" in it stands for any characters, and an image without a host is docker.io's.`,
		Bad:  lint.Example{Dockerfile: "FROM somewhere.example.net/alpine:3.20\n", Config: "registries:\n  - \"*.example.com\"\n"},
		Good: lint.Example{Dockerfile: "FROM registry.example.com/alpine:3.20\n", Config: "registries:\n  - \"*.example.com\"\n"},
	},
	Run: func(p *lint.Pass) error {
		trusted := p.Config().Registries
		if trusted == nil {
			return nil
		}
		for _, r := range imageRefs(p) {
			host := reference.Domain(r.named)
			if !slices.ContainsFunc(trusted, func(pattern string) bool {
				ok, err := path.Match(pattern, host)
				return err == nil && ok || host == "docker.io" && pattern == "hub.docker.com"
			}) {
				p.Report(lint.Diagnostic{Span: r.span, Message: fmt.Sprintf("%s is from %s, which is none of the trusted registries", r.ref, host)})
			}
		}
		return nil
	},
}
