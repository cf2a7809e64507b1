package ui

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/docker/go-units"
)

// Plain takes away what could steer a terminal: labels are written by anybody.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// Bytes writes a number of bytes as Docker does, "1.21MB".
func Bytes(n int64) string { return units.HumanSizeWithPrecision(float64(n), 3) }

// Plural counts things: "1 tag", "2 repositories".
func Plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "y") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(what, "y"))
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Wrap breaks a text between words into lines of so many columns.
func Wrap(text string, width int) []string {
	var lines []string
	current := ""
	for word := range strings.FieldsSeq(text) {
		if current != "" && len([]rune(current))+1+len([]rune(word)) > width {
			lines = append(lines, current)
			current = ""
		}
		current = strings.TrimPrefix(current+" "+word, " ")
	}
	return append(lines, current)
}
