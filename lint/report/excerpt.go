package report

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/lint/edit"
)

const (
	// spanLines is how many lines of a finding's place are shown.
	spanLines = 3
	// longLine is where lines are cropped when the width isn't known: some
	// files hold whole archives in one line.
	longLine = 200
)

// source is a text with its lines.
type source struct {
	text  []byte
	lines *edit.Lines
}

func newSource(text []byte) *source { return &source{text, edit.NewLines(text)} }

// line returns a line without its newline and the byte order mark, and where it
// starts.
func (s *source) line(n int) (text string, start int) {
	span := s.lines.Span(n)
	line := bytes.TrimSuffix(bytes.TrimSuffix(s.text[span.Start:span.End], []byte("\n")), []byte("\r"))
	if rest, ok := bytes.CutPrefix(line, bom); ok && n == 1 {
		return string(rest), span.Start + len(bom)
	}
	return string(line), span.Start
}

// excerpt prints the lines of a finding with what is meant underlined.
func (t *Text) excerpt(b *strings.Builder, src *source, span edit.Span, look style) {
	if len(src.text) == 0 {
		return
	}
	span = trim(src.text, span)
	first, last := src.lines.Line(span.Start), src.lines.Line(max(span.Start, span.End-1))
	shown := min(last, first+spanLines-1)
	for n := first; n <= shown; n++ {
		t.line(b, src, n, span, look)
	}
	if last > shown {
		fmt.Fprintf(b, "%*s%s\n", label, "", t.paint(dim, fmt.Sprintf("… to line %d", last)))
	}
}

// trim takes a span into the text, and off the newline behind it.
func trim(text []byte, s edit.Span) edit.Span {
	s.Start = max(0, min(s.Start, len(text)))
	s.End = max(s.Start, min(s.End, len(text)))
	for s.End > s.Start && (text[s.End-1] == '\n' || text[s.End-1] == '\r') {
		s.End--
	}
	return s
}

// line prints one line of the source behind its number, and under it a mark
// for the part of span that lies in it. An empty look marks nothing.
func (t *Text) line(b *strings.Builder, src *source, n int, span edit.Span, look style) {
	text, start := src.line(n)
	r := layout(text)
	from, to := marked(text, edit.Span{Start: span.Start - start, End: span.End - start})
	markFrom, markTo := r.columns(from, to)
	shown, markFrom, markTo := r.crop(t.room(label), markFrom, markTo)
	b.WriteString(strings.TrimRight(t.paint(blue, fmt.Sprintf("%4d |", n))+" "+shown, " ") + "\n")
	if look != "" && strings.TrimSpace(text) != "" {
		b.WriteString(t.paint(blue, "     |") + strings.Repeat(" ", markFrom+1) + t.paint(look, strings.Repeat("^", markTo-markFrom)) + "\n")
	}
}

// marked returns the bytes of a line that a span, relative to the line's start,
// covers: without the indentation of a line that the span goes on in, and
// without the white space and the continuation at the end of one that it goes
// beyond.
func marked(text string, span edit.Span) (from, to int) {
	from, to = max(0, span.Start), min(span.End, len(text))
	if span.Start < 0 {
		from = len(text) - len(strings.TrimLeft(text, " \t"))
	}
	if span.End > len(text) {
		to = len(strings.TrimRight(strings.TrimRight(text, "\\` \t"), " \t"))
	}
	return from, max(from, to)
}

// room is what is left of the width behind indent columns; for an unknown
// width, enough for most lines.
func (t *Text) room(indent int) int {
	if t.Width <= 0 {
		return longLine
	}
	return max(t.Width, narrow) - indent
}
