package edit

import "sort"

// Lines finds lines and columns in a text. A line ends with "\n", as it does
// for BuildKit; a "\r" before it belongs to the line.
type Lines struct {
	starts []int // offset of each line's first byte
	size   int
}

// NewLines indexes src.
func NewLines(src []byte) *Lines {
	l := &Lines{starts: []int{0}, size: len(src)}
	for i, c := range src {
		if c == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// Count is the number of lines; the empty line behind a final newline counts.
func (l *Lines) Count() int { return len(l.starts) }

// Position returns the line and column, both from 1, of a byte offset. Columns
// count bytes. An offset outside the text is taken to its nearest end.
func (l *Lines) Position(offset int) (line, column int) {
	offset = max(0, min(offset, l.size))
	line = sort.Search(len(l.starts), func(i int) bool { return l.starts[i] > offset })
	return line, offset - l.starts[line-1] + 1
}

// Line returns the line, from 1, of a byte offset.
func (l *Lines) Line(offset int) int {
	line, _ := l.Position(offset)
	return line
}

// Span returns the bytes of a line, from 1, with its newline. A line outside
// the text gives the empty span at its nearest end.
func (l *Lines) Span(line int) Span {
	if line < 1 {
		return Span{}
	}
	if line > len(l.starts) {
		return Span{l.size, l.size}
	}
	end := l.size
	if line < len(l.starts) {
		end = l.starts[line]
	}
	return Span{l.starts[line-1], end}
}
