package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// CacheBypassed finds words of commands that keep a tool from using its cache.
var CacheBypassed = &lint.Rule{
	Name:     "CacheBypassed",
	Severity: lint.Info,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "An option keeps the tool from using its cache",
		Why: `The tool has a cache, and is told to do without it. go build -a compiles everything again, the standard library too, with a full cache beside it. It was needed before Go 1.10,
whose caches went by the time of files; today's go by content, and the result is the same. pip's --no-cache-dir and its
like are right in a step without a cache mount; with one at the tool's cache they leave it unused.

The rule looks through make where the build context's Makefile tells what that runs. It is a warning where the step
has a cache mount, which is then for nothing.`,
		Bad:  file("FROM golang:1.26 AS build\nWORKDIR /src\nCOPY . .\nRUN --mount=type=cache,target=/root/.cache/go-build CGO_ENABLED=0 go build -a -o /app .\n"),
		Good: file("FROM golang:1.26 AS build\nWORKDIR /src\nCOPY . .\nRUN --mount=type=cache,target=/root/.cache/go-build CGO_ENABLED=0 go build -o /app .\n"),
	},
	Run: func(p *lint.Pass) error {
		all := newSteps(p)
		for _, s := range all.list {
			if s.opaque || s.in.Err != nil {
				continue
			}
			for i := range s.uses {
				all.bypassed(s, i)
			}
		}
		return nil
	},
}

// bypassed reports the step's i-th command where it does without its cache.
func (all *steps) bypassed(s *step, i int) {
	u := s.uses[i]
	if u == nil {
		return
	}
	for _, c := range u.Tool.Caches(u, s.env(i)) {
		m := all.mounted(s, c.Path)
		cached := m != nil && m.Kind == "cache"
		words := c.Defeats
		// Beside a mount of a part of it, the word keeps the rest out of the image.
		if off := cached && (c.Scratch == "" || within(m.Target, c.Scratch)); off {
			words = append(slices.Clone(words), slices.DeleteFunc(slices.Clone(c.Instead), ecosystem.Instead.Keeps)...)
		}
		if len(words) == 0 {
			continue
		}
		var names []string
		for _, w := range words {
			names = append(names, w.Word.Value)
		}
		made := ""
		if where := s.elsewhere[s.commands[i]]; where != "" {
			made = " in " + where
		}
		d := lint.Diagnostic{
			Span:    u.Command.Span,
			Message: fmt.Sprintf("%s%s makes %s do without its cache: it %s", listed(names), made, u.Title, c.Costs),
		}
		if cached {
			d.Severity = lint.Warning
			d.Message = fmt.Sprintf("%s%s makes %s leave the cache mount at %s unused: it %s", listed(names), made, u.Title, m.Target, c.Costs)
		}
		w := &want{use: u, cache: c}
		w.cache.Instead = words
		if edits := all.without(s, w); len(edits) > 0 {
			d.Fix = &lint.Fix{Message: instead(words), Safety: lint.Safe, Rewords: 1, Edits: edits}
			if doubt := cmp.Or(c.Guess, c.Doubt); doubt != "" && len(words) > len(c.Defeats) {
				d.Fix.Safety, d.Fix.Doubt = lint.Unsafe, doubt
			}
		}
		all.pass.Report(d)
		return
	}
}

// instead says what a fix does with the words.
func instead(words []ecosystem.Instead) string {
	var gone, says []string
	for _, w := range words {
		if w.New == "" {
			gone = append(gone, w.Word.Value)
		} else {
			says = append(says, "write "+w.New+" in the place of "+w.Word.Value)
		}
	}
	if len(gone) > 0 {
		says = append([]string{"leave out " + listed(gone)}, says...)
	}
	text := strings.Join(says, ", and ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// without are the edits that take the words out; none where they can't be: they
// stand in a Makefile, or behind something other than white space.
func (all *steps) without(s *step, w *want) []edit.Edit {
	if s.in.JSON || s.elsewhere[w.use.Command] != "" {
		return nil
	}
	for _, i := range w.cache.Instead {
		gap := all.pass.File.Text(all.gapBefore(w, i.Word))
		if gap == "" || strings.Trim(gap, " \t\r\n\\`") != "" {
			return nil
		}
	}
	return all.instead(w)
}
