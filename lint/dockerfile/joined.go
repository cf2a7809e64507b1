package dockerfile

import (
	"sort"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// joined is an instruction's line with its continuations put together, which
// is what BuildKit takes apart. Offsets in it lead back to the file.
type joined struct {
	base   int // place of an empty text
	text   []byte
	pieces []piece
}

type piece struct {
	at     int // offset in the text
	source edit.Span
}

func (j *joined) add(src []byte, s edit.Span) {
	if s.Len() > 0 {
		j.pieces = append(j.pieces, piece{len(j.text), s})
		j.text = append(j.text, src[s.Start:s.End]...)
	}
}

func (j *joined) len() int { return len(j.text) }

// offset returns the place in the file of the byte at i. The end of the text
// lies right behind its last byte.
func (j *joined) offset(i int) int {
	n := sort.Search(len(j.pieces), func(n int) bool { return j.pieces[n].at > i }) - 1
	if n < 0 {
		return j.base
	}
	return j.pieces[n].source.Start + i - j.pieces[n].at
}

// span returns the bytes of the file that stand for the text from start to
// end, continuations in between included.
func (j *joined) span(start, end int) edit.Span {
	if start >= end {
		at := j.offset(start)
		return edit.Span{Start: at, End: at}
	}
	return edit.Span{Start: j.offset(start), End: j.offset(end-1) + 1}
}

// slice returns the text from start to end with its places.
func (j *joined) slice(src []byte, start, end int) *edit.Text {
	t := &edit.Text{}
	for _, p := range j.pieces {
		from, to := max(start, p.at), min(end, p.at+p.source.Len())
		if from < to {
			t.Add(src, edit.Span{Start: p.source.Start + from - p.at, End: p.source.Start + to - p.at})
		}
	}
	return t
}
