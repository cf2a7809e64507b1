package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// tabStop is how far tabs of a source line are expanded.
const tabStop = 4

// row is one line of text as a terminal shows it: cell by cell, where a cell
// is what the reader takes for one character.
type row struct {
	cells []cell
	width int // columns
}

type cell struct {
	text   string
	offset int // of its first byte in the text
	end    int // behind its last byte
	column int // from 0
	width  int // columns
}

// layout lays text out. Tabs become spaces. What a terminal would obey or hide
// (control characters, marks that turn the direction of text, bytes that are no
// UTF-8) is written as an escape such as \x1b.
func layout(text string) row {
	var r row
	rest, state := text, -1
	for rest != "" {
		offset := len(text) - len(rest)
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		shown := cluster
		switch {
		case cluster == "\t":
			width = tabStop - r.width%tabStop
			shown = strings.Repeat(" ", width)
		case !harmless(cluster):
			shown = escape(cluster)
			width = len(shown)
		}
		r.cells = append(r.cells, cell{shown, offset, offset + len(cluster), r.width, width})
		r.width += width
	}
	return r
}

// harmless reports whether a terminal shows cluster as it is.
func harmless(cluster string) bool {
	if !utf8.ValidString(cluster) {
		return false
	}
	joined := utf8.RuneCountInString(cluster) > 1
	for _, c := range cluster {
		// Joiners are part of many emoji, and nothing by themselves.
		if !unicode.IsPrint(c) && !(joined && (c == '\u200d' || c == '\u200c')) {
			return false
		}
	}
	return true
}

// escape writes text as Go would in a string literal.
func escape(text string) string {
	var b strings.Builder
	for text != "" {
		c, size := utf8.DecodeRuneInString(text)
		switch {
		case c == utf8.RuneError && size == 1, c < 0x80:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case c > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, c)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
		text = text[size:]
	}
	return b.String()
}

// clean makes text from elsewhere (a message, a path) fit for one line.
func clean(text string) string {
	return layout(strings.Join(strings.Fields(text), " ")).String()
}

// String is the whole row.
func (r row) String() string {
	var b strings.Builder
	for _, c := range r.cells {
		b.WriteString(c.text)
	}
	return b.String()
}

// columns returns the columns that the bytes from start to end of the text
// take: at least one, so that there is something to point at.
func (r row) columns(start, end int) (from, to int) {
	from = r.width
	for _, c := range r.cells {
		if start < c.end {
			from = c.column
			break
		}
	}
	to = from + 1
	for _, c := range r.cells {
		if c.offset < end {
			to = max(to, c.column+c.width)
		}
	}
	return from, to
}

// crop returns the part of the row that fits into width columns and shows what
// is between the columns from and to, with an ellipsis where something is cut
// off; and where in that part those columns are. Width 0 cuts nothing.
func (r row) crop(width, from, to int) (text string, cropFrom, cropTo int) {
	if width <= 0 || r.width <= width {
		return r.String(), from, to
	}
	first := 0
	var b strings.Builder
	if to > width-1 {
		// A third of the width is left for what leads to the place.
		left := max(0, min(from-width/3, r.width-width+1))
		for first < len(r.cells)-1 && r.cells[first].column < left {
			first++
		}
	}
	shift := r.cells[first].column
	if first > 0 {
		b.WriteString("…")
		shift--
	}
	for i, c := range r.cells[first:] {
		room := width
		if first+i < len(r.cells)-1 {
			room-- // for the ellipsis behind
		}
		if c.column-shift+c.width > room {
			b.WriteString("…")
			break
		}
		b.WriteString(c.text)
	}
	cropFrom = max(0, from-shift)
	return b.String(), cropFrom, max(cropFrom+1, min(to-shift, width))
}
