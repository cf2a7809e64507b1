// Package origin leads the layers of an image back to the instructions that made
// them, and to lines of the Dockerfile.
package origin

import (
	"regexp"
	"strings"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// Origin is where a layer comes from.
type Origin struct {
	Text string // the instruction; "" if unknown
	File string // the Dockerfile, "" if unknown
	Line int    // from 1; 0 if unknown
	from bool   // the line is a FROM: the layer is the last of its base image
	own  bool   // the line is known and no FROM
}

// Attribute leads layers back to instructions: by provenance, which is exact;
// by the Dockerfile, matched with the history from its end; by the history.
func Attribute(img *image.Image, provenance [][]byte, f *dockerfile.File, target string) (origins []Origin, how string) {
	origins = byHistory(img)
	how = "none"
	for _, o := range origins {
		if o.Text != "" {
			how = "history"
		}
	}
	for _, statement := range provenance {
		if byProvenance(img, statement, origins) {
			return origins, "provenance"
		}
	}
	if f != nil && byDockerfile(img, f, target, origins) {
		return origins, "dockerfile"
	}
	return origins, how
}

func byHistory(img *image.Image) []Origin {
	out := make([]Origin, len(img.Layers))
	for i, l := range img.Layers {
		if l.History != nil {
			out[i].Text = instruction(l.History.CreatedBy)
		}
	}
	return out
}

// argsBefore are the build arguments that the classic builder puts before a
// command: "|2 A=1 B=2 /bin/sh -c make".
var argsBefore = regexp.MustCompile(`^\|\d+ .*?(/bin/sh -c )`)

// instruction is what a Dockerfile had, by what a builder wrote into the history.
func instruction(createdBy string) string {
	s := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(createdBy), "# buildkit"))
	if inner, ok := strings.CutPrefix(s, "/bin/sh -c #(nop)"); ok {
		return strings.Join(strings.Fields(inner), " ")
	}
	keyword := ""
	if inner, ok := strings.CutPrefix(s, "RUN "); ok {
		keyword, s = "RUN ", inner
	}
	s = argsBefore.ReplaceAllString(s, "$1")
	if inner, ok := strings.CutPrefix(s, "/bin/sh -c "); ok {
		return "RUN " + strings.TrimSpace(inner)
	}
	return keyword + s
}

// Base is how many of the lowest layers are those of a base image; 0 if that
// isn't known. A base image that was given is held against the layers; else the
// provenance's or the Dockerfile's own lines tell which are not.
func Base(img, given *image.Image, origins []Origin) int {
	if given != nil {
		n := 0
		for n < min(len(img.Layers), len(given.Layers)) && img.Layers[n].DiffID == given.Layers[n].DiffID {
			n++
		}
		return n
	}
	for i := len(origins) - 1; i >= 0; i-- {
		if origins[i].from {
			return i + 1
		}
	}
	for i, o := range origins {
		if o.own {
			return i
		}
	}
	return 0
}
