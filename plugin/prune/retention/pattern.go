package retention

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Pattern matches whole names. Text between slashes, "/v\d+/", is a regular
// expression (RE2); all else is a glob, in which * stays within one path element,
// ** does not, and {a,b} and [a-z] are as usual.
type Pattern struct {
	text string
	re   *regexp.Regexp // nil: a glob
}

// ParsePattern reads a pattern.
func ParsePattern(text string) (Pattern, error) {
	if text == "" {
		return Pattern{}, errors.New("an empty pattern matches nothing")
	}
	if inner, ok := strings.CutPrefix(text, "/"); ok {
		inner, ok = strings.CutSuffix(inner, "/")
		if !ok || inner == "" {
			return Pattern{}, fmt.Errorf("%q starts like a regular expression and has no / at its end", text)
		}
		re, err := regexp.Compile(`^(?:` + inner + `)$`)
		if err != nil {
			return Pattern{}, fmt.Errorf("%q is no regular expression: %w", text, err)
		}
		return Pattern{text, re}, nil
	}
	if !doublestar.ValidatePattern(text) {
		return Pattern{}, fmt.Errorf("%q is no glob: a bracket or brace is not closed", text)
	}
	return Pattern{text: text}, nil
}

func (p Pattern) String() string { return p.text }

// Match reports whether the whole name matches.
func (p Pattern) Match(name string) bool {
	if p.re != nil {
		return p.re.MatchString(name)
	}
	return doublestar.MatchUnvalidated(p.text, name)
}

// captures is what the groups of a regular expression hold.
func (p Pattern) captures(name string) []string {
	if p.re == nil {
		return nil
	}
	if m := p.re.FindStringSubmatch(name); len(m) > 1 {
		return m[1:]
	}
	return nil
}

// first is the first of the patterns that matches.
func first(patterns []Pattern, name string) (Pattern, bool) {
	for _, p := range patterns {
		if p.Match(name) {
			return p, true
		}
	}
	return Pattern{}, false
}
