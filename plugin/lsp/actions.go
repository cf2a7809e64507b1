package lsp

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/plugin/lint"
)

// Kinds of code actions.
const (
	quickFix = "quickfix"
	fixAll   = "source.fixAll.imgmgr"
)

// codeAction offers the fixes of what was found in a range, a comment that
// keeps each finding quiet, and, where it is asked for, all safe fixes at once.
func (s *server) codeAction(ctx context.Context, p codeActionParams) ([]codeAction, error) {
	c, err := s.check(ctx, p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	out := []codeAction{}
	if asked(p.Context.Only, quickFix) {
		out = append(out, s.quickFixes(c, c.text.bytes(p.Range))...)
	}
	// An editor that asks for nothing in particular shows a menu, where a fix
	// of all stands behind that of one.
	if asked(p.Context.Only, fixAll) && (len(p.Context.Only) > 0 || len(out) > 0) {
		all, err := s.fixAll(ctx, c)
		if err != nil {
			return nil, err
		}
		out = append(out, all...)
	}
	return out, nil
}

// asked reports whether a kind is among those that are asked for, which stand
// for all below them. Without any, all are.
func asked(only []string, kind string) bool {
	return len(only) == 0 || slices.ContainsFunc(only, func(o string) bool {
		return o == "" || o == kind || strings.HasPrefix(kind, o+".")
	})
}

func (s *server) quickFixes(c *checked, at edit.Span) []codeAction {
	var fixes, quiet []codeAction
	// It parsed before: there is a finding.
	file, err := dockerfile.Parse(c.report.Path, c.text.src)
	for _, f := range c.report.Findings {
		place := c.shown(f.Span)
		if at.Start > place.End || place.Start > at.End {
			continue
		}
		about := []diagnostic{s.diagnostic(c, f)}
		if f.Fix != nil && f.Fix.Safety > engine.None {
			title := f.Fix.Message
			if f.Fix.Safety == engine.Unsafe {
				title += " (unsafe)"
			}
			if change, ok := s.change(c, f.Fix); ok {
				fixes = append(fixes, codeAction{Title: title, Kind: quickFix, Diagnostics: about, Preferred: f.Fix.Safety >= engine.Safe, Edit: change})
			}
		}
		if err != nil {
			continue
		}
		if in := file.At(f.Start); in != nil {
			quiet = append(quiet, codeAction{
				Title: fmt.Sprintf("Ignore %s for this instruction", f.Rule), Kind: quickFix, Diagnostics: about,
				Edit: s.edit(c, []edit.Edit{ignore(file, in, f.Rule)}),
			})
		}
	}
	return append(fixes, quiet...)
}

// ignore puts an ignore comment above an instruction, with its indentation.
func ignore(file *dockerfile.File, in *dockerfile.Instruction, rule string) edit.Edit {
	start := file.LineStart(in.Span.Start)
	indent := file.Src[start:in.Span.Start]
	newline := "\n"
	if bytes.Contains(file.Src, []byte("\r\n")) {
		newline = "\r\n"
	}
	return edit.Edit{Span: edit.Span{Start: start, End: start}, New: string(indent) + "# imgmgr ignore=" + rule + newline}
}

// fixAll is what `lint --fix` would do to the text, and to the ignore list of its
// build context where the editor can change that.
func (s *server) fixAll(ctx context.Context, c *checked) ([]codeAction, error) {
	if !slices.ContainsFunc(c.report.Findings, func(f engine.Diagnostic) bool { return f.Fix != nil && f.Fix.Safety >= engine.Safe }) {
		return nil, nil
	}
	fixed, err := lint.Rewrite(ctx, s.options, c.report.Path, c.text.src, engine.Safe)
	if err != nil {
		return nil, err
	}
	var all workspaceEdit
	if len(fixed.Applied) > 0 {
		all = s.edit(c, []edit.Edit{difference(c.text.src, fixed.Src)})
	}
	change, listed := s.ignoring(c, fixed.IgnoreLines())
	if listed {
		all.add(change)
	}
	if len(fixed.Applied) == 0 && !listed {
		return nil, nil
	}
	return []codeAction{{Title: "Fix all that imgmgr can fix safely", Kind: fixAll, Edit: all}}, nil
}

// difference is one edit of whole lines that leads from a to b. It leaves alone
// what both have in common above and below, and so the cursor there.
func difference(a, b []byte) edit.Edit {
	was, is := slices.Collect(bytes.Lines(a)), slices.Collect(bytes.Lines(b))
	start, end := 0, len(a)
	for len(was) > 0 && len(is) > 0 && bytes.Equal(was[0], is[0]) {
		start += len(was[0])
		was, is = was[1:], is[1:]
	}
	for len(was) > 0 && len(is) > 0 && bytes.Equal(was[len(was)-1], is[len(is)-1]) {
		end -= len(was[len(was)-1])
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	return edit.Edit{Span: edit.Span{Start: start, End: end}, New: string(bytes.Join(is, nil))}
}

// edit puts edits of a text into the form that the editor understands. With the
// version, one that has changed the text since refuses them.
func (s *server) edit(c *checked, edits []edit.Edit) workspaceEdit {
	changes := make([]textEdit, len(edits))
	for i, e := range edits {
		changes[i] = textEdit{c.text.span(e.Span), e.New}
	}
	return s.workspaceEdit(c.document.uri, &c.version, changes)
}

func (s *server) workspaceEdit(uri string, version *int, changes []textEdit) workspaceEdit {
	if s.versionedEdits {
		return workspaceEdit{DocumentChanges: []any{documentEdit{optionalVersion{uri, version}, changes}}}
	}
	return workspaceEdit{Changes: map[string][]textEdit{uri: changes}}
}

// change is what a fix does, to the document or to the ignore list of its build
// context. ok is false where it can't be done.
func (s *server) change(c *checked, fix *engine.Fix) (change workspaceEdit, ok bool) {
	if len(fix.Ignore) == 0 {
		return s.edit(c, fix.Edits), true
	}
	return s.ignoring(c, fix.Ignore)
}

// ignoring adds lines to the ignore list of the document's build context. ok is
// false where the editor can't make the list, the document has none, or there is
// nothing to add.
func (s *server) ignoring(c *checked, lines []string) (change workspaceEdit, ok bool) {
	if len(lines) == 0 {
		return change, false
	}
	list, ok := lint.IgnoreListOf(s.options, c.report.Path, c.text.src)
	if !ok || list.Text == nil && !(s.versionedEdits && s.createsFiles) {
		return change, false
	}
	text := newText(list.Text)
	end := edit.Span{Start: len(list.Text), End: len(list.Text)}
	change = s.workspaceEdit(uri(list.Path), nil, []textEdit{{text.span(end), list.Added(lines)}})
	if list.Text == nil {
		change.DocumentChanges = slices.Insert(change.DocumentChanges, 0, any(createFile{"create", uri(list.Path), createOptions{true}}))
	}
	return change, true
}
