package retention

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// verdict is what is to become of an entry. Among several, the higher fate wins,
// and among equal ones the first.
type verdict struct {
	fate   fate
	rule   string
	reason string
}

type fate int

const (
	unselected fate = iota
	remove
	unknown // kept, for too little is known
	keep
)

func (v *verdict) decide(f fate, rule, reason string) {
	if f > v.fate {
		*v = verdict{f, rule, reason}
	}
}

// judge lets every rule of the policy speak.
func (g *graph) judge(p *Policy) {
	for i := range p.Rules {
		r := &p.Rules[i]
		order, groups := g.group(r)
		basis := cmp.Or(r.Age, p.Age, Created)
		for _, key := range order {
			if r.Keep || r.Remove {
				r.all(groups[key])
			}
			if r.KeepLatest > 0 || r.MaxAge > 0 || r.MaxCount >= 0 {
				g.rank(r, key, basis, groups[key])
			}
		}
	}
}

// group sorts what a rule selects into its groups, in the order of the inventory.
func (g *graph) group(r *Rule) (order []string, groups map[string][]*entry) {
	groups = map[string][]*entry{}
	for e := range g.entries {
		if !r.Select.matches(e, r.Keep) {
			continue
		}
		key := r.key(e)
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], e)
	}
	return order, groups
}

func (r *Rule) all(selected []*entry) {
	for _, e := range selected {
		if r.Keep {
			e.decide(keep, r.Name, fmt.Sprintf("rule %s keeps it", r.Name))
		} else {
			e.decide(remove, r.Name, cmp.Or(r.Reason, "selected by its rule"))
		}
	}
}

// ranked is an image with all its selected tags of one group.
type ranked struct {
	node    *node
	entries []*entry
	time    time.Time
}

// rank orders the images of one group, newest first, and holds the rule's bounds
// to them. Images of unknown age have no rank.
func (g *graph) rank(r *Rule, key string, basis Basis, selected []*entry) {
	byNode := map[*node]*ranked{}
	var images []*ranked
	for _, e := range selected {
		t, known := g.time(e.node, basis)
		if !known {
			e.decide(unknown, r.Name, fmt.Sprintf("when it was %s is not known", basis.did()))
			continue
		}
		image := byNode[e.node]
		if image == nil {
			image = &ranked{node: e.node, time: t}
			byNode[e.node] = image
			images = append(images, image)
		}
		image.entries = append(image.entries, e)
	}
	for _, image := range images {
		slices.SortFunc(image.entries, func(a, b *entry) int { return natural(b.tag, a.tag) })
	}
	slices.SortFunc(images, newerFirst)
	for i, image := range images {
		fate, reason := r.bounds(i, g.Taken.Sub(image.time), key, basis)
		for _, e := range image.entries {
			e.decide(fate, r.Name, reason)
		}
	}
}

// newerFirst is a total order: images of the same time are told apart by their
// highest tag, then by repository and digest.
func newerFirst(a, b *ranked) int {
	return cmp.Or(b.time.Compare(a.time), natural(b.entries[0].tag, a.entries[0].tag),
		cmp.Compare(a.node.repo.Name, b.node.repo.Name), cmp.Compare(a.node.Digest, b.node.Digest))
}

// bounds judges the image at a place (from 0) among the newest of its group.
func (r *Rule) bounds(place int, old time.Duration, group string, basis Basis) (fate, string) {
	if place < r.KeepLatest {
		return keep, fmt.Sprintf("%s of %s, rule %s keeps %d", newest(place), group, r.Name, r.KeepLatest)
	}
	var exceeded []string
	met := 0
	if r.MaxAge > 0 {
		if old > r.MaxAge {
			exceeded = append(exceeded, fmt.Sprintf("%s %s ago, over %s", basis.did(), beyond(old, r.MaxAge), lasting(r.MaxAge)))
		} else {
			met++
		}
	}
	if r.MaxCount >= 0 {
		if place >= r.MaxCount {
			exceeded = append(exceeded, fmt.Sprintf("%s of %s, over %d", newest(place), group, r.MaxCount))
		} else {
			met++
		}
	}
	if len(exceeded) > 0 && (r.Any || met == 0) {
		return remove, strings.Join(exceeded, "; ")
	}
	return unselected, ""
}

func newest(place int) string {
	if place == 0 {
		return "newest"
	}
	return ordinal(place+1) + " newest"
}

// matches reports that the selector is about an entry. A generous one is content
// with one platform of an index; orphans are for rules that ask for them.
func (s *Selector) matches(e *entry, generous bool) bool {
	n := e.node
	if s.Orphaned != e.orphaned() && (s.Orphaned || !generous) {
		return false
	}
	if s.Untagged && e.tag != "" || e.tag == "" && len(s.Tag)+len(s.Reference) > 0 {
		return false
	}
	if s.Digest != "" && s.Digest != n.Digest {
		return false
	}
	for _, part := range []struct {
		patterns []Pattern
		name     string
	}{{s.Repository, n.repo.Name}, {s.Tag, e.tag}, {s.Reference, n.repo.Name + ":" + e.tag}} {
		if _, ok := first(part.patterns, part.name); !ok && len(part.patterns) > 0 {
			return false
		}
	}
	if s.LargerThan > 0 && n.bytes() <= s.LargerThan {
		return false
	}
	if len(s.Label)+len(s.Platform) == 0 {
		return true
	}
	some, all := false, true
	for image := range n.images {
		ok := s.suits(image)
		some, all = some || ok, all && ok
	}
	return some && (all || generous)
}

// suits compares labels and platform of one image.
func (s *Selector) suits(n *node) bool {
	if _, ok := first(s.Platform, n.Platform); !ok && len(s.Platform) > 0 {
		return false
	}
	for _, l := range s.Label {
		value, ok := n.Labels[l.Name]
		if _, fits := first(l.Value, value); !ok || !fits && len(l.Value) > 0 {
			return false
		}
	}
	return true
}

// bytes is the size of all that an image consists of.
func (n *node) bytes() int64 {
	var sum int64
	for image := range n.images {
		for _, b := range image.Blobs {
			sum += b.Bytes
		}
	}
	return sum
}

// key is what an entry's group is called.
func (r *Rule) key(e *entry) string {
	by := r.Group
	if by == nil {
		by = []Key{{By: ByRepository}}
	}
	var parts []string
	for _, k := range by {
		switch k.By {
		case ByRepository:
			parts = append(parts, e.node.repo.Name)
		case ByLabel:
			parts = append(parts, k.Label+"="+labelOf(e.node, k.Label))
		case ByCapture:
			p, ok := first(r.Select.Tag, e.tag)
			name := e.tag
			if !ok || p.captures(name) == nil {
				name = e.node.repo.Name + ":" + e.tag
				p, _ = first(r.Select.Reference, name)
			}
			parts = append(parts, strings.Join(p.captures(name), ","))
		}
	}
	if len(parts) == 0 {
		return "all"
	}
	return strings.Join(parts, " ")
}

// labelOf is a label's value; the platforms of an index may differ.
func labelOf(n *node, label string) string {
	var values []string
	for image := range n.images {
		values = append(values, image.Labels[label])
	}
	slices.Sort(values)
	return strings.Join(slices.Compact(values), ",")
}
