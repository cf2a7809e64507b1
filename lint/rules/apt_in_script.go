package rules

import (
	"fmt"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// AptInScript finds apt where apt-get is meant.
var AptInScript = &lint.Rule{
	Name:     "AptInScript",
	Aliases:  []string{"DL3027"},
	Severity: lint.Info,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "apt in a script, which is made for people",
		Why: `apt(8) says of itself that it is for interactive use and may change its behaviour and its output from one version to
the next; "WARNING: apt does not have a stable CLI interface" is what a build prints. apt-get and apt-cache do the same
and keep their interface.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN apt update && apt install -y curl\n"),
		Good: file("FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y curl\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			if c.Name() != "apt" {
				continue
			}
			word := c.Words[0]
			d := lint.Diagnostic{Span: word.Span, Message: "apt has no stable interface for scripts: use apt-get or apt-cache"}
			if name := stableApt(c); name != "" && word.Raw == "apt" {
				d.Message = fmt.Sprintf("apt has no stable interface for scripts: %s has", name)
				d.Fix = &lint.Fix{Message: "Write " + name, Safety: lint.Safe, Edits: []edit.Edit{{Span: word.Span, New: name}}}
			}
			p.Report(d)
		}
		return nil
	},
}

// stableApt is the program that does the same as apt with these words, "" where
// none does.
func stableApt(c ran) string {
	for _, w := range c.Args() {
		if !w.Literal {
			return ""
		}
		switch w.Value {
		case "update", "install", "upgrade", "remove", "purge", "autoremove", "autopurge", "clean", "autoclean", "build-dep", "source", "download", "changelog":
			return "apt-get"
		case "search", "show", "policy", "depends", "rdepends":
			return "apt-cache"
		case "list", "edit-sources", "full-upgrade", "satisfy":
			return ""
		}
	}
	return ""
}
