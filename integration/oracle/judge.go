package oracle

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Verdict is what Judge found.
type Verdict struct {
	// Differences are those of B from A that neither noise nor a drop
	// explains. There must be none.
	Differences []Difference
	// Noise is what two builds of the same Dockerfile differ in.
	Noise []Difference
	// Dropped is what B lacks of the declared drops.
	Dropped Dropped
	// Entries are the paths of both images that were compared.
	Entries int
	// NoiseBytes are the bytes of A's files whose content is noise, of
	// TotalBytes. Where that is much, equality proves little: say so.
	NoiseBytes, TotalBytes int64
}

// Dropped counts what a rewrite left out of the image, as it said it would.
type Dropped struct {
	Entries int
	Bytes   int64
}

// Equal tells whether B is the same image as A.
func (v Verdict) Equal() bool { return len(v.Differences) == 0 }

// String is a report for people, one line for each difference.
func (v Verdict) String() string {
	var b strings.Builder
	if v.Equal() {
		fmt.Fprintf(&b, "equal")
	} else {
		fmt.Fprintf(&b, "%d differences", len(v.Differences))
	}
	fmt.Fprintf(&b, "; noise: %d places, %d of %d bytes; dropped: %d entries, %d bytes",
		len(v.Noise), v.NoiseBytes, v.TotalBytes, v.Dropped.Entries, v.Dropped.Bytes)
	for _, d := range v.Differences {
		fmt.Fprintf(&b, "\n\t%s", d)
	}
	return b.String()
}

// Allowed is what a rewrite declares that it changes.
type Allowed struct {
	// Drops are absolute paths: the path itself and everything below it may be
	// missing from b, but not be different or new. A folder that the base image
	// has may keep that one's mode and owner, and a folder that holds drops and
	// nothing else may be missing with them.
	Drops []string
	// Reorders says that the history of b may list the steps of a in another
	// order, and more of them. None may be missing.
	Reorders bool
	// Rewords is how many steps of the history may read otherwise in b.
	Rewords int
}

// Judge compares b, built from the rewritten Dockerfile, with a. again is a
// second build of what a was built from, and more are further ones: noise that
// takes one of a few values may come out alike twice.
func Judge(a, again, b Image, allowed Allowed, more ...Image) Verdict {
	v := Verdict{Entries: len(union(a.Tree, b.Tree))}
	for _, other := range append([]Image{again}, more...) {
		v.Noise = slices.Concat(v.Noise, Diff(a.Tree, other.Tree), DiffConfig(a.Config, other.Config), DiffHistory(a.History, other.History))
	}
	noise := newNoise(v.Noise)
	for _, d := range Diff(a.Tree, b.Tree) {
		switch {
		case d.Kind == Missing && (dropped(d.Path, allowed.Drops) || a.holdsOnly(d.Path, allowed.Drops)):
			v.Dropped.Entries++
			v.Dropped.Bytes += a.Tree[d.Path].Size
		case noise.explains(d):
		case isFolder(a, b, d) && dropped(d.Path, allowed.Drops):
		default:
			v.Differences = append(v.Differences, d)
		}
	}
	history := DiffHistory(a.History, b.History)
	if allowed.Reorders {
		history = lostSteps(a.History, b.History)
	}
	if len(a.History) <= len(b.History) && len(history) <= allowed.Rewords {
		history = nil
	}
	for _, d := range append(DiffConfig(a.Config, b.Config), history...) {
		if !noise.explains(d) {
			v.Differences = append(v.Differences, d)
		}
	}
	for p, e := range a.Tree {
		v.TotalBytes += e.Size
		if noise.seen[place{p, Content}] || noise.seen[place{p, Missing}] {
			v.NoiseBytes += e.Size
		}
	}
	return v
}

// isFolder tells whether d is about a folder of both images as such.
func isFolder(a, b Image, d Difference) bool {
	return a.Tree[d.Path].Type == "dir" && b.Tree[d.Path].Type == "dir" && (d.Kind == Mode || d.Kind == Owner)
}

// holdsOnly tells whether everything below a folder is dropped, and something
// is.
func (a Image) holdsOnly(folder string, drops []string) bool {
	found := false
	for p, e := range a.Tree {
		if !strings.HasPrefix(p, folder+"/") {
			continue
		}
		if dropped(p, drops) {
			found = true
		} else if e.Type != "dir" || !leadsTo(p, drops) {
			return false
		}
	}
	return found
}

// leadsTo tells whether a folder is above a drop.
func leadsTo(folder string, drops []string) bool {
	return slices.ContainsFunc(drops, func(drop string) bool { return strings.HasPrefix(drop, folder+"/") })
}

func dropped(p string, drops []string) bool {
	for _, drop := range drops {
		drop = path.Clean(drop)
		if p == drop || strings.HasPrefix(p, strings.TrimSuffix(drop, "/")+"/") {
			return true
		}
	}
	return false
}

type place struct {
	path string
	kind Kind
}

// noise knows where two builds of one Dockerfile differ. It is narrow: a file
// whose content is noise must still keep its mode and its owner.
type noise struct {
	seen     map[place]bool
	patterns map[string]bool // names that only one of the two builds has, see pattern
}

func newNoise(differences []Difference) noise {
	n := noise{seen: map[place]bool{}, patterns: map[string]bool{}}
	for _, d := range differences {
		n.seen[place{d.Path, d.Kind}] = true
		if d.Kind == Missing || d.Kind == Extra {
			n.patterns[pattern(d.Path)] = true
		}
	}
	return n
}

// explains tells whether d is of the kind that differs from build to build
// anyway. A name with a date or a random part is another one each time, so an
// extra path is noise too if but for its digits it looks like one that only
// one of the two builds had.
func (n noise) explains(d Difference) bool {
	if n.seen[place{d.Path, d.Kind}] {
		return true
	}
	return d.Kind == Extra && (n.seen[place{d.Path, Missing}] || varies(d.Path) && n.patterns[pattern(d.Path)])
}

// variable is what makes a name another one each time: digits, or at least
// six hexadecimal digits.
var variable = regexp.MustCompile(`[0-9a-f]{6,}|[0-9]+`)

// pattern is a path with its variable parts taken out.
func pattern(p string) string { return variable.ReplaceAllString(p, "#") }

func varies(p string) bool { return variable.MatchString(p) }
