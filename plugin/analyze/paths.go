package analyze

import (
	"cmp"
	"slices"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

var states = map[image.State]string{image.Live: "live", image.Overwritten: "overwritten", image.Deleted: "deleted"}

// paths lists all entries of all layers that a pattern matches: "**" is any
// number of folders. The pattern is a valid one.
func paths(layers []*image.Layer, stacked *image.Stacked, pattern string) []report.PathEntry {
	out := []report.PathEntry{}
	for i, l := range layers {
		for j := range l.Files {
			f, fate := &l.Files[j], stacked.Fates[i][j]
			if !doublestar.MatchUnvalidated(pattern, f.Path) {
				continue
			}
			e := report.PathEntry{Path: f.Path, Layer: i, Bytes: f.Size, State: states[fate.State], BuriedBy: -1}
			switch {
			case f.Type == image.Whiteout:
				e.State = "whiteout"
			case f.Type == image.Opaque:
				e.State = "opaque"
			case fate.State != image.Live:
				e.BuriedBy = int(fate.Layer)
			}
			out = append(out, e)
		}
	}
	return out
}

// mostFiles is how many files --files lists.
const mostFiles = 50

// largest are the entries with the most bytes.
func largest(all []report.PathEntry) []report.PathEntry {
	all = slices.DeleteFunc(all, func(e report.PathEntry) bool { return e.Bytes == 0 })
	slices.SortStableFunc(all, func(a, b report.PathEntry) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return slices.Clone(all[:min(mostFiles, len(all))])
}
