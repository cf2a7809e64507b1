// Package edit holds the currency of every repair: spans of bytes, edits to
// them, and the way back from an edited text to the text its owner wrote.
//
// Nothing here knows what a Dockerfile is. A repair is a list of [Edit]s that
// is applied whole or not at all ([Apply]); a [Map] answers which bytes and
// lines of the original an edited text stands for; a [Text] is a string put
// together from pieces of a source, each byte of which knows where it came
// from; [Unified] prints what changed.
package edit

import (
	"cmp"
	"fmt"
	"slices"
)

// Span is a half-open range of bytes of a source text.
type Span struct{ Start, End int }

// Len is the number of bytes in s.
func (s Span) Len() int { return s.End - s.Start }

// Contains reports whether o lies within s.
func (s Span) Contains(o Span) bool { return s.Start <= o.Start && o.End <= s.End }

// Overlaps reports whether s and o share a byte.
func (s Span) Overlaps(o Span) bool { return s.Start < o.End && o.Start < s.End }

// Of returns the bytes of src that s covers.
func (s Span) Of(src []byte) string { return string(src[s.Start:s.End]) }

// Edit replaces the bytes of a Span by New. An empty Span inserts, an empty
// New deletes.
//
// Origin, where it isn't empty, says which bytes of the same source New stands
// for: a line that is moved is deleted in one place and inserted in another
// with the old place as its Origin, so that a failing build still names the
// line that its owner wrote.
type Edit struct {
	Span
	New    string
	Origin Span
}

// Apply returns src with all edits made. Edits at the same place are made in
// the order given. It fails, and changes nothing, when an edit lies outside src
// or two edits touch the same bytes.
func Apply(src []byte, edits []Edit) ([]byte, error) {
	sorted, err := arrange(len(src), edits)
	if err != nil {
		return nil, err
	}
	size := len(src)
	for _, e := range sorted {
		size += len(e.New) - e.Len()
	}
	out := make([]byte, 0, size)
	at := 0
	for _, e := range sorted {
		out = append(out, src[at:e.Start]...)
		out = append(out, e.New...)
		at = e.End
	}
	return append(out, src[at:]...), nil
}

// Conflict reports whether the two sets of edits can't be made together: they
// touch the same bytes, or insert at the same place, where the order would
// decide the result.
func Conflict(a, b []Edit) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Overlaps(y.Span) || x.Start == y.Start || within(x, y) || within(y, x) {
				return true
			}
		}
	}
	return false
}

// within reports whether x inserts strictly inside the bytes that y replaces.
func within(x, y Edit) bool {
	return x.Len() == 0 && y.Start < x.Start && x.Start < y.End
}

// arrange returns the edits ordered by place, or an error when they can't be
// made in a source of size bytes.
func arrange(size int, edits []Edit) ([]Edit, error) {
	sorted := slices.Clone(edits)
	slices.SortStableFunc(sorted, func(a, b Edit) int {
		// An insertion comes before a replacement that starts at its place.
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	end := 0
	for _, e := range sorted {
		if e.Start < 0 || e.End < e.Start || e.End > size {
			return nil, fmt.Errorf("edit of bytes %d to %d lies outside a text of %d bytes", e.Start, e.End, size)
		}
		if e.Start < end {
			return nil, fmt.Errorf("two edits change the bytes from %d to %d", e.Start, min(end, e.End))
		}
		end = e.End
	}
	return sorted, nil
}
