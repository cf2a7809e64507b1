package retention

import (
	"cmp"
	"slices"
)

// Make decides about an inventory that is whole. It is not changed, and the plan holds
// none of it.
func Make(inv *Inventory, p *Policy) *Plan {
	planner := NewPlanner(inv, p)
	for i := range inv.Repositories {
		planner.Add(&inv.Repositories[i])
	}
	return planner.Plan()
}

// Planner decides about an inventory whose repositories come one at a time. It
// remembers a fraction of what they say, so that a plan of a million images needs
// room for little more than the plan.
type Planner struct{ graph }

// NewPlanner begins a plan with what an inventory says beside its repositories.
func NewPlanner(head *Inventory, p *Policy) *Planner {
	together := slices.ContainsFunc(p.Rules, func(r Rule) bool { return r.spans() })
	return &Planner{graph{head: head, policy: p, uses: usesOf(head.InUse), digests: newDigests(), together: together}}
}

// Add takes a repository, in any order. It is not changed. Unless a rule counts
// images of several repositories together, none of it is needed afterwards.
func (p *Planner) Add(in *Repository) {
	r := p.repository(in)
	p.repos = append(p.repos, r)
	if !p.together {
		p.decide(p.repos[len(p.repos)-1:])
	}
}

// Plan is the plan for all that was added, and the planner's end.
func (p *Planner) Plan() *Plan {
	slices.SortStableFunc(p.repos, func(a, b *repository) int { return cmp.Compare(a.name, b.name) })
	if p.together {
		p.decide(p.repos)
	}
	plan := &Plan{
		Version: PlanVersion, Place: p.head.Place, Taken: p.head.Taken.UTC(), Policy: p.policy.ID(),
		AtMost: p.head.Partial, Final: p.head.Final,
	}
	plan.Stopped = p.settle()
	for _, r := range p.repos {
		r.doom()
		plan.AtMost = plan.AtMost || r.incomplete != ""
	}
	plan.FreesBytes = p.count()
	p.fill(plan)
	return plan
}

// decide lets the rules speak about repositories, and forgets the facts.
func (g *graph) decide(repos []*repository) {
	g.judge(repos)
	for _, r := range repos {
		g.protect(r)
		if g.policy.Limits.KeepLast {
			r.newest = g.newest(r)
		}
	}
	for _, r := range repos {
		r.pushed = nil
		for _, n := range r.order {
			n.facts = nil
		}
	}
}

// ID names a policy and its text.
func (p *Policy) ID() string {
	if p.Digest == "" {
		return p.Name
	}
	return p.Name + "@" + p.Digest
}

// fill moves what was decided into the plan, repository by repository.
func (g *graph) fill(plan *Plan) {
	removals, kept, unknown := 0, 0, 0
	for _, r := range g.repos {
		r.removals(func(*node, string, *entry) { removals++ })
		g.rest(r, func(_ *node, _ string, _ string, isUnknown bool) {
			if isUnknown {
				unknown++
			} else {
				kept++
			}
		})
	}
	plan.Remove, plan.Keep, plan.Unknown = make([]Removal, 0, removals), make([]Kept, 0, kept), make([]Kept, 0, unknown)
	for i, r := range g.repos {
		r.removals(func(n *node, tag string, e *entry) { plan.Remove = append(plan.Remove, g.removal(n, tag, e)) })
		g.rest(r, func(n *node, tag, reason string, isUnknown bool) {
			k := Kept{Kind: n.kind, Reason: reason}
			k.Ref, k.Digest = g.ref(n, tag)
			if isUnknown {
				plan.Unknown = append(plan.Unknown, k)
			} else {
				plan.Keep = append(plan.Keep, k)
			}
		})
		g.repos[i] = nil // its room is for the plan
	}
}

// removal is one line of a plan: a tag or, where that is "", the node. The entry is
// what takes it along.
func (g *graph) removal(n *node, tag string, e *entry) Removal {
	out := Removal{Kind: KindTag, Rule: e.rule, Reason: e.reason}
	out.Ref, out.Digest = g.ref(n, tag)
	if e == n.doom && !n.kept && n.reason != "" {
		out.Reason = n.reason
	}
	if tag == "" {
		out.Kind, out.Bytes, out.Title = n.kind, n.bytes, n.repo.titles[n]
	}
	return out
}

// removals are what goes of a repository, in the order in which it must go.
func (r *repository) removals(each func(n *node, tag string, e *entry)) {
	for _, e := range r.entries {
		if e.fate == remove && e.node.kept {
			each(e.node, e.tag, e)
		}
	}
	for _, n := range r.gone {
		for e := range n.names {
			if e.tag != "" {
				each(n, e.tag, e)
			}
		}
		for _, tag := range n.system {
			each(n, tag, n.doom)
		}
		each(n, "", n.doom)
	}
}

// doom finds the nodes that go, each before its parts, its referrers and what it needs: the
// reverse of the order in which a depth-first walk leaves them.
func (r *repository) doom() {
	var visit func(*node)
	visit = func(n *node) {
		if n.passed || n.kept {
			return
		}
		n.passed = true
		for _, next := range slices.Backward(n.children) {
			visit(next.node)
		}
		for _, next := range slices.Backward(n.referrers) {
			visit(next)
		}
		for _, next := range slices.Backward(r.needs[n]) {
			visit(next)
		}
		r.gone = append(r.gone, n)
	}
	for _, e := range slices.Backward(r.entries) {
		visit(e.node)
	}
	slices.Reverse(r.gone)
}

// rest are what stays of a repository.
func (g *graph) rest(r *repository, each func(n *node, tag, reason string, unknown bool)) {
	for _, e := range r.entries {
		if e.fate != remove {
			each(e.node, e.tag, g.why(e), e.fate == unknown)
		}
	}
	for _, n := range r.order {
		if !n.kept {
			continue
		}
		named := len(n.system) > 0
		for _, tag := range n.system {
			each(n, tag, n.reason, n.unknown)
		}
		for e := range n.names {
			named = named || e.fate != remove
		}
		if !named {
			each(n, "", n.reason, n.unknown)
		}
	}
}
