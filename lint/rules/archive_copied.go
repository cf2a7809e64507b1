package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// ArchiveCopied finds archives that are copied into a layer to be unpacked in
// the next.
var ArchiveCopied = &lint.Rule{
	Name:     "ArchiveCopied",
	Aliases:  []string{"DL3010"},
	Severity: lint.Info,
	Doc: lint.Doc{
		Title: "Archive is copied into the image and unpacked there",
		Why: `The layer of the COPY holds the archive for good, beside the layer with its files, and needs tar in the image. ADD
unpacks an archive of the build context as it copies it, and leaves nothing of it behind.`,
		Bad:  file("FROM debian:bookworm-slim\nCOPY app.tar.gz /tmp/\nRUN tar xzf /tmp/app.tar.gz -C /opt && rm /tmp/app.tar.gz\n"),
		Good: file("FROM debian:bookworm-slim\nADD app.tar.gz /opt/\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			c, ok := in.Command.(*instructions.CopyCommand)
			if !ok || c.From != "" || in.Stage == nil {
				continue
			}
			for _, source := range c.SourcePaths {
				if name := path.Base(source); unpackable(name) && unpackedLater(in, name, c) {
					p.Report(lint.Diagnostic{Span: in.Span, Message: fmt.Sprintf("%s stays in this layer when a later RUN unpacks it: ADD unpacks it right away", name)})
				}
			}
		}
		return nil
	},
}

func unpackable(name string) bool {
	return slices.ContainsFunc(archives, func(end string) bool {
		return (strings.Contains(end, ".t")) && strings.HasSuffix(strings.ToLower(name), end)
	})
}

// unpackedLater reports that a RUN of the stage hands the archive to tar.
func unpackedLater(in *dockerfile.Instruction, name string, c *instructions.CopyCommand) bool {
	if dest := path.Base(c.DestPath); unpackable(dest) {
		name = dest
	}
	runs, _ := runScripts(in.Stage)
	for _, r := range runs {
		if r.in.Span.Start < in.Span.Start {
			continue
		}
		for _, cmd := range r.script.Commands() {
			if cmd.Name() == "tar" && (strings.Contains(words(cmd), "x") || strings.Contains(words(cmd), "--extract")) && strings.Contains(words(cmd), name) {
				return true
			}
		}
	}
	return false
}
