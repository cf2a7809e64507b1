package retention

import (
	"fmt"
	"slices"
)

// settle finds all nodes that stay, from the entries that do, and then lets the
// brakes speak. A brake keeps more, so it is asked again until none does.
func (g *graph) settle(p *Policy) []Stop {
	var stops []Stop
	stopped := map[*repository]bool{}
	bases := g.bases(p.RemoveBases)
	for {
		g.close(bases)
		if g.keepLast(p.Limits) {
			continue
		}
		again := false
		for _, r := range g.repos {
			if reason := r.brake(p.Limits); reason != "" && !stopped[r] {
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
		if r.Incomplete != "" {
			stops = append(stops, Stop{r.ref, r.Incomplete})
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
		for e := range g.entries {
			if e.fate != remove {
				g.keep(e.node, e.why(), e.fate == unknown)
			}
		}
		for _, r := range g.repos {
			for _, n := range r.order {
				if r.Incomplete != "" {
					g.keep(n, "not all of the repository is known: "+r.Incomplete, true)
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
				e.node.takeAlong(e, "")
			}
		}
		for _, n := range r.order {
			if n.kept == "" && n.doom == nil {
				g.keep(n, "nothing says what it belongs to", true)
			}
		}
	}
}

// takeAlong marks what goes with an entry: the parts of an index, and the
// referrers of all that.
func (n *node) takeAlong(e *entry, because string) {
	if n.kept != "" || n.doom != nil {
		return
	}
	n.doom, n.because = e, because
	for _, c := range n.children {
		c.takeAlong(e, "part of "+n.title())
	}
	for _, r := range n.referrers {
		r.takeAlong(e, "refers to "+n.title())
	}
}

// keep keeps a node with all that it needs: its parts, its referrers, and what it
// refers to.
func (g *graph) keep(n *node, reason string, unknown bool) {
	if n.kept != "" {
		return
	}
	n.kept, n.unknown = reason, unknown
	for _, c := range n.children {
		g.keep(c, "part of "+n.title(), false)
	}
	for _, r := range n.referrers {
		g.keep(r, "refers to "+n.title(), false)
	}
	for _, needed := range n.needs {
		g.keepTagged(needed, n.title()+" needs it")
	}
	// A subject that stays anyway may lose some of its tags.
	if n.subject != nil && n.subject.kept == "" {
		g.keepTagged(n.subject, n.title()+" refers to it")
	}
}

// keepTagged keeps a node under its names: it has to be found, not only there.
func (g *graph) keepTagged(n *node, reason string) bool {
	changed := n.kept == ""
	for _, e := range n.entries {
		changed = changed || e.fate == remove
	}
	if changed {
		g.hold(n, reason)
	}
	return changed
}

// why is the reason for which an entry stays.
func (e *entry) why() string {
	if e.fate == unselected {
		if e.orphaned() {
			return fmt.Sprintf("refers to %s, which is not there; no rule removes such", shortDigest(e.node.orphan))
		}
		return "no rule removes it"
	}
	return e.reason
}

// keepLast keeps the newest image of each repository that would lose all its
// tags. It reports whether it did.
func (g *graph) keepLast(limits Limits) bool {
	changed := false
	for _, r := range g.repos {
		var newest *ranked
		for _, e := range r.entries {
			if e.tag == "" || e.orphaned() {
				continue
			}
			if e.fate != remove || !limits.KeepLast {
				newest = nil
				break
			}
			t, _ := g.time(e.node, Created)
			if image := (&ranked{e.node, []*entry{e}, t}); newest == nil || newerFirst(image, newest) < 0 {
				newest = image
			}
		}
		if newest != nil {
			newest.entries[0].decide(keep, "", "the last image of "+r.Name)
			changed = true
		}
	}
	return changed
}

// brake says why too much of the repository would go, or "".
func (r *repository) brake(limits Limits) string {
	all, gone := map[*node]bool{}, 0
	for _, e := range r.entries {
		if e.tag == "" || e.orphaned() || all[e.node] {
			continue
		}
		all[e.node] = true
		if e.node.kept == "" {
			gone++
		}
	}
	if float64(gone) <= limits.Share*float64(len(all)) {
		return ""
	}
	return fmt.Sprintf("%d of its %s would go, more than %.4g%%", gone, plural(int64(len(all)), "image"), limits.Share*100)
}

// bases finds images that others are built on: those that they name, and those
// whose layers they begin with. Chains of layers are numbered as a trie.
type bases struct {
	chains map[link]int
	images map[int][]*node
}

type link struct {
	below int
	layer string
}

// bases is nil when bases aren't kept.
func (g *graph) bases(no bool) *bases {
	if no {
		return nil
	}
	b := &bases{map[link]int{}, map[int][]*node{}}
	for _, r := range g.repos {
		for _, n := range r.order {
			if n.Kind != KindImage || len(n.Blobs) < 2 {
				continue
			}
			chain := 0
			for _, layer := range n.Blobs[1:] {
				l := link{chain, layer.Digest}
				if b.chains[l] == 0 {
					b.chains[l] = len(b.chains) + 1
				}
				chain = b.chains[l]
			}
			b.images[chain] = append(b.images[chain], n)
		}
	}
	return b
}

// keep keeps the bases of what is kept, and reports whether that changed anything.
func (b *bases) keep(g *graph) bool {
	if b == nil {
		return false
	}
	changed := false
	for _, r := range g.repos {
		for _, n := range r.order {
			if n.kept == "" || n.Kind == KindIndex {
				continue
			}
			for base := range b.of(g, n) {
				changed = g.keepTagged(base, n.title()+" is built on it") || changed
			}
		}
	}
	return changed
}

// of are the images that one is built on.
func (b *bases) of(g *graph, n *node) func(func(*node) bool) {
	return func(yield func(*node) bool) {
		for _, base := range g.byDigest[n.Base] {
			if base != n && !yield(base) {
				return
			}
		}
		if n.Kind != KindImage || len(n.Blobs) < 2 {
			return
		}
		chain := 0
		for _, layer := range n.Blobs[1 : len(n.Blobs)-1] {
			chain = b.chains[link{chain, layer.Digest}]
			for _, base := range b.images[chain] {
				if !yield(base) {
					return
				}
			}
		}
	}
}
