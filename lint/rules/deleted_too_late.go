package rules

import (
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// DeletedTooLate finds deletions that make the image larger.
var DeletedTooLate = &lint.Rule{
	Name:     "DeletedTooLate",
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "Files are deleted a layer after the COPY that brought them",
		Why: `A layer can't take anything out of those below it. A RUN that deletes what a COPY has brought hides the files and
adds a record for each: the image gets larger, and whoever pulls it still has them, secrets included. Leave them out of
the COPY (.dockerignore, --exclude), or delete them in the stage that they are copied from. A single file is only info.

Only the stages that the final image is made from count.`,
		Bad:  file("FROM node:22 AS build\nRUN make\nFROM node:22\nCOPY --from=build /app /app\nRUN rm -rf /app/test\n"),
		Good: file("FROM node:22 AS build\nRUN make && rm -rf /app/test\nFROM node:22\nCOPY --from=build /app /app\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			if !inFinal(p, c.in) || c.Conditional {
				continue
			}
			for _, target := range deletions(p, c) {
				if copied := broughtBy(p, c, target); copied != nil {
					what, them := target+" is", "it"
					if c.Name() == "find" {
						what, them = "files below "+target+" are", "them"
					}
					severity := lint.Warning
					if path.Ext(target) != "" {
						severity = lint.Info // one file
					}
					p.Report(lint.Diagnostic{Span: c.Span, Severity: severity, Message: fmt.Sprintf("%s deleted here, and the layer of %q still holds %s", what, firstLine(p, copied), them)})
					break
				}
			}
		}
		return nil
	},
}

// deletions are the absolute paths that the command deletes, or below which it
// deletes.
func deletions(p *lint.Pass, c ran) []string {
	finds := c.Name() == "find" && (strings.Contains(words(c.Command), " -delete ") || strings.Contains(words(c.Command), " -exec rm "))
	if c.Name() != "rm" && !finds {
		return nil
	}
	state := p.State(c.in)
	var list []string
	for _, w := range c.Args() {
		name := strings.TrimSuffix(w.Value, "/*")
		switch {
		case strings.HasPrefix(name, "-"):
			if finds {
				return list // the conditions follow
			}
			continue
		case name == "" || strings.ContainsAny(name, "*?[$~{"):
			continue
		case !path.IsAbs(name):
			if !state.WorkdirKnown || movesFolder(c.script) {
				continue
			}
			name = path.Join(state.Workdir, name)
		}
		list = append(list, path.Clean(name))
	}
	return list
}

func movesFolder(s *shell.Script) bool {
	for _, c := range s.Commands() {
		if c.Name() == "cd" || c.Name() == "pushd" {
			return true
		}
	}
	return false
}

// broughtBy is the COPY above the command that brings the path, or what lies
// below it, into a layer; nil where none is known to.
func broughtBy(p *lint.Pass, c ran, target string) *dockerfile.Instruction {
	for _, st := range c.in.Stage.Lineage() {
		for _, in := range st.Instructions {
			if st == c.in.Stage && in.Span.Start >= c.in.Span.Start {
				break
			}
			copied, ok := in.Command.(*instructions.CopyCommand)
			if !ok {
				continue
			}
			dest, known := p.Expand(in, unquote(copied.DestPath))
			state := p.State(in)
			switch {
			case !known || !path.IsAbs(dest) && !state.WorkdirKnown:
				continue
			case !path.IsAbs(dest):
				dest = keepSlash(path.Join(state.Workdir, dest), dest)
			}
			for _, source := range copied.SourcePaths {
				if copiedTo(p, copied, source, dest, target) {
					return in
				}
			}
		}
	}
	return nil
}

// firstLine is the first line of an instruction, without what continues it.
func firstLine(p *lint.Pass, in *dockerfile.Instruction) string {
	first, _, _ := strings.Cut(in.Span.Of(p.File.Src), "\n")
	return strings.TrimRight(first, " \t\r\\`")
}

func keepSlash(joined, dest string) string {
	if strings.HasSuffix(dest, "/") && joined != "/" {
		return joined + "/"
	}
	return joined
}

// copiedTo reports that copying source to dest makes target, or something below
// it. A folder's own content is known from the build context alone.
func copiedTo(p *lint.Pass, c *instructions.CopyCommand, source, dest, target string) bool {
	if strings.ContainsAny(source, "*?[$") {
		return false
	}
	place := path.Clean(dest)
	if strings.HasSuffix(dest, "/") && c.From == "" && path.Ext(source) != "" {
		place = path.Join(place, path.Base(source)) // a file into a folder
	}
	switch {
	case place == target, within(target, place) && target != "/":
		return true
	case !within(place, target) || place == "/":
		return false
	case c.From != "":
		// A folder of another stage is taken at the Dockerfile's word.
		return true
	}
	rel := strings.TrimPrefix(strings.TrimPrefix(target, place), "/")
	return inContext(p, path.Join(strings.TrimLeft(source, "/"), rel))
}
