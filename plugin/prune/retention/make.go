package retention

import (
	"slices"
)

// Make decides. The inventory is not changed, and the plan holds none of it.
func Make(inv *Inventory, p *Policy) *Plan {
	g := newGraph(inv)
	g.judge(p)
	g.protect(p)
	plan := &Plan{
		Version: PlanVersion, Place: inv.Place, Taken: inv.Taken.UTC(), Policy: p.ID(),
		Remove: []Removal{}, Keep: []Kept{}, Unknown: []Kept{}, AtMost: inv.Partial, Final: inv.Final,
	}
	plan.Stopped = g.settle(p)
	for _, r := range g.repos {
		r.removals(plan)
		r.rest(plan)
		plan.AtMost = plan.AtMost || r.Incomplete != ""
	}
	g.count(plan)
	return plan
}

// ID names a policy and its text.
func (p *Policy) ID() string {
	if p.Digest == "" {
		return p.Name
	}
	return p.Name + "@" + p.Digest
}

// removals adds what goes of a repository, in the order in which it must go.
func (r *repository) removals(plan *Plan) {
	for _, e := range r.entries {
		if e.fate == remove && e.node.kept != "" {
			plan.Remove = append(plan.Remove, Removal{KindTag, e.ref(), e.node.Digest, 0, e.rule, e.reason, ""})
		}
	}
	for _, n := range r.doomed() {
		reason := n.doom.reason
		if n.because != "" {
			reason = n.because
		}
		for _, e := range n.named() {
			plan.Remove = append(plan.Remove, Removal{KindTag, e.ref(), n.Digest, 0, e.rule, e.reason, ""})
		}
		for _, tag := range n.system {
			plan.Remove = append(plan.Remove, Removal{KindTag, r.ref + ":" + tag, n.Digest, 0, n.doom.rule, reason, ""})
		}
		plan.Remove = append(plan.Remove, Removal{n.Kind, n.ref(), n.Digest, 0, n.doom.rule, reason, n.Title})
	}
}

// named are the entries of a node that are tags.
func (n *node) named() []*entry {
	return slices.DeleteFunc(slices.Clone(n.entries), func(e *entry) bool { return e.tag == "" })
}

// doomed are the nodes that go, each before its parts, its referrers and what it needs: the
// reverse of the order in which a depth-first walk leaves them.
func (r *repository) doomed() []*node {
	var order []*node
	seen := map[*node]bool{}
	var visit func(*node)
	visit = func(n *node) {
		if seen[n] || n.kept != "" {
			return
		}
		seen[n] = true
		for _, next := range slices.Backward(n.children) {
			visit(next)
		}
		for _, next := range slices.Backward(n.referrers) {
			visit(next)
		}
		for _, next := range slices.Backward(n.needs) {
			visit(next)
		}
		order = append(order, n)
	}
	for _, e := range slices.Backward(r.entries) {
		visit(e.node)
	}
	slices.Reverse(order)
	return order
}

// rest adds what stays of a repository.
func (r *repository) rest(plan *Plan) {
	add := func(n *node, ref, reason string, unknown bool) {
		k := Kept{n.Kind, ref, n.Digest, reason}
		if unknown {
			plan.Unknown = append(plan.Unknown, k)
		} else {
			plan.Keep = append(plan.Keep, k)
		}
	}
	for _, e := range r.entries {
		if e.fate != remove {
			add(e.node, e.ref(), e.why(), e.fate == unknown)
		}
	}
	for _, n := range r.order {
		if n.kept == "" {
			continue
		}
		for _, tag := range n.system {
			add(n, r.ref+":"+tag, n.kept, n.unknown)
		}
		if named := len(n.system) > 0 || slices.ContainsFunc(n.entries, func(e *entry) bool { return e.fate != remove }); !named {
			add(n, n.ref(), n.kept, n.unknown)
		}
	}
}
