package report

// style is an ANSI "select graphic rendition" sequence.
type style string

const (
	bold   style = "\x1b[1m"
	dim    style = "\x1b[2m"
	red    style = "\x1b[31m"
	green  style = "\x1b[32m"
	yellow style = "\x1b[33m"
	blue   style = "\x1b[34m"
	cyan   style = "\x1b[36m"
)

// paint puts text between style and its end, where colours are wanted.
func (t *Text) paint(s style, text string) string {
	if !t.Color || s == "" || text == "" {
		return text
	}
	return string(s) + text + "\x1b[0m"
}
