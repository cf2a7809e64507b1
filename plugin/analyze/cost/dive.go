package cost

import (
	"path"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// dive computes the figures of wagoodman/dive 0.13 by its formulas, for those
// who gate on them. Over the leaves of each layer's tree, for a path that occurs
// n times with sizes s:
//
//	efficiency  = Σ min(s) / Σ Σ s
//	wastedBytes = Σ Σ s of paths with n > 1
//	userWasted  = wastedBytes / what all layers but the lowest ship
//
// A deleted file counts with size 0, and a deleted folder with the size of all
// that is below it. Opaque folders aren't counted. So a folder that a later layer
// deletes isn't waste to dive: docs/analyze.md has the differences.
func Dive(layers []*image.Layer) report.Dive {
	d := diver{paths: map[string]appearances{}, root: &place{}}
	var user int64
	for i, l := range layers {
		d.layer(l.Files)
		if i == 0 {
			continue
		}
		for j := range l.Files {
			user += l.Files[j].Size
		}
	}
	var least, all, wasted int64
	for _, a := range d.paths {
		least += a.least
		all += a.sum
		if a.n > 1 {
			wasted += a.sum
		}
	}
	out := report.Dive{Efficiency: 1, WastedBytes: wasted}
	if all > 0 {
		out.Efficiency = float64(least) / float64(all)
	}
	if user > 0 {
		out.UserWastedPercent = float64(wasted) / float64(user)
	}
	return out
}

type diver struct {
	paths map[string]appearances
	root  *place // what the layers so far unpack to, as dive stacks them
}

type appearances struct {
	n          int
	sum, least int64
}

type place struct {
	size     int64
	children map[string]*place
}

// layer counts one layer's leaves, and then stacks it.
func (d *diver) layer(files []image.File) {
	inner, last := map[string]bool{}, make(map[string]*image.File, len(files))
	for i := range files {
		f := &files[i]
		if f.Type == image.Opaque || f.Path == "." {
			continue
		}
		last[f.Path] = f
		for dir := path.Dir(f.Path); dir != "." && !inner[dir]; dir = path.Dir(dir) {
			inner[dir] = true
		}
	}
	for name, f := range last {
		if inner[name] {
			continue
		}
		size := f.Size
		if f.Type == image.Whiteout {
			size = d.root.find(name).below()
		}
		d.count(name, size)
	}
	for _, f := range last {
		if f.Type == image.Whiteout {
			d.root.remove(f.Path)
		}
	}
	for _, f := range last {
		if f.Type != image.Whiteout {
			d.root.make(f.Path).size = f.Size
		}
	}
}

func (d *diver) count(name string, size int64) {
	a, seen := d.paths[name]
	if !seen {
		a.least = size
	}
	a.n++
	a.sum += size
	a.least = min(a.least, size)
	d.paths[name] = a
}

// find returns the place of a path; nil if there is none.
func (p *place) find(name string) *place {
	for part := range strings.SplitSeq(name, "/") {
		if p == nil {
			return nil
		}
		p = p.children[part]
	}
	return p
}

// make finds or makes the place of a path.
func (p *place) make(name string) *place {
	for part := range strings.SplitSeq(name, "/") {
		next := p.children[part]
		if next == nil {
			next = &place{}
			if p.children == nil {
				p.children = map[string]*place{}
			}
			p.children[part] = next
		}
		p = next
	}
	return p
}

func (p *place) remove(name string) {
	dir, base := path.Split(name)
	if dir != "" {
		p = p.find(path.Clean(dir))
	}
	if p != nil {
		delete(p.children, base)
	}
}

// below is the size of all that is in a folder; 0 for files.
func (p *place) below() int64 {
	if p == nil {
		return 0
	}
	var sum int64
	for _, child := range p.children {
		sum += child.size + child.below()
	}
	return sum
}
