package rules

import (
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// CopyFromUnknown finds COPY --from with a name that no stage has.
var CopyFromUnknown = &lint.Rule{
	Name:     "CopyFromUnknown",
	Aliases:  []string{"DL3022"},
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "COPY --from names no stage, and no image with a tag",
		Why: `A name that no stage above has is taken for an image: a misspelt stage is pulled from Docker Hub, where anybody may
have an image of that name. An image is named with its tag or digest, so that it can't be meant for a stage; a named
context is one of the build's.`,
		Bad:  file("FROM golang:1.26 AS build\nRUN go build -o /app .\nFROM alpine:3.20\nCOPY --from=biuld /app /app\n"),
		Good: file("FROM golang:1.26 AS build\nRUN go build -o /app .\nFROM alpine:3.20\nCOPY --from=build /app /app\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			c, ok := in.Command.(*instructions.CopyCommand)
			if !ok || c.From == "" || strings.ContainsAny(c.From, ":/@.$") || isStage(p.File, c.From) {
				continue
			}
			if _, named := facts.Replacing(p.Facts.Named, c.From); named || c.From == "context" || c.From == "scratch" {
				continue
			}
			flag, _ := in.Flag("from")
			p.Report(lint.Diagnostic{Span: flag.Span, Message: fmt.Sprintf("no stage has the name %s, so the build pulls docker.io/library/%s:latest, unless it is given a context of that name", c.From, c.From)})
		}
		return nil
	},
}
