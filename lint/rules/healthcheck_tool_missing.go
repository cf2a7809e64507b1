package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// HealthcheckToolMissing finds health checks with a program that the image
// hasn't got.
var HealthcheckToolMissing = &lint.Rule{
	Name:     "HealthcheckToolMissing",
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "HEALTHCHECK calls a program that the image lacks",
		Why: `A health check runs in the container. Where its program isn't there, every check fails, and an orchestrator restarts
a service that is well. Alpine has wget and no curl, Debian's slim images have neither, and scratch and distroless
images have no shell either.

The rule knows these official images and those that are made of them, and looks for the program's name in what the final
stage runs and copies.`,
		Bad:  file("FROM node:22-alpine\nHEALTHCHECK CMD curl -f http://localhost:3000/ || exit 1\nCMD [\"node\", \"server.js\"]\n"),
		Good: file("FROM node:22-alpine\nHEALTHCHECK CMD wget -qO /dev/null http://localhost:3000/ || exit 1\nCMD [\"node\", \"server.js\"]\n"),
	},
	Run: func(p *lint.Pass) error {
		final := p.File.Final(p.Facts.Target)
		if final == nil {
			return nil
		}
		base, ok := p.File.BaseRef(origin(final), p.Facts.Args)
		if !ok {
			return nil
		}
		for _, st := range final.Lineage() {
			for _, in := range st.Instructions {
				if in.Name != "HEALTHCHECK" {
					continue
				}
				for _, tool := range []string{"curl", "wget"} {
					if calls(in, tool) && lacks(base, tool) && !brings(final, in, tool) {
						p.Report(lint.Diagnostic{Span: in.Span, Message: fmt.Sprintf("the health check calls %s, which %s doesn't have and no step installs: every check fails", tool, base)})
					}
				}
			}
		}
		return nil
	},
}

// calls reports that the health check's command starts with the program.
func calls(in *dockerfile.Instruction, tool string) bool {
	if len(in.Args) < 2 {
		return false
	}
	return slices.Contains(strings.Fields(in.Args[1].Value), tool)
}

// lacks reports that an official image is known not to have the program
// (alpine: busybox has wget; debian and ubuntu: neither in the images without
// buildpack-deps; hub.docker.com/_/node, python, ruby, golang for their tags).
func lacks(ref, tool string) bool {
	name, tag, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(ref, "docker.io/"), "library/"), ":")
	tag, _, _ = strings.Cut(tag, "@")
	alpine := name == "alpine" || strings.Contains(tag, "alpine")
	slim := name == "debian" || name == "ubuntu" || strings.Contains(tag, "slim")
	switch name {
	case "alpine", "debian", "ubuntu", "node", "python", "ruby", "golang", "rust", "openjdk", "eclipse-temurin":
	case "scratch":
		return true
	default:
		return strings.HasPrefix(name, "gcr.io/distroless/") && !strings.Contains(tag, "debug")
	}
	return alpine && tool == "curl" && name != "eclipse-temurin" || slim && !alpine && name != "eclipse-temurin"
}

// brings reports that a step of the final image mentions the program, or is one
// that isn't known to leave it out.
func brings(final *dockerfile.Stage, check *dockerfile.Instruction, tool string) bool {
	for _, st := range final.Lineage() {
		for _, in := range st.Instructions {
			switch in.Name {
			case "RUN", "COPY", "ADD":
				text := in.Span.Of(st.File.Src)
				if in != check && (strings.Contains(text, tool) || strings.Contains(text, "playwright") || strings.Contains(text, ".sh")) {
					return true
				}
			}
		}
	}
	return false
}
