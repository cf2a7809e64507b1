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

// judge lets every rule of the policy speak about repositories.
func (g *graph) judge(repos []*repository) {
	for i := range g.policy.Rules {
		r := &g.policy.Rules[i]
		order, groups := r.group(repos)
		basis := cmp.Or(r.Age, g.policy.Age, Created)
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
func (r *Rule) group(repos []*repository) (order []string, groups map[string][]*entry) {
	groups = map[string][]*entry{}
	for _, repo := range repos {
		for _, e := range repo.entries {
			if !r.Select.matches(e, r.Keep) {
				continue
			}
			key := r.key(e)
			if groups[key] == nil {
				order = append(order, key)
			}
			groups[key] = append(groups[key], e)
		}
	}
	return order, groups
}

// spans reports that images of several repositories may be in one group.
func (r *Rule) spans() bool {
	return r.Group != nil && !slices.ContainsFunc(r.Group, func(k Key) bool { return k.By == ByRepository })
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
	slices.SortFunc(images, g.newerFirst)
	for i, image := range images {
		fate, reason := r.bounds(i, g.head.Taken.Sub(image.time), key, basis)
		for _, e := range image.entries {
			e.decide(fate, r.Name, reason)
		}
	}
}

// newerFirst is a total order: images of the same time are told apart by their
// highest tag, then by repository and digest.
func (g *graph) newerFirst(a, b *ranked) int {
	if c := b.time.Compare(a.time); c != 0 {
		return c // as nearly always
	}
	return cmp.Or(natural(b.entries[0].tag, a.entries[0].tag),
		cmp.Compare(a.node.repo.name, b.node.repo.name), g.byDigest(a.node, b.node))
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
	if s.Digest != "" && s.Digest != n.facts.Digest {
		return false
	}
	if !fits(s.Repository, n.repo.name) || !fits(s.Tag, e.tag) || len(s.Reference) > 0 && !fits(s.Reference, n.repo.name+":"+e.tag) {
		return false
	}
	if s.LargerThan > 0 && n.size() <= s.LargerThan {
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
	if !fits(s.Platform, n.facts.Platform) {
		return false
	}
	for _, l := range s.Label {
		if value, ok := n.facts.Labels[l.Name]; !ok || !fits(l.Value, value) {
			return false
		}
	}
	return true
}

// fits reports that one of the patterns matches, or that there are none.
func fits(patterns []Pattern, name string) bool {
	if len(patterns) == 0 {
		return true
	}
	_, ok := first(patterns, name)
	return ok
}

// size is that of all that an image consists of, in bytes.
func (n *node) size() int64 {
	var sum int64
	for image := range n.images {
		for _, b := range image.blobs() {
			sum += b.bytes
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
			parts = append(parts, e.node.repo.name)
		case ByLabel:
			parts = append(parts, k.Label+"="+labelOf(e.node, k.Label))
		case ByCapture:
			p, ok := first(r.Select.Tag, e.tag)
			name := e.tag
			if !ok || p.captures(name) == nil {
				name = e.node.repo.name + ":" + e.tag
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
		values = append(values, image.facts.Labels[label])
	}
	slices.Sort(values)
	return strings.Join(slices.Compact(values), ",")
}
