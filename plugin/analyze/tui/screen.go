package tui

import (
	"strings"

	"github.com/rivo/uniseg"

	"github.com/imgmgr/imgmgr/plugin/ui"
)

// ANSI styles. The sixteen colours are those of the user's own scheme.
const (
	plain   = ""
	bold    = "\x1b[1m"
	dim     = "\x1b[2m"
	reverse = "\x1b[7m"
	red     = "\x1b[31m"
	green   = "\x1b[32m"
	yellow  = "\x1b[33m"
	reset   = "\x1b[0m"
)

// cell is a piece of a line in one style.
type cell struct{ style, text string }

// line puts cells next to each other, cut or filled to a number of columns. Over
// is a style for the whole line, in place of the cells' own; "" for none.
func line(width int, over string, cells ...cell) string {
	var b strings.Builder
	b.WriteString(over)
	for _, c := range cells {
		text := ui.Fit(c.text, width)
		if width -= uniseg.StringWidth(text); over != "" || c.style == plain {
			b.WriteString(text)
			continue
		}
		b.WriteString(c.style + text + reset)
	}
	b.WriteString(strings.Repeat(" ", max(0, width)))
	if over != "" {
		b.WriteString(reset)
	}
	return b.String()
}

// fill cuts lines, or adds empty ones, to a height.
func fill(lines []string, width, height int) []string {
	for len(lines) < height {
		lines = append(lines, strings.Repeat(" ", max(0, width)))
	}
	return lines[:max(0, height)]
}

// list is a cursor in rows of which a window is shown.
type list struct{ cursor, top int }

// move moves the cursor, and the window with it, in so many rows.
func (l *list) move(by, rows, height int) {
	l.cursor = max(0, min(l.cursor+by, rows-1))
	l.top = max(0, min(l.top, l.cursor, rows-1))
	l.top = max(l.top, l.cursor-max(1, height)+1)
}
