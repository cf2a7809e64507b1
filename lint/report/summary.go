package report

import (
	"fmt"
	"strings"
)

// String is the summary in one sentence without a full stop.
func (s Summary) String() string {
	var parts []string
	if s.Fixed > 0 {
		parts = append(parts, fmt.Sprintf("%s fixed in %s", count(s.Fixed, "finding"), count(s.mended, "file")))
	}
	switch {
	case s.Findings > 0:
		parts = append(parts, s.severities()+" in "+s.of(s.found))
	case s.Files > s.Failed:
		parts = append(parts, "no findings in "+count(s.Files-s.Failed, "file"))
	}
	switch {
	case s.Fixable > 0 && s.Unsafe > 0:
		parts = append(parts, fmt.Sprintf("%d can be fixed with --fix, %d more with --fix=unsafe", s.Fixable, s.Unsafe))
	case s.Fixable > 0:
		parts = append(parts, fmt.Sprintf("%d can be fixed with --fix", s.Fixable))
	case s.Unsafe > 0:
		parts = append(parts, fmt.Sprintf("%d can be fixed with --fix=unsafe", s.Unsafe))
	}
	if s.Failed > 0 {
		parts = append(parts, count(s.Failed, "file")+" could not be checked")
	}
	return strings.Join(parts, "; ")
}

// severities counts the findings that are left, the worst first.
func (s Summary) severities() string {
	var parts []string
	for _, p := range []struct {
		n    int
		name string
	}{{s.Errors, "error"}, {s.Warnings, "warning"}, {s.Infos, "info"}} {
		switch {
		case p.n > 0 && p.name == "info": // has no plural
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.name))
		case p.n > 0:
			parts = append(parts, count(p.n, p.name))
		}
	}
	return strings.Join(parts, ", ")
}

// of says how many files out of all.
func (s Summary) of(n int) string {
	if n == s.Files {
		return count(n, "file")
	}
	return fmt.Sprintf("%d of %s", n, count(s.Files, "file"))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
