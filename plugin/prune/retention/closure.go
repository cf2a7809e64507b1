package retention

import (
	"fmt"
	"slices"
)

// settle finds all nodes that stay, from the entries that do, and then lets the
// brakes speak. A brake keeps more, so it is asked again until none does.
func (g *graph) settle() []Stop {
	var stops []Stop
	stopped := map[*repository]bool{}
	bases := g.bases()
	for {
		g.close(bases)
		if g.keepLast() {
			continue
		}
		again := false
		for _, r := range g.repos {
			if reason := r.brake(g.policy.Limits); reason != "" && !stopped[r] {
				stopped[r], again = true, true
				stops = append(stops, Stop{r.ref, reason})
				for _, e := range r.entries {
					e.decide(keep, "", "stopped: "+reason)
				}
			}
		}
		if !again {
			break
		}
	}
	for _, r := range g.repos {
		if r.incomplete != "" {
			stops = append(stops, Stop{r.ref, r.incomplete})
		}
	}
	slices.SortFunc(stops, func(a, b Stop) int {
		return slices.Compare([]string{a.Repository, a.Reason}, []string{b.Repository, b.Reason})
	})
	return stops
}

// close keeps what kept entries need, and marks what the others take along.
func (g *graph) close(bases *bases) {
	for {
		for _, r := range g.repos {
			for _, e := range r.entries {
				if e.fate != remove {
					g.keep(e.node, g.why(e), e.fate == unknown)
				}
			}
		}
		for _, r := range g.repos {
			if r.incomplete != "" {
				for _, n := range r.order {
					g.keep(n, "not all of the repository is known: "+r.incomplete, true)
				}
			}
		}
		g.keepUnreached()
		if !bases.keep(g) {
			return
		}
	}
}

// keepUnreached keeps nodes that no entry leads to, as a circle of indexes does.
func (g *graph) keepUnreached() {
	for _, r := range g.repos {
		for _, n := range r.order {
			n.doom = nil
		}
		for _, e := range r.entries {
			if e.fate == remove {
				g.takeAlong(e.node, e, "")
			}
		}
		for _, n := range r.order {
			if !n.kept && n.doom == nil {
				g.keep(n, "nothing says what it belongs to", true)
			}
		}
	}
}

// takeAlong marks what goes with an entry: the parts of an index, and the
// referrers of all that.
func (g *graph) takeAlong(n *node, e *entry, because string) {
	if n.kept || n.doom != nil {
		return
	}
	n.doom, n.reason = e, because
	for _, c := range n.children {
		g.takeAlong(c.node, e, "part of "+g.nameOf(n))
	}
	for _, r := range n.referrers {
		g.takeAlong(r, e, "refers to "+g.nameOf(n))
	}
}

// keep keeps a node with all that it needs: its parts, its referrers, and what it
// refers to.
func (g *graph) keep(n *node, reason string, unknown bool) {
	if n.kept {
		return
	}
	n.kept, n.reason, n.unknown = true, reason, unknown
	for _, c := range n.children {
		g.keep(c.node, "part of "+g.nameOf(n), false)
	}
	for _, r := range n.referrers {
		g.keep(r, "refers to "+g.nameOf(n), false)
	}
	for _, needed := range n.repo.needs[n] {
		g.keepTagged(needed, g.nameOf(n)+" needs it")
	}
	// A subject that stays anyway may lose some of its tags.
	if n.subject != nil && !n.subject.kept {
		g.keepTagged(n.subject, g.nameOf(n)+" refers to it")
	}
}

// keepTagged keeps a node under its names: it has to be found, not only there.
func (g *graph) keepTagged(n *node, reason string) bool {
	changed := !n.kept
	for e := range n.names {
		changed = changed || e.fate == remove
	}
	if changed {
		g.hold(n, reason)
	}
	return changed
}

// why is the reason for which an entry stays.
func (g *graph) why(e *entry) string {
	if e.fate == unselected {
		if e.orphaned() {
			return fmt.Sprintf("refers to %s, which is not there; no rule removes such", shortDigest(g.digests.text(e.node.orphan)))
		}
		return "no rule removes it"
	}
	return e.reason
}

// keepLast keeps the newest image of each repository that would lose all its
// tags. It reports whether it did.
func (g *graph) keepLast() bool {
	changed := false
	for _, r := range g.repos {
		if r.newest != nil && !slices.ContainsFunc(r.entries, func(e *entry) bool { return e.counts() && e.fate != remove }) {
			r.newest.decide(keep, "", "the last image of "+r.name)
			changed = true
		}
	}
	return changed
}

