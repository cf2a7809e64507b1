package rules

import (
	"fmt"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
)

// FilesystemCopied finds stages that are copied whole.
var FilesystemCopied = &lint.Rule{
	Name:     "FilesystemCopied",
	Aliases:  []string{"DL3067"},
	Severity: lint.Warning,
	Profile:  lint.Strict,
	Doc: lint.Doc{
		Title: "Whole file system of another stage is copied",
		Why: `COPY --from=build / / takes the compilers, caches and secrets of the other stage along, and all of it on top of what
the base image has of the same. Copy what the image needs. On top of scratch the same line makes one layer out of many,
which is a thing that can be wanted; the rule is silent there and in build stages, except in the profiles all and hadolint.`,
		Bad:  file("FROM golang:1.26 AS build\nRUN go build -o /app .\nFROM alpine:3.20\nCOPY --from=build / /\n"),
		Good: file("FROM golang:1.26 AS build\nRUN go build -o /app .\nFROM alpine:3.20\nCOPY --from=build /app /app\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			c, ok := in.Command.(*instructions.CopyCommand)
			if !ok || c.From == "" || in.Stage == nil || !asHadolint(p) && (!inFinal(p, in) || in.Stage.External() == "scratch") {
				continue
			}
			for _, source := range c.SourcePaths {
				if source == "/" || source == "/." || source == "/*" || source == "." || source == "./" {
					p.Report(lint.Diagnostic{Span: in.Span, Message: fmt.Sprintf("this copies the whole file system of %s: name what the image needs", c.From)})
				}
			}
		}
		return nil
	},
}
