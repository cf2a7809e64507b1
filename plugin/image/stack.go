package image

import (
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
)

// State is what became of an entry of a layer.
type State uint8

const (
	// Live entries are in the image. Whiteouts count as live; they have no bytes.
	Live State = iota
	// Overwritten entries have their path taken by another one.
	Overwritten
	// Deleted entries went with a whiteout, with an opaque folder, or with a
	// folder that became something else.
	Deleted
)

// Fate is what became of one entry. The content of a file with several names
// is live until the last of them is gone.
type Fate struct {
	State State
	// Layer and File are the entry that buried this one: a whiteout, or what
	// took its place. Only where it isn't live.
	Layer, File int32

	names int32 // by which its content can be reached
}

// Stacked are layers on top of each other.
type Stacked struct {
	// Fates are those of the layers' entries: Fates[i][j] is about file j of
	// layer i, the lowest layer first.
	Fates  [][]Fate
	layers []*Layer
	root   *node
}

// Entry is a path of the image.
type Entry struct {
	Path  string
	Layer int // that the path comes from; -1 for a folder that no layer lists
	// File is the entry itself, and Content the file whose content it shows:
	// another one for hard links. Both are nil for a folder that no layer lists,
	// and Content for a hard link to nothing.
	File, Content *File
	// ContentLayer is the layer that shipped Content; -1 where that is nil.
	ContentLayer int
}

// at is an entry of a layer; layer is -1 for none.
type at struct{ layer, file int32 }

var nowhere = at{layer: -1}

// node is a path with what is there now.
type node struct {
	entry, content at
	children       map[string]*node // nil for all but folders
}

// Stack puts layers on top of each other, the lowest first, as the "Applying
// Changesets" of the OCI image specification says: whiteouts are about the
// layers below theirs only, wherever in the layer they stand; all else counts in
// order. The time is linear in the number of entries.
func Stack(layers []*Layer) *Stacked {
	s := &Stacked{layers: layers, Fates: make([][]Fate, len(layers)), root: folder(nowhere)}
	for i, layer := range layers {
		s.Fates[i] = make([]Fate, len(layer.Files))
		for j := range layer.Files {
			s.delete(&layer.Files[j], at{int32(i), int32(j)})
		}
		for j := range layer.Files {
			s.add(&layer.Files[j], at{int32(i), int32(j)})
		}
	}
	return s
}

func folder(entry at) *node { return &node{entry: entry, content: entry, children: map[string]*node{}} }

// delete does what a whiteout says.
func (s *Stacked) delete(f *File, by at) {
	switch f.Type {
	case Opaque:
		if n := s.find(f.Path); n != nil {
			s.buryBelow(n, by)
		}
	case Whiteout:
		dir, base := path.Split(f.Path)
		if parent := s.find(path.Clean(dir)); parent != nil && parent.children[base] != nil {
			s.bury(parent.children[base], Deleted, by)
			delete(parent.children, base)
		}
	case Regular, Dir, Symlink, HardLink, Char, Block, Fifo:
	}
}

// add puts an entry at its path.
func (s *Stacked) add(f *File, self at) {
	if f.Type == Whiteout || f.Type == Opaque {
		return
	}
	fresh := &node{entry: self, content: self}
	if f.Type == Dir {
		fresh.children = map[string]*node{}
	}
	if f.Type == HardLink {
		fresh.content = nowhere
		if target := s.find(f.Link); target != nil && target.children == nil {
			fresh.content = target.content
		}
	}
	s.hold(fresh)
	if f.Path == "." {
		if f.Type == Dir {
			s.replace(s.root, fresh, self)
			s.root = fresh
		}
		return
	}
	dir, base := path.Split(f.Path)
	parent := s.makeFolder(path.Clean(dir), self)
	if old := parent.children[base]; old != nil {
		s.replace(old, fresh, self)
	}
	parent.children[base] = fresh
}

// replace buries what was at a path. A folder that stays one keeps what is in it.
func (s *Stacked) replace(old, fresh *node, by at) {
	if old.children != nil && fresh.children != nil {
		fresh.children, old.children = old.children, nil
	}
	s.bury(old, Overwritten, by)
}

// makeFolder finds a folder, or makes it as engines do for a layer that doesn't
// list it. What else was there is gone.
func (s *Stacked) makeFolder(dir string, by at) *node {
	n := s.root
	if dir == "." {
		return n
	}
	for part := range strings.SplitSeq(dir, "/") {
		next := n.children[part]
		if next == nil || next.children == nil {
			fresh := folder(nowhere)
			if next != nil {
				s.bury(next, Overwritten, by)
			}
			n.children[part] = fresh
			next = fresh
		}
		n = next
	}
	return n
}

// find returns what is at a path, nil if there is nothing. Links aren't followed.
func (s *Stacked) find(name string) *node {
	n := s.root
	if name == "." {
		return n
	}
	for part := range strings.SplitSeq(name, "/") {
		if n = n.children[part]; n == nil {
			return nil
		}
	}
	return n
}

func (s *Stacked) fate(a at) *Fate { return &s.Fates[a.layer][a.file] }

// hold counts a name of the node's content.
func (s *Stacked) hold(n *node) {
	if n.content != nowhere {
		s.fate(n.content).names++
	}
}

// bury ends a node, and all below it.
func (s *Stacked) bury(n *node, state State, by at) {
	s.buryBelow(n, by)
	if n.content != nowhere {
		content := s.fate(n.content)
		if content.names--; content.names == 0 {
			content.bury(state, by)
		}
	}
	if n.entry != nowhere && n.entry != n.content {
		s.fate(n.entry).bury(state, by) // a name of something else
	}
}

func (s *Stacked) buryBelow(n *node, by at) {
	for _, child := range n.children {
		s.bury(child, Deleted, by)
	}
	clear(n.children)
}

func (f *Fate) bury(state State, by at) { f.State, f.Layer, f.File = state, by.layer, by.file }

// Lookup finds a path, "usr/bin/env", without following links.
func (s *Stacked) Lookup(name string) (Entry, bool) {
	n := s.find(name)
	if n == nil {
		return Entry{}, false
	}
	return s.entry(name, n), true
}

// All yields the image's paths: each folder before what is in it, by name.
func (s *Stacked) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) { s.walk(".", s.root, yield) }
}

func (s *Stacked) walk(name string, n *node, yield func(Entry) bool) bool {
	if !yield(s.entry(name, n)) {
		return false
	}
	for _, base := range slices.Sorted(maps.Keys(n.children)) {
		if !s.walk(path.Join(name, base), n.children[base], yield) {
			return false
		}
	}
	return true
}

func (s *Stacked) entry(name string, n *node) Entry {
	e := Entry{Path: name, Layer: int(n.entry.layer), ContentLayer: int(n.content.layer)}
	e.File, e.Content = s.file(n.entry), s.file(n.content)
	return e
}

func (s *Stacked) file(a at) *File {
	if a == nowhere {
		return nil
	}
	return &s.layers[a.layer].Files[a.file]
}