// newest is the entry of the repository's newest image.
func (g *graph) newest(r *repository) *entry {
	var newest *ranked
	for _, e := range r.entries {
		if !e.counts() {
			continue
		}
		t, _ := g.time(e.node, Created)
		if image := (&ranked{e.node, []*entry{e}, t}); newest == nil || g.newerFirst(image, newest) < 0 {
			newest = image
		}
	}
	if newest == nil {
		return nil
	}
	return newest.entries[0]
}

// counts reports a tag of an image that stands for itself.
func (e *entry) counts() bool { return e.tag != "" && !e.orphaned() }

// brake says why too much of the repository would go, or "".
func (r *repository) brake(limits Limits) string {
	all, gone := 0, 0
	for _, e := range r.entries {
		if !e.counts() || e != e.node.entries {
			continue
		}
		all++
		if !e.node.kept || !e.node.found(nil) {
			gone++
		}
	}
	if float64(gone) <= limits.Share*float64(all) {
		return ""
	}
	return fmt.Sprintf("%d of its %s would go, more than %.4g%%", gone, plural(int64(all), "image"), limits.Share*100)
}

// found reports that a tag which stays leads to a node that stays, by itself or as a
// part of an index. Without one it is there, and as good as lost.
func (n *node) found(seen map[*node]bool) bool {
	for e := range n.names {
		if e.tag != "" && e.fate != remove {
			return true
		}
	}
	if len(n.parents) == 0 || seen[n] { // a circle of indexes
		return false
	}
	if seen == nil {
		seen = map[*node]bool{}
	}
	seen[n] = true
	return slices.ContainsFunc(n.parents, func(p *node) bool { return p.found(seen) })
}

// bases finds images that others are built on: those that they name, and those
// whose layers they begin with. Chains of layers are numbered as a trie.
type bases struct {
	named  map[digest][]*node // by the digest that an image names
	chains map[link]int
	images map[int][]*node // by the chain of all of their layers
}

type link struct {
	below int
	layer digest
}

// layers are those of an image, from the lowest.
func (n *node) layers() []blob {
	if blobs := n.blobs(); n.kind == KindImage && len(blobs) > 1 {
		return blobs[1:]
	}
	return nil
}

// bases is nil when bases aren't kept.
func (g *graph) bases() *bases {
	if g.policy.RemoveBases {
		return nil
	}
	b := &bases{map[digest][]*node{}, map[link]int{}, map[int][]*node{}}
	below := make([]bool, g.digests.count+1) // layers that another one lies on
	for _, r := range g.repos {
		for _, n := range r.order {
			if n.base != 0 {
				b.named[n.base] = nil
			}
			if layers := n.layers(); layers != nil {
				for _, layer := range layers[:len(layers)-1] {
					below[layer.digest] = true
				}
			}
		}
	}
	for _, r := range g.repos {
		for _, n := range r.order {
			if others, named := b.named[n.digest]; named {
				b.named[n.digest] = append(others, n)
			}
			if layers := n.layers(); layers != nil && below[layers[len(layers)-1].digest] {
				chain := b.number(layers)
				b.images[chain] = append(b.images[chain], n)
			}
		}
	}
	return b
}

// number is the number of a chain of layers.
func (b *bases) number(layers []blob) int {
	chain := 0
	for _, layer := range layers {
		l := link{chain, layer.digest}
		if b.chains[l] == 0 {
			b.chains[l] = len(b.chains) + 1
		}
		chain = b.chains[l]
	}
	return chain
}

// keep keeps the bases of what is kept, and reports whether that changed anything.
func (b *bases) keep(g *graph) bool {
	if b == nil {
		return false
	}
	changed := false
	for _, r := range g.repos {
		for _, n := range r.order {
			if !n.kept || n.kind == KindIndex {
				continue
			}
			for base := range b.of(n) {
				changed = g.keepTagged(base, g.nameOf(n)+" is built on it") || changed
			}
		}
	}
	return changed
}

// of are the images that one is built on.
func (b *bases) of(n *node) func(func(*node) bool) {
	return func(yield func(*node) bool) {
		for _, base := range b.named[n.base] {
			if base != n && !yield(base) {
				return
			}
		}
		layers, chain := n.layers(), 0
		for _, layer := range layers[:max(0, len(layers)-1)] {
			if chain = b.chains[link{chain, layer.digest}]; chain == 0 {
				return // no image begins so
			}
			for _, base := range b.images[chain] {
				if !yield(base) {
					return
				}
			}
		}
	}
}
