package ui

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/docker/go-units"
	"github.com/rivo/uniseg"
)

// Size is a number of bytes for people: "1.5MB".
func Size(n int64) string { return units.HumanSizeWithPrecision(float64(n), 3) }

// Count is a number of things for people: "1 file", "2 repositories".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Percent is a share of 1 for people: "97.5%".
func Percent(share float64) string { return strconv.FormatFloat(share*100, 'f', 1, 64) + "%" }

// Short cuts a text to a number of characters.
func Short(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// Fit cuts a text to a number of columns.
func Fit(text string, columns int) string {
	if uniseg.StringWidth(text) <= columns {
		return text
	}
	if columns <= 0 {
		return ""
	}
	var out strings.Builder
	width := 1 // the dots
	for g := uniseg.NewGraphemes(text); g.Next(); {
		if width += g.Width(); width > columns {
			break
		}
		out.WriteString(g.Str())
	}
	return out.String() + "…"
}

// Plain takes away what could steer a terminal: labels are written by anybody.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
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
