// Package cost charges the bytes of an image to its layers, and says what they
// cost to pull.
package cost

import (
	"cmp"
	"slices"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// Costs are the bytes of an image, charged to its layers.
type Costs struct {
	Totals report.Totals
	Layers []report.Layer
	// Graves are dead bytes by who shipped, who buried, and how; the largest first.
	Graves []*Grave
	// Copies are contents that are live several times, the costliest first.
	Copies []*Copies
}

// Grave is what one layer buried of another.
type Grave struct {
	Shipped, Buried int // layers
	How             Burial
	Bytes           int64
	Files           []*image.File
}

// Burial is how a content died.
type Burial int

// How contents die.
const (
	Deleted Burial = iota
	Overwritten
	Recopied // overwritten by the same content
)

// Copies are the live paths of one content.
type Copies struct {
	Bytes int64 // of all but one
	Paths []string
	Layer int // of the last
}

// Account charges each byte to the layers that shipped and buried it.
func Account(layers []*image.Layer, stacked *image.Stacked) *Costs {
	c := &Costs{Layers: make([]report.Layer, len(layers))}
	type key struct {
		shipped, buried int
		how             Burial
	}
	graves := map[key]*Grave{}
	for i, l := range layers {
		c.Layers[i].Index, c.Layers[i].CompressedBytes, c.Layers[i].Entries = i, l.Compressed, len(l.Files)
		c.Totals.CompressedBytes += l.Compressed
		for j := range l.Files {
			f, fate := &l.Files[j], stacked.Fates[i][j]
			c.Layers[i].Bytes += f.Size
			c.Totals.ShippedBytes += f.Size
			if fate.State == image.Live || f.Size == 0 {
				continue
			}
			k := key{i, int(fate.Layer), how(f, l, fate, layers)}
			g := graves[k]
			if g == nil {
				g = &Grave{Shipped: k.shipped, Buried: k.buried, How: k.how}
				graves[k] = g
				c.Graves = append(c.Graves, g)
			}
			g.Bytes += f.Size
			g.Files = append(g.Files, f)
		}
	}
	c.sum()
	c.duplicates(layers, stacked)
	c.Totals.Files--
	return c
}

// how tells a content that came again from one that changed. Without hashes
// that can't be told.
func how(f *image.File, shipped *image.Layer, fate image.Fate, layers []*image.Layer) Burial {
	if fate.State == image.Deleted {
		return Deleted
	}
	by := layers[fate.Layer]
	next := &by.Files[fate.File]
	if shipped.Hashed && by.Hashed && next.Type == image.Regular && next.Size == f.Size && next.Hash == f.Hash {
		return Recopied
	}
	return Overwritten
}

// sum adds the graves up.
func (c *Costs) sum() {
	t := &c.Totals
	for _, g := range c.Graves {
		c.Layers[g.Shipped].DeadBytes += g.Bytes
		c.Layers[g.Buried].BuriedBytes += g.Bytes
		switch g.How {
		case Deleted:
			t.DeletedBytes += g.Bytes
		case Recopied:
			t.MetadataOnlyBytes += g.Bytes
			c.Layers[g.Buried].MetadataOnlyBytes += g.Bytes
			t.OverwrittenBytes += g.Bytes
		case Overwritten:
			t.OverwrittenBytes += g.Bytes
		}
		slices.SortStableFunc(g.Files, func(a, b *image.File) int { return cmp.Compare(b.Size, a.Size) })
	}
	slices.SortStableFunc(c.Graves, func(a, b *Grave) int { return cmp.Compare(b.Bytes, a.Bytes) })
	t.DeadBytes = t.OverwrittenBytes + t.DeletedBytes
	t.LiveBytes = t.ShippedBytes - t.DeadBytes
	t.Efficiency = 1
	if t.ShippedBytes > 0 {
		t.Efficiency = float64(t.LiveBytes) / float64(t.ShippedBytes)
	}
}

// content tells contents apart.
type content struct {
	size int64
	hash uint64
}

// duplicates finds contents that are live several times, but not hard links,
// which share one. It looks for them before it goes over the image: to remember each
// path, where few contents have a second one, would take most of the memory.
func (c *Costs) duplicates(layers []*image.Layer, stacked *image.Stacked) {
	several := map[content]bool{} // false: once
	for i, l := range layers {
		for j := range l.Files {
			if key, ok := alike(&l.Files[j]); ok && stacked.Fates[i][j].State == image.Live {
				_, again := several[key]
				several[key] = again
			}
		}
	}
	found, linked := map[content]*Copies{}, map[*image.File]bool{}
	for e := range stacked.All() {
		c.Totals.Files++
		key, ok := alike(e.Content)
		if !ok || !several[key] || linked[e.Content] {
			continue
		}
		linked[e.Content] = true
		same := found[key]
		if same == nil {
			found[key] = &Copies{Paths: []string{e.Path}, Layer: e.ContentLayer}
			continue
		}
		if len(same.Paths) == 1 {
			c.Copies = append(c.Copies, same)
		}
		same.Bytes += key.size
		same.Paths = append(same.Paths, e.Path)
		same.Layer = max(same.Layer, e.ContentLayer)
		c.Totals.DuplicateBytes += key.size
	}
	slices.SortStableFunc(c.Copies, func(a, b *Copies) int { return cmp.Compare(b.Bytes, a.Bytes) })
}

// alike is what is the same of a file and its copies; false where there is nothing to
// be.
func alike(f *image.File) (content, bool) {
	if f == nil || f.Type != image.Regular || f.Size == 0 || f.Hash == 0 {
		return content{}, false
	}
	return content{f.Size, f.Hash}, true
}
