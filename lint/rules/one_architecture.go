package rules

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// OneArchitecture finds downloads of programs for one processor.
var OneArchitecture = &lint.Rule{
	Name:     "OneArchitecture",
	Severity: lint.Info,
	Doc: lint.Doc{
		Title: "A download is for one processor architecture, whatever is built",
		Why: `On a machine with an ARM processor, or in a build for several platforms, "linux-amd64" in an address still brings the
program for amd64: the build succeeds, and the image fails with "exec format error", or runs it emulated. With
ARG TARGETARCH the address follows the platform of the build.

The rule is silent where the stage has a --platform or an image for one architecture, or the RUN chooses between several. Where the build is
known to be for another architecture, it is a warning.`,
		Bad:  file("FROM debian:bookworm-slim\nADD https://example.com/tool-linux-amd64 /usr/local/bin/tool\n"),
		Good: file("FROM debian:bookworm-slim\nARG TARGETARCH\nADD https://example.com/tool-linux-${TARGETARCH} /usr/local/bin/tool\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			if c, ok := in.Command.(*instructions.AddCommand); ok && in.Stage != nil && !fixedPlatform(in.Stage) {
				for _, source := range c.SourcePaths {
					reportArchitecture(p, in.Span, source)
				}
			}
		}
		for _, c := range commands(p) {
			if !downloads(c.Command) || fixedPlatform(c.in.Stage) || choosesArchitecture(c) || c.Conditional {
				continue
			}
			for _, w := range c.Args() {
				reportArchitecture(p, w.Span, w.Value)
			}
		}
		return nil
	},
}

// architecture matches the names of processors in a file's name, as Go, uname
// and Debian write them, as words of their own.
var architecture = regexp.MustCompile(`(?i)(?:^|[-_./])(amd64|x86_64|x64|arm64|aarch64)(?:$|[-_.])`)

// archImage matches references of images that are for one architecture.
var archImage = regexp.MustCompile(`amd64|x86_64|arm64|aarch64|arm32v[0-9]|i386|ppc64le|s390x`)

func reportArchitecture(p *lint.Pass, span edit.Span, address string) {
	if !strings.Contains(address, "://") || strings.HasSuffix(address, ".js") {
		return
	}
	found := architecture.FindStringSubmatch(path.Base(address))
	if found == nil {
		return
	}
	d := lint.Diagnostic{Span: span, Message: fmt.Sprintf("%s is for %s alone, whatever platform the image is built for", path.Base(address), found[1])}
	if _, built, ok := strings.Cut(p.Facts.Platform, "/"); ok {
		built, _, _ = strings.Cut(built, "/")
		if built == goArchitecture(found[1]) {
			return
		}
		d.Severity = lint.Warning
		d.Evidence = []lint.Evidence{{What: "the build", Says: "is for " + p.Facts.Platform}}
	}
	p.Report(d)
}

// goArchitecture is an architecture as platforms have it.
func goArchitecture(name string) string {
	switch strings.ToLower(name) {
	case "x86_64", "x64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return strings.ToLower(name)
}

// fixedPlatform reports a stage that is for one platform on purpose, or on the
// builder's own.
func fixedPlatform(st *dockerfile.Stage) bool {
	base := origin(st)
	return base.Platform != "" && base.Platform != "$TARGETPLATFORM" || slices.ContainsFunc(st.File.Stages, func(o *dockerfile.Stage) bool {
		return archImage.MatchString(o.Base)
	})
}

// choosesArchitecture reports a script that looks at the architecture.
func choosesArchitecture(c ran) bool {
	text := c.script.Text.String()
	return slices.ContainsFunc([]string{"TARGETARCH", "TARGETPLATFORM", "uname -m", "--print-architecture", "ARCH", "arch)"}, func(sign string) bool { return strings.Contains(text, sign) })
}
