package ui

import (
	"fmt"
	"strconv"

	"github.com/docker/go-units"
)

// Size is a number of bytes for people: "1.5MB".
func Size(n int64) string { return units.HumanSizeWithPrecision(float64(n), 3) }

// Count is a number of things for people: "1 file", "2 files".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
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
