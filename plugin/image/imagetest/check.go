package imagetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// Check holds an image that was read with contents hashed and visited by
// FirstByte against the case.
func (c Case) Check(t *testing.T, img *image.Image) {
	t.Helper()
	if len(img.Layers) != len(c.Layers) {
		t.Fatalf("%d layers, want %d", len(img.Layers), len(c.Layers))
	}
	for i, layer := range img.Layers {
		c.checkLayer(t, i, layer)
	}
	c.checkStack(t, image.Stack(img.Layers), img.Layers)
}

func (c Case) checkLayer(t *testing.T, i int, got *image.Layer) {
	t.Helper()
	if want := fmt.Sprintf("COPY layer %d", i); got.History == nil || got.History.CreatedBy != want {
		t.Errorf("layer %d: history %v, want %q", i, got.History, want)
	}
	if n := int64(len(Tar(t, c.Layers[i]))); got.Tar != n {
		t.Errorf("layer %d: its tar has %d bytes, want %d", i, got.Tar, n)
	}
	if !got.Hashed || len(got.Files) != len(c.Layers[i]) {
		t.Fatalf("layer %d: %d entries, hashed: %v; want %d, true", i, len(got.Files), got.Hashed, len(c.Layers[i]))
	}
	notes := map[int]string{}
	for _, n := range got.Notes[FirstByte.Name] {
		notes[n.File] = string(n.Data)
	}
	for j, want := range c.Layers[i] {
		f := &got.Files[j]
		if line, wantLine := describe(f), want.describe(); line != wantLine {
			t.Errorf("layer %d, entry %d:\n got %s\nwant %s", i, j, line, wantLine)
		}
		if want.Kind != "file" {
			continue
		}
		content := want.Content()
		if sum := xxh3.Hash(content); f.Hash != sum {
			t.Errorf("layer %d, %s: hash %x, want %x", i, f.Path, f.Hash, sum)
		}
		if FirstByte.Wants(f) && notes[j] != string(content[0]) {
			t.Errorf("layer %d, %s: the visitor saw %q, want %q", i, f.Path, notes[j], content[0])
		}
	}
}

var kinds = map[image.Type]string{
	image.Regular: "file", image.Dir: "dir", image.HardLink: "link", image.Symlink: "symlink",
	image.Fifo: "fifo", image.Char: "device", image.Whiteout: "whiteout", image.Opaque: "opaque",
}

func describe(f *image.File) string {
	return fmt.Sprintf("%s %s -> %q, %d bytes, mode %o, owner %d:%d, device %d:%d, attributes %v, time %d",
		kinds[f.Type], f.Path, f.Link, f.Size, f.Mode, f.UID, f.GID, f.Major, f.Minor, f.Xattrs, f.ModTime)
}

func (e Entry) describe() string {
	f := image.File{
		Path: e.Path, Link: e.Target, Size: e.Size, Mode: uint16(e.Mode), UID: uint32(e.UID), GID: uint32(e.GID), ModTime: 1700000000,
	}
	for kind, name := range kinds {
		if name == e.Kind {
			f.Type = kind
		}
	}
	if e.Kind == "device" {
		f.Major, f.Minor = 1, 3
	}
	if e.Xattr[0] != "" {
		f.Xattrs = map[string]string{e.Xattr[0]: e.Xattr[1]}
	}
	return describe(&f)
}

func (c Case) checkStack(t *testing.T, s *image.Stacked, layers []*image.Layer) {
	t.Helper()
	got := Truth{Gone: map[string]int{}}
	for i, layer := range layers {
		for j := range layer.Files {
			f, fate := &layer.Files[j], s.Fates[i][j]
			got.Shipped += f.Size
			switch fate.State {
			case image.Live:
				got.Live += f.Size
				continue
			case image.Overwritten:
				got.Overwritten += f.Size
			case image.Deleted:
				got.Deleted += f.Size
			}
			got.Gone[fmt.Sprintf("%d:%s", i, f.Path)] = int(fate.Layer)
		}
	}
	if got.Shipped != c.Truth.Shipped || got.Live != c.Truth.Live || got.Overwritten != c.Truth.Overwritten || got.Deleted != c.Truth.Deleted {
		t.Errorf("shipped %d, live %d, overwritten %d, deleted %d; want %d, %d, %d, %d", got.Shipped, got.Live, got.Overwritten, got.Deleted,
			c.Truth.Shipped, c.Truth.Live, c.Truth.Overwritten, c.Truth.Deleted)
	}
	if !maps.Equal(got.Gone, c.Truth.Gone) {
		t.Errorf("gone %v, want %v", got.Gone, c.Truth.Gone)
	}
	for e := range s.All() {
		if e.Path == "." {
			continue
		}
		name := e.Path
		if e.File == nil || e.File.Type == image.Dir {
			name += "/"
		}
		got.Tree = append(got.Tree, name)
		if found, ok := s.Lookup(e.Path); !ok || found != e {
			t.Errorf("looking up %s gives %v, %v; want %v", e.Path, found, ok, e)
		}
	}
	if !slices.Equal(got.Tree, c.Truth.Tree) {
		t.Errorf("tree %q, want %q", got.Tree, c.Truth.Tree)
	}
}
