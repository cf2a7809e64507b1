package report

import (
	"strings"

	"github.com/rivo/uniseg"
)

// word is what a line isn't broken within.
type word struct {
	text  string
	style style
}

// words splits prose at spaces.
func words(s style, text string) []word {
	var out []word
	for _, field := range strings.Fields(text) {
		out = append(out, word{field, s})
	}
	return out
}

// paragraph writes words in lines of at most the printer's width. The first
// line begins with first, the others with rest. A word that is too long stands
// alone. Width 0 gives one line.
func (t *Text) paragraph(b *strings.Builder, first, rest string, text ...[]word) {
	b.WriteString(first)
	used, empty := uniseg.StringWidth(first), true
	for _, part := range text {
		for _, w := range part {
			width := uniseg.StringWidth(w.text)
			switch {
			case empty:
			case t.Width > 0 && used+1+width > max(t.Width, narrow):
				b.WriteString("\n" + rest)
				used = uniseg.StringWidth(rest)
			default:
				b.WriteByte(' ')
				used++
			}
			b.WriteString(t.paint(w.style, w.text))
			used, empty = used+width, false
		}
	}
	b.WriteByte('\n')
}
