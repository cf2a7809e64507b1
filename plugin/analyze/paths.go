package analyze

import (
	"github.com/bmatcuk/doublestar/v4"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// PathEntry is an entry of a layer, and what became of it.
type PathEntry struct {
	Path  string `json:"path"`
	Layer int    `json:"layer"`
	Bytes int64  `json:"bytes"`
	State string `json:"state"` // "live", "overwritten", "deleted", "whiteout", "opaque"
	// BuriedBy is the layer that buried it; -1 if it is live.
	BuriedBy int `json:"buriedBy"`
}

var states = map[image.State]string{image.Live: "live", image.Overwritten: "overwritten", image.Deleted: "deleted"}

// paths lists all entries of all layers that a pattern matches: "**" is any
// number of folders. The pattern is a valid one.
func paths(layers []*image.Layer, stacked *image.Stacked, pattern string) []PathEntry {
	out := []PathEntry{}
	for i, l := range layers {
		for j := range l.Files {
			f, fate := &l.Files[j], stacked.Fates[i][j]
			if !doublestar.MatchUnvalidated(pattern, f.Path) {
				continue
			}
			e := PathEntry{Path: f.Path, Layer: i, Bytes: f.Size, State: states[fate.State], BuriedBy: -1}
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
