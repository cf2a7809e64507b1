package tui

import (
	"github.com/imgmgr/imgmgr/plugin/analyze/tree"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// change is how a path differs between two states of the image.
type change uint8

const (
	unmodified change = iota
	added
	changed
	removed
	changes // how many there are
)

// item is a path that is there before or after, with what is below it.
type item struct {
	node     *tree.Node
	entry    *tree.Entry // what is there, or what was; nil for a folder that no layer lists
	change   change
	children []*item
}

// span are two states of the image to compare: as of these layers, both
// included; -1 is before the first.
type span struct {
	before, after int
	// all shows as removed what any layer shipped and is gone, not only what was
	// there before.
	all bool
}

// compare is the tree of paths that are there before or after; nil without any.
// It takes each node once.
func (s span) compare(root *tree.Node) *item { return s.item(root, 0, 0) }

// item compares a path. What layers below the cuts have here is gone, with a
// folder above it.
func (s span) item(n *tree.Node, cutBefore, cutAfter int) *item {
	was, cutBefore := seen(n, s.before, cutBefore)
	is, cutAfter := seen(n, s.after, cutAfter)
	it := &item{node: n, entry: is}
	switch {
	case is != nil && was == nil:
		it.change = added
	case is != nil && is != was && differ(was.File, is.File):
		it.change = changed
	case is == nil && was != nil:
		it.entry, it.change = was, removed
	case is == nil && s.all:
		if it.entry = shipped(n, s.after); it.entry != nil {
			it.change = removed
		}
	}
	for _, c := range n.Children {
		if child := s.item(c, cutBefore, cutAfter); child != nil {
			it.children = append(it.children, child)
		}
	}
	if it.entry == nil && len(it.children) == 0 {
		return nil
	}
	it.inherit()
	return it
}

// inherit gives a folder the change of what is in it: one that no layer lists
// came and went with its content.
func (it *item) inherit() {
	for i, c := range it.children {
		switch {
		case it.entry == nil && (i == 0 || it.change == c.change):
			it.change = c.change
		case it.entry == nil, it.change == unmodified && c.change != unmodified:
			it.change = changed
		}
	}
}

// seen is what is at a path as of a layer, and the layer below which all that is
// under the path is gone.
func seen(n *tree.Node, layer, cut int) (entry *tree.Entry, below int) {
	below = cut
	for i := range n.Entries {
		e := &n.Entries[i]
		if e.Layer > layer {
			break
		}
		switch e.File.Type {
		case image.Whiteout:
			cut = max(cut, e.Layer)
		case image.Opaque, image.Dir:
		default:
			below = max(below, e.Layer)
		}
		if e.File.Type == image.Opaque || e.File.Type == image.Whiteout {
			below = max(below, e.Layer)
			continue
		}
		entry = e
	}
	if entry != nil && entry.Layer < cut {
		entry = nil
	}
	return entry, below
}

// shipped is the last that a layer had at a path; nil for none.
func shipped(n *tree.Node, layer int) (last *tree.Entry) {
	for i := range n.Entries {
		e := &n.Entries[i]
		if e.Layer <= layer && e.File.Type != image.Whiteout && e.File.Type != image.Opaque {
			last = e
		}
	}
	return last
}

// differ tells whether a path became another one. A folder that is listed again
// as it was did not; a file that is shipped again did, for it costs its bytes again.
func differ(was, is *image.File) bool {
	return is.Type != image.Dir || was.Type != image.Dir || was.Mode != is.Mode || was.UID != is.UID || was.GID != is.GID
}

// bytes are those that the path itself ships.
func (it *item) bytes() int64 {
	if it.entry == nil {
		return 0
	}
	return it.entry.File.Size
}

// folder tells whether something can be below the path.
func (it *item) folder() bool {
	return len(it.children) > 0 || it.entry == nil || it.entry.File.Type == image.Dir
}

// grave is the layer that buries what is here; -1 for none.
func (it *item) grave() int {
	if it.entry == nil || it.entry.Fate.State == image.Live {
		return -1
	}
	return int(it.entry.Fate.Layer)
}
