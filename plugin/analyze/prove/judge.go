package prove

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/compare"
	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// Verdict is how the image of the repaired Dockerfile differs from the other.
type Verdict struct {
	// Dropped are paths that it lacks, as the fixes say, and their bytes.
	DroppedPaths int
	DroppedBytes int64
	// NoisePaths are paths in which any two builds differ.
	NoisePaths int
	// Differences are all others, by path.
	Differences []report.PathChange
	Config      []report.ConfigChange
}

// Equal reports whether it is the same image, but for what it was to lack.
func (v Verdict) Equal() bool { return len(v.Differences) == 0 && len(v.Config) == 0 }

// Judge holds the image of the repaired Dockerfile against that of the one as it is
// written, of which again is another build, or nil. Drops are the absolute paths that
// the fixes leave out, with all that is below.
func Judge(before, again, after *image.Image, drops []string) Verdict {
	v := Verdict{Differences: []report.PathChange{}, Config: compare.Config(after, before)}
	n := newNoise(before, again)
	changes := compare.Files(after, before)
	gone := map[string]bool{}
	for _, c := range changes {
		gone[c.Path] = c.Change == report.Removed
	}
	left := folders(before, func(name string) bool { return !gone[name] || !isDropped(name, drops) })
	isFolder := folders(after, nil)
	for _, c := range changes {
		switch {
		case c.Change == report.Removed && (isDropped(c.Path, drops) || leads(c.Path, drops) && !left[c.Path]):
			v.DroppedPaths++
			v.DroppedBytes -= c.Bytes
		case c.Change == report.Metadata && isFolder[c.Path] && isDropped(c.Path, drops): // it may be as the base image has it
		case n.explains(c):
			v.NoisePaths++
		default:
			v.Differences = append(v.Differences, c)
		}
	}
	return v
}

// folders are those that hold, at any depth, a file that is meant; all for nil.
func folders(img *image.Image, meant func(name string) bool) map[string]bool {
	out := map[string]bool{}
	for e := range image.Stack(img.Layers).All() {
		isFolder := e.Content == nil || e.Content.Type == image.Dir
		switch {
		case isFolder && meant == nil:
			out[e.Path] = true
		case !isFolder && meant != nil && meant(e.Path):
			for dir := path.Dir(e.Path); dir != "." && !out[dir]; dir = path.Dir(dir) {
				out[dir] = true
			}
		}
	}
	return out
}

// isDropped reports whether a path is one of the drops or below one.
func isDropped(name string, drops []string) bool {
	return slices.ContainsFunc(drops, func(drop string) bool {
		drop = strings.Trim(path.Clean(drop), "/")
		return name == drop || strings.HasPrefix(name, drop+"/")
	})
}

// leads reports whether a path is a folder above a drop.
func leads(name string, drops []string) bool {
	return slices.ContainsFunc(drops, func(drop string) bool { return strings.HasPrefix(drop, "/"+name+"/") })
}

// noise knows in what two builds of the same Dockerfile differ.
type noise struct {
	seen     map[report.PathChange]bool // without bytes
	patterns map[string]bool            // of names that only one of the two has
}

func newNoise(before, again *image.Image) noise {
	n := noise{seen: map[report.PathChange]bool{}, patterns: map[string]bool{}}
	if again == nil {
		return n
	}
	for _, c := range compare.Files(again, before) {
		n.seen[report.PathChange{Path: c.Path, Change: c.Change}] = true
		if c.Change == report.Added || c.Change == report.Removed {
			n.patterns[pattern(c.Path)] = true
		}
	}
	return n
}

// explains tells whether a difference is there anyway. A name with a date or a
// random part is another one in each build.
func (n noise) explains(c report.PathChange) bool {
	if n.seen[report.PathChange{Path: c.Path, Change: c.Change}] {
		return true
	}
	return c.Change == report.Added && variable.MatchString(c.Path) && n.patterns[pattern(c.Path)]
}

// variable is what makes a name another one each time: digits, or at least six
// hexadecimal digits.
var variable = regexp.MustCompile(`[0-9a-f]{6,}|[0-9]+`)

func pattern(name string) string { return variable.ReplaceAllString(name, "#") }
