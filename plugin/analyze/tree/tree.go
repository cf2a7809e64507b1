// Package tree is the paths of an image as a tree: what each layer has at a path,
// and what became of it. The pages and the terminal browser show it.
package tree

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// Node is a path, with what is below it.
type Node struct {
	Name     string  // the last element of the path; "" for the root
	Children []*Node // by name
	Entries  []Entry // what layers have here, the lowest layer first
}

// Entry is what a layer has at a path.
type Entry struct {
	Layer int
	File  *image.File
	Fate  image.Fate
}

// Of makes the tree of layers that were read and stacked. It keeps pointers into
// the layers' tables.
func Of(layers []*image.Layer, stacked *image.Stacked) *Node {
	b := builder{root: &Node{}, folders: map[string]*Node{}}
	for i, l := range layers {
		for j := range l.Files {
			f := &l.Files[j]
			n := b.node(f.Path)
			n.Entries = append(n.Entries, Entry{Layer: i, File: f, Fate: stacked.Fates[i][j]})
		}
	}
	b.root.sort()
	return b.root
}

// builder finds nodes by their paths.
type builder struct {
	root    *Node
	folders map[string]*Node
}

func (b *builder) node(path string) *Node {
	if path == "." || path == "" {
		return b.root
	}
	if n := b.folders[path]; n != nil {
		return n
	}
	dir, base := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, base = path[:i], path[i+1:]
	}
	parent, n := b.node(dir), &Node{Name: base}
	parent.Children = append(parent.Children, n)
	b.folders[path] = n
	return n
}

func (n *Node) sort() {
	slices.SortFunc(n.Children, func(a, b *Node) int { return cmp.Compare(a.Name, b.Name) })
	for _, c := range n.Children {
		c.sort()
	}
}

// Bytes are what all layers ship at this path and below it.
func (n *Node) Bytes() int64 {
	var sum int64
	for _, e := range n.Entries {
		sum += e.File.Size
	}
	for _, c := range n.Children {
		sum += c.Bytes()
	}
	return sum
}
