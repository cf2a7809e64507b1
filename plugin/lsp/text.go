package lsp

import (
	"sort"
	"unicode/utf8"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// text is a document's text and where its lines start. Lines end with "\n",
// "\r\n" or "\r", as the protocol has it.
type text struct {
	src    []byte
	starts []int
}

func newText(src []byte) *text {
	t := &text{src, []int{0}}
	for i, c := range src {
		if c == '\n' || c == '\r' && (i+1 == len(src) || src[i+1] != '\n') {
			t.starts = append(t.starts, i+1)
		}
	}
	return t
}

// offset is the byte at a position. What is behind the end of a line is its
// end, and what is within a character is its start.
func (t *text) offset(p position) int {
	if p.Line < 0 {
		return 0
	}
	if p.Line >= len(t.starts) {
		return len(t.src)
	}
	at, end := t.starts[p.Line], t.lineEnd(p.Line)
	for units := 0; at < end; {
		c, size := utf8.DecodeRune(t.src[at:end])
		if units += utf16Units(c); units > p.Character {
			break
		}
		at += size
	}
	return at
}

// lineEnd is the end of a line without what ends it.
func (t *text) lineEnd(line int) int {
	if line+1 == len(t.starts) {
		return len(t.src)
	}
	end := t.starts[line+1] - 1
	if t.src[end] == '\n' && end > t.starts[line] && t.src[end-1] == '\r' {
		end--
	}
	return end
}

// position is where a byte is.
func (t *text) position(offset int) position {
	offset = max(0, min(offset, len(t.src)))
	line := sort.Search(len(t.starts), func(i int) bool { return t.starts[i] > offset }) - 1
	p := position{Line: line}
	for at := t.starts[line]; at < offset; {
		c, size := utf8.DecodeRune(t.src[at:])
		p.Character += utf16Units(c)
		at += size
	}
	return p
}

func (t *text) span(s edit.Span) span {
	return span{t.position(s.Start), t.position(max(s.Start, s.End))}
}

// bytes are those that a span covers.
func (t *text) bytes(s span) edit.Span {
	start := t.offset(s.Start)
	return edit.Span{Start: start, End: max(start, t.offset(s.End))}
}

func utf16Units(c rune) int {
	if c > 0xffff {
		return 2
	}
	return 1
}
