package lint

import (
	"bytes"
	"slices"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/report"
)

// unknownBase starts a stage of whose base image nothing can be known: no host
// has a name below "invalid" (RFC 2606).
const unknownBase = "FROM part.invalid/of:a-dockerfile"

// fragment is a part of a Dockerfile, made whole by a FROM behind its parser
// directives.
type fragment struct {
	part, whole []byte
	from        edit.Span // the added line in whole; empty where the part has a FROM
}

func newFragment(name string, part []byte) fragment {
	whole := fragment{part: part, whole: part}
	file, err := dockerfile.Parse(name, part)
	if err != nil || len(file.Stages) > 0 || len(file.Instructions) == 0 {
		return whole // as it is; what is wrong with it is said there
	}
	line, at := unknownBase+file.Newline, file.LineStart(0)
	if n := len(file.Directives); n > 0 {
		at = file.WholeLines(file.Directives[n-1].Span).End
	}
	whole.from = edit.Span{Start: at, End: at + len(line)}
	whole.whole = slices.Concat(part[:at], []byte(line), part[at:])
	return whole
}

// place puts what was found in the whole at its place in the part. What is said
// of the added line isn't the part's.
func (p fragment) place(f *report.File) {
	if p.from.Start == p.from.End {
		return
	}
	f.Src = p.part
	first := 1 + bytes.Count(p.part[:p.from.Start], []byte("\n"))
	for i := range f.Problems {
		if f.Problems[i].Line > first {
			f.Problems[i].Line--
		}
	}
	f.Findings = slices.DeleteFunc(f.Findings, func(d engine.Diagnostic) bool { return p.added(d.Span) })
	for i := range f.Findings {
		d := &f.Findings[i]
		d.Span = p.span(d.Span)
		if d.Fix == nil {
			continue
		}
		if slices.ContainsFunc(d.Fix.Edits, func(e edit.Edit) bool { return p.added(e.Span) }) {
			d.Fix = nil
			continue
		}
		fix := *d.Fix
		fix.Edits = slices.Clone(fix.Edits)
		for j := range fix.Edits {
			fix.Edits[j].Span = p.span(fix.Edits[j].Span)
		}
		d.Fix = &fix
	}
}

// added reports a span that starts in the added line.
func (p fragment) added(s edit.Span) bool { return s.Start >= p.from.Start && s.Start < p.from.End }

func (p fragment) span(s edit.Span) edit.Span {
	return edit.Span{Start: p.offset(s.Start), End: p.offset(s.End)}
}

func (p fragment) offset(at int) int {
	if at >= p.from.End {
		return at - (p.from.End - p.from.Start)
	}
	return min(at, p.from.Start)
}
