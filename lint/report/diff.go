package report

import "strings"

// Diff prints a unified diff. Without colours it is printed byte by byte, so
// that it can be applied; with them, for people, escapes are made visible.
func (t *Text) Diff(diff string) error {
	if !t.Color {
		var b strings.Builder
		b.WriteString(diff)
		return t.write(&b)
	}
	var b strings.Builder
	for line := range strings.Lines(diff) {
		line = layout(strings.TrimRight(line, "\r\n")).String()
		look := style("")
		switch {
		case strings.HasPrefix(line, "+++ "), strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "diff "):
			look = bold
		case strings.HasPrefix(line, "@@"):
			look = cyan
		case strings.HasPrefix(line, "+"):
			look = green
		case strings.HasPrefix(line, "-"):
			look = red
		}
		b.WriteString(t.paint(look, line) + "\n")
	}
	return t.write(&b)
}
