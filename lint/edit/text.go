package edit

import (
	"sort"
	"strings"
)

// Text is a string put together from pieces of a source. A RUN instruction's
// script is one: BuildKit takes backslash-newlines and comment lines out of it
// before a shell sees it, and a finding in the script must still point at the
// bytes its owner wrote.
type Text struct {
	b      strings.Builder
	pieces []piece
}

type piece struct {
	at     int // offset in the text
	source int // offset in the source
}

// Add appends the bytes of src that s covers.
func (t *Text) Add(src []byte, s Span) {
	if s.Len() == 0 {
		return
	}
	t.pieces = append(t.pieces, piece{t.b.Len(), s.Start})
	t.b.Write(src[s.Start:s.End])
}

// AddText appends the bytes of another text that s covers, with the places
// that they have there.
func (t *Text) AddText(o *Text, s Span) {
	str := o.String()
	for n, p := range o.pieces {
		end := len(str)
		if n+1 < len(o.pieces) {
			end = o.pieces[n+1].at
		}
		from, to := max(p.at, s.Start), min(end, s.End)
		if from < to {
			t.pieces = append(t.pieces, piece{t.b.Len(), p.source + from - p.at})
			t.b.WriteString(str[from:to])
		}
	}
}

// Append appends another text with its places.
func (t *Text) Append(o *Text) {
	for _, p := range o.pieces {
		t.pieces = append(t.pieces, piece{t.b.Len() + p.at, p.source})
	}
	t.b.WriteString(o.b.String())
}

// String is the text without its places.
func (t *Text) String() string { return t.b.String() }

// Len is the length of the text in bytes.
func (t *Text) Len() int { return t.b.Len() }

// Offset returns the offset in the source of the byte at i. The end of the
// text lies right behind its last byte. An empty text is at 0.
func (t *Text) Offset(i int) int {
	n := sort.Search(len(t.pieces), func(n int) bool { return t.pieces[n].at > i })
	if n == 0 {
		return 0
	}
	p := t.pieces[n-1]
	return p.source + i - p.at
}

// Span returns the bytes of the source from the text's byte s.Start to the one
// before s.End. Where the text skips parts of the source, the span includes
// them.
func (t *Text) Span(s Span) Span {
	if s.Len() <= 0 {
		at := t.Offset(s.Start)
		return Span{at, at}
	}
	return Span{t.Offset(s.Start), t.Offset(s.End-1) + 1}
}
