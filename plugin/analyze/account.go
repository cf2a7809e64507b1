package analyze

import (
	"cmp"
	"slices"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// costs are the bytes of an image, charged to its layers.
type costs struct {
	totals Totals
	layers []Layer
	// graves are dead bytes by who shipped, who buried, and how; the largest first.
	graves []*grave
	// copies are contents that are live several times, the costliest first.
	copies []*copies
}

// grave is what one layer buried of another.
type grave struct {
	shipped, buried int // layers
	how             burial
	bytes           int64
	files           []*image.File
}

// burial is how a content died.
type burial int

const (
	deleted burial = iota
	overwritten
	recopied // overwritten by the same content
)

// copies are the live paths of one content.
type copies struct {
	bytes int64 // of all but one
	paths []string
	layer int // of the last
}

// account charges each byte to the layers that shipped and buried it.
func account(layers []*image.Layer, stacked *image.Stacked) *costs {
	c := &costs{layers: make([]Layer, len(layers))}
	type key struct {
		shipped, buried int
		how             burial
	}
	graves := map[key]*grave{}
	for i, l := range layers {
		c.layers[i].Index, c.layers[i].CompressedBytes, c.layers[i].Entries = i, l.Compressed, len(l.Files)
		c.totals.CompressedBytes += l.Compressed
		for j := range l.Files {
			f, fate := &l.Files[j], stacked.Fates[i][j]
			c.layers[i].Bytes += f.Size
			c.totals.ShippedBytes += f.Size
			if fate.State == image.Live || f.Size == 0 {
				continue
			}
			k := key{i, int(fate.Layer), how(f, l, fate, layers)}
			g := graves[k]
			if g == nil {
				g = &grave{shipped: k.shipped, buried: k.buried, how: k.how}
				graves[k] = g
				c.graves = append(c.graves, g)
			}
			g.bytes += f.Size
			g.files = append(g.files, f)
		}
	}
	c.sum()
	c.duplicates(stacked)
	c.totals.Files--
	return c
}

// how tells a content that came again from one that changed. Without hashes
// that can't be told.
func how(f *image.File, shipped *image.Layer, fate image.Fate, layers []*image.Layer) burial {
	if fate.State == image.Deleted {
		return deleted
	}
	by := layers[fate.Layer]
	next := &by.Files[fate.File]
	if shipped.Hashed && by.Hashed && next.Type == image.Regular && next.Size == f.Size && next.Hash == f.Hash {
		return recopied
	}
	return overwritten
}

// sum adds the graves up.
func (c *costs) sum() {
	t := &c.totals
	for _, g := range c.graves {
		c.layers[g.shipped].DeadBytes += g.bytes
		c.layers[g.buried].BuriedBytes += g.bytes
		switch g.how {
		case deleted:
			t.DeletedBytes += g.bytes
		case recopied:
			t.MetadataOnlyBytes += g.bytes
			c.layers[g.buried].MetadataOnlyBytes += g.bytes
			t.OverwrittenBytes += g.bytes
		case overwritten:
			t.OverwrittenBytes += g.bytes
		}
		slices.SortStableFunc(g.files, func(a, b *image.File) int { return cmp.Compare(b.Size, a.Size) })
	}
	slices.SortStableFunc(c.graves, func(a, b *grave) int { return cmp.Compare(b.bytes, a.bytes) })
	t.DeadBytes = t.OverwrittenBytes + t.DeletedBytes
	t.LiveBytes = t.ShippedBytes - t.DeadBytes
	t.Efficiency = 1
	if t.ShippedBytes > 0 {
		t.Efficiency = float64(t.LiveBytes) / float64(t.ShippedBytes)
	}
}

// duplicates finds contents that are live several times, but not hard links,
// which share one.
func (c *costs) duplicates(stacked *image.Stacked) {
	type content struct {
		size int64
		hash uint64
	}
	seen, all := map[content]*copies{}, map[*image.File]bool{}
	for e := range stacked.All() {
		c.totals.Files++
		f := e.Content
		if f == nil || f.Type != image.Regular || f.Size == 0 || f.Hash == 0 || all[f] {
			continue
		}
		all[f] = true
		key := content{f.Size, f.Hash}
		same := seen[key]
		if same == nil {
			seen[key] = &copies{paths: []string{e.Path}, layer: e.ContentLayer}
			continue
		}
		if len(same.paths) == 1 {
			c.copies = append(c.copies, same)
		}
		same.bytes += f.Size
		same.paths = append(same.paths, e.Path)
		same.layer = max(same.layer, e.ContentLayer)
		c.totals.DuplicateBytes += f.Size
	}
	slices.SortStableFunc(c.copies, func(a, b *copies) int { return cmp.Compare(b.bytes, a.bytes) })
}
