package retention

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// plausible reports that a date can be meant: builds for reproducibility write
// 1970 or 1980, others nothing, and no image is made after it was listed.
func (g *graph) plausible(t time.Time) bool {
	return t.Year() >= 2000 && !t.After(g.head.Taken)
}

// time is when an image was made, pushed, pulled or first seen. An index is as
// young as its youngest child, and of unknown age when one of them is.
func (g *graph) time(n *node, basis Basis) (time.Time, bool) {
	if basis != Created || n.kind != KindIndex {
		t := n.own(basis)
		if g.plausible(t) || n.kind != KindIndex {
			return t, g.plausible(t)
		}
	}
	if n.missing != 0 {
		return time.Time{}, false
	}
	var youngest time.Time
	for c := range n.images {
		t := c.own(basis)
		if !g.plausible(t) {
			return time.Time{}, false
		}
		if t.After(youngest) {
			youngest = t
		}
	}
	return youngest, !youngest.IsZero()
}

func (n *node) own(basis Basis) time.Time {
	switch basis {
	case Pushed:
		if tagged := n.repo.pushed[n]; tagged.After(n.facts.Pushed) {
			return tagged
		}
		return n.facts.Pushed
	case Pulled, Used:
		return n.facts.Pulled
	case FirstSeen:
		return n.facts.FirstSeen
	}
	return n.facts.Created
}

// settled is how long an image has been there at least: since it was made and
// pushed, or else since it was first seen.
func (g *graph) settled(n *node) (time.Duration, bool) {
	created, ok := g.time(n, Created)
	if pushed, known := g.time(n, Pushed); known && pushed.After(created) {
		created, ok = pushed, true
	}
	if !ok {
		created, ok = g.time(n, FirstSeen)
	}
	return g.head.Taken.Sub(created), ok
}

// did is the basis as a word for what happened.
func (b Basis) did() string {
	switch b {
	case Pushed:
		return "pushed"
	case Pulled:
		return "last pulled"
	case Used:
		return "last used"
	case FirstSeen:
		return "first seen"
	}
	return "built"
}

// lasting prints a length of time with its largest unit: "45 days".
func lasting(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int64(d / u.unit); n > 0 {
			return plural(n, u.name)
		}
	}
	return plural(int64(d/time.Second), "second")
}

// beyond prints a length of time that is over a limit so that it is seen to be:
// "7 days and 2 hours", over 7 days.
func beyond(d, limit time.Duration) string {
	text := lasting(d)
	if rest := d - limit; text == lasting(limit) && rest >= time.Second {
		text += " and " + lasting(rest)
	}
	return text
}

func plural(n int64, name string) string {
	if n == 1 {
		return "1 " + name
	}
	return fmt.Sprintf("%d %ss", n, name)
}

func ordinal(n int) string {
	suffix := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		suffix = "st"
	case n%10 == 2:
		suffix = "nd"
	case n%10 == 3:
		suffix = "rd"
	}
	return fmt.Sprintf("%d%s", n, suffix)
}

// natural compares names so that v1.10 comes after v1.9.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, restA := chunk(a)
		y, restB := chunk(b)
		digits := x[0] >= '0' && x[0] <= '9' && y[0] >= '0' && y[0] <= '9'
		if digits {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := cmp.Compare(len(x), len(y)); c != 0 {
				return c
			}
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return cmp.Compare(a, b)
}

// chunk splits off leading digits, or leading text without digits.
func chunk(s string) (head, rest string) {
	digit := func(i int) bool { return s[i] >= '0' && s[i] <= '9' }
	i := 1
	for i < len(s) && digit(i) == digit(0) {
		i++
	}
	return s[:i], s[i:]
}
