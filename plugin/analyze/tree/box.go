package tree

import (
	"cmp"
	"slices"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// Box is a path with its bytes, as a chart draws it. Its JSON is what the HTML
// page's script reads.
type Box struct {
	Name string `json:"n"`
	// Files is how many paths were put together in this box; 0 for one path or a
	// folder with Children. Name is "" if they are the small ones of a folder.
	Files    int    `json:"f,omitempty"`
	Parts    []Part `json:"e,omitempty"`
	Children []*Box `json:"c,omitempty"`

	bytes int64
}

// Part is a layer, what it ships here in bytes, and the layer that buried that,
// -1 for what is live.
type Part [3]int64

// Boxes draws a tree with about so many boxes: what is smaller is put together,
// folder by folder. No byte is lost.
func Boxes(root *Node, most int) *Box {
	all := box(root)
	var sizes []int64
	all.each(func(b *Box) { sizes = append(sizes, b.bytes) })
	if len(sizes) > most {
		slices.Sort(sizes)
		all.merge(sizes[len(sizes)-most-1] + 1)
	}
	return all
}

func box(n *Node) *Box {
	b := &Box{Name: n.Name}
	for _, e := range n.Entries {
		if e.File.Size == 0 {
			continue
		}
		buried := int64(-1)
		if e.Fate.State != image.Live {
			buried = int64(e.Fate.Layer)
		}
		b.Parts = append(b.Parts, Part{int64(e.Layer), e.File.Size, buried})
		b.bytes += e.File.Size
	}
	for _, c := range n.Children {
		if child := box(c); child.bytes > 0 {
			b.Children = append(b.Children, child)
			b.bytes += child.bytes
		}
	}
	return b
}

func (b *Box) each(do func(*Box)) {
	do(b)
	for _, c := range b.Children {
		c.each(do)
	}
}

// merge puts children together that have fewer bytes than least.
func (b *Box) merge(least int64) {
	rest := &Box{}
	kept := b.Children[:0]
	for _, c := range b.Children {
		if c.bytes >= least {
			c.merge(least)
			kept = append(kept, c)
			continue
		}
		c.each(func(small *Box) {
			rest.bytes += sum(small.Parts)
			rest.Parts = append(rest.Parts, small.Parts...)
			rest.Files += max(1, small.Files) * min(1, len(small.Parts))
		})
	}
	b.Children = kept
	if rest.Files == 0 {
		return
	}
	rest.Parts = together(rest.Parts)
	if len(kept) > 0 {
		b.Children = append(b.Children, rest)
		return
	}
	b.Files, b.Parts = rest.Files, together(append(b.Parts, rest.Parts...))
}

// together adds up the parts of the same layers.
func together(parts []Part) []Part {
	slices.SortFunc(parts, func(a, b Part) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[2], b[2])) })
	var out []Part
	for _, p := range parts {
		if last := len(out) - 1; last >= 0 && out[last][0] == p[0] && out[last][2] == p[2] {
			out[last][1] += p[1]
			continue
		}
		out = append(out, p)
	}
	return out
}

func sum(parts []Part) (n int64) {
	for _, p := range parts {
		n += p[1]
	}
	return n
}
