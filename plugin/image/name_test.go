package image

import (
	"strings"
	"testing"
)

func TestSelect(t *testing.T) {
	digest := func(c string) string { return "sha256:" + strings.Repeat(c, 64) }
	for _, c := range []struct {
		images [][]string
		ref    string
		want   int // -1: none can be chosen
	}{
		{[][]string{{digest("a")}}, "", 0},
		{[][]string{{"app:1", digest("a")}, {"app:2", digest("b")}}, "app:2", 1},
		{[][]string{{"app:1", digest("a")}, {"app:2", digest("b")}}, "docker.io/library/app:1", 0},
		{[][]string{{"app:1", digest("a")}, {"app:2", digest("b")}}, "", -1},
		{[][]string{{digest("a")}, {digest("b")}}, "", -1},
		{[][]string{{digest("a")}, {digest("b")}}, digest("b"), 1},
		{[][]string{{digest("a")}, {"app:1", digest("b")}}, "", 1}, // what the name meant before
		{[][]string{{"app:1"}}, "app:2", -1},
		{nil, "", -1},
	} {
		got, err := Select(c.images, c.ref)
		if c.want < 0 && err == nil || c.want >= 0 && (err != nil || got != c.want) {
			t.Errorf("%q of %q: %d %v, want %d", c.ref, c.images, got, err, c.want)
		}
	}
}
