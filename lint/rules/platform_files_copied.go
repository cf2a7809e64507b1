package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// PlatformFilesCopied finds packages that are installed on the builder's
// platform and copied into an image for another.
var PlatformFilesCopied = &lint.Rule{
	Name:     "PlatformFilesCopied",
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "Installed packages are copied from the builder's platform to the target's",
		Why: `A stage on $BUILDPLATFORM runs natively, whatever is built. Its node_modules, virtual environment or gems hold
programs that were compiled or chosen for the builder's processor. In an image for another platform they fail to load
("wrong ELF class", "Exec format error"), and nothing in the build says so. Sources, bundles and cross-compiled
programs may be copied; packages have to be installed in a stage without --platform.`,
		Bad:  file("FROM --platform=$BUILDPLATFORM node:22 AS deps\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nFROM node:22\nCOPY --from=deps /app/node_modules /app/node_modules\n"),
		Good: file("FROM node:22 AS deps\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nFROM node:22\nCOPY --from=deps /app/node_modules /app/node_modules\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			c, ok := in.Command.(*instructions.CopyCommand)
			if !ok || c.From == "" || in.Stage == nil || onBuilder(in.Stage) {
				continue
			}
			for _, from := range p.File.Sources(in) {
				if !onBuilder(from) || !installsPackages(p, from) {
					continue
				}
				for _, source := range c.SourcePaths {
					if kind := nativePackages(source); kind != "" {
						p.Report(lint.Diagnostic{Span: in.Span, Message: fmt.Sprintf("%s of stage %s was installed for $BUILDPLATFORM, and this stage is for the target's platform", kind, c.From)})
					}
				}
			}
		}
		return nil
	},
}

// onBuilder reports that the stage runs on the builder's own platform.
func onBuilder(st *dockerfile.Stage) bool {
	platform := origin(st).Platform
	return platform == "$BUILDPLATFORM" || platform == "${BUILDPLATFORM}"
}

// nativePackages names what a path holds, where that depends on the platform.
func nativePackages(source string) string {
	for _, part := range []string{"node_modules", "site-packages", "dist-packages", "venv", ".venv", "virtualenv", "vendor/bundle"} {
		if slices.Contains(strings.Split(strings.Trim(source, "/"), "/"), part) || strings.Contains(source, "/"+part) {
			return part
		}
	}
	return ""
}

// installsPackages reports that the stage, or one below it, installs packages
// for the platform that it runs on.
func installsPackages(p *lint.Pass, st *dockerfile.Stage) bool {
	return slices.ContainsFunc(installs(p), func(u install) bool {
		if !slices.Contains(st.Lineage(), u.in.Stage) {
			return false
		}
		text := words(u.Command)
		return !strings.Contains(text, " --cpu") && !strings.Contains(text, " --platform") && !strings.Contains(text, " --os")
	})
}
