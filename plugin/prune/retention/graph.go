package retention

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
)

// graph is an inventory with its digests followed.
type graph struct {
	*Inventory
	repos    []*repository // by name
	byDigest map[string][]*node
}

type repository struct {
	*Repository
	ref     string // with the host
	nodes   map[string]*node
	order   []*node  // by digest
	entries []*entry // by tag, those without one last
}

// node is one manifest of one repository.
type node struct {
	*Manifest
	repo    *repository
	entries []*entry // what rules decide about
	system  []string // tags that go where the node goes: they name its subject

	children  []*node
	parents   []*node
	missing   string // a child that isn't there
	needs     []*node
	subject   *node
	referrers []*node
	orphan    string // the subject that isn't there

	kept    string // why it stays, "" when it doesn't
	unknown bool   // it stays for too little is known
	doom    *entry // the entry that takes it along
	because string // how doom does that
}

// entry is what a rule decides about: a tag, or an image without one.
type entry struct {
	node   *node
	tag    string
	pushed time.Time
	verdict
}

// systemTag is how registries without a referrers API, and cosign, tie a
// manifest to its subject. Source: OCI distribution specification 1.1,
// "Referrers Tag Schema"; cosign's signature specification.
var systemTag = regexp.MustCompile(`^(sha256|sha512)-([0-9a-f]{64}|[0-9a-f]{128})(\.[a-z0-9]+)?$`)

func newGraph(inv *Inventory) *graph {
	g := &graph{Inventory: inv, byDigest: map[string][]*node{}}
	for i := range inv.Repositories {
		r := newRepository(inv.Host, &inv.Repositories[i])
		g.repos = append(g.repos, r)
	}
	slices.SortStableFunc(g.repos, func(a, b *repository) int { return cmp.Compare(a.Name, b.Name) })
	for _, r := range g.repos {
		for _, n := range r.order {
			g.byDigest[n.Digest] = append(g.byDigest[n.Digest], n)
		}
	}
	return g
}

func newRepository(host string, in *Repository) *repository {
	r := &repository{Repository: in, ref: in.Name, nodes: make(map[string]*node, len(in.Manifests))}
	if host != "" {
		r.ref = host + "/" + in.Name
	}
	for i := range in.Manifests {
		m := &in.Manifests[i]
		if r.nodes[m.Digest] == nil {
			r.add(&node{Manifest: m, repo: r})
		}
	}
	for _, t := range in.Tags {
		if r.nodes[t.Digest] == nil { // a tag that leads nowhere
			r.add(&node{Manifest: &Manifest{Digest: t.Digest, Kind: KindOpaque}, repo: r})
		}
	}
	slices.SortFunc(r.order, byDigest)
	for _, n := range r.order {
		r.link(n)
	}
	r.name(in.Tags)
	return r
}

func byDigest(a, b *node) int { return cmp.Compare(a.Digest, b.Digest) }

func (r *repository) add(n *node) {
	r.nodes[n.Digest] = n
	r.order = append(r.order, n)
}

// link follows a manifest's own digests.
func (r *repository) link(n *node) {
	for _, c := range n.Children {
		child := r.nodes[c.Digest]
		if child == nil {
			if !c.Attestation {
				n.missing = c.Digest
			}
			continue
		}
		n.children = append(n.children, child)
		child.parents = append(child.parents, n)
	}
	for _, digest := range n.Needs {
		if needed := r.nodes[digest]; needed != nil && needed != n {
			n.needs = append(n.needs, needed)
		}
	}
	if n.Subject != "" {
		r.refer(n, n.Subject)
	}
}

func (r *repository) refer(n *node, subject string) {
	s := r.nodes[subject]
	if s == nil {
		n.orphan = subject
	} else if s != n && n.subject == nil {
		n.subject = s
		s.referrers = append(s.referrers, n)
	}
}

// name gives tags to nodes, and makes entries of what rules decide about.
func (r *repository) name(tags []Tag) {
	for _, t := range slices.SortedFunc(slices.Values(tags), func(a, b Tag) int { return cmp.Compare(a.Name, b.Name) }) {
		n := r.nodes[t.Digest]
		m := systemTag.FindStringSubmatch(t.Name)
		if m != nil && n.Subject == "" {
			r.refer(n, m[1]+":"+m[2])
		}
		if n.subject != nil && (m != nil || n.Subject != "") {
			n.system = append(n.system, t.Name)
			continue
		}
		r.enter(&entry{node: n, tag: t.Name, pushed: t.Pushed})
	}
	for _, n := range r.order {
		slices.Sort(n.system)
		slices.SortFunc(n.referrers, byDigest)
		if len(n.entries) == 0 && len(n.parents) == 0 && n.subject == nil {
			r.enter(&entry{node: n})
		}
	}
	for _, n := range r.order {
		slices.SortFunc(n.entries, func(a, b *entry) int { return cmp.Compare(a.tag, b.tag) })
	}
	slices.SortFunc(r.entries, func(a, b *entry) int {
		if (a.tag == "") != (b.tag == "") {
			return cmp.Compare(b.tag, a.tag)
		}
		return cmp.Or(cmp.Compare(a.tag, b.tag), cmp.Compare(a.node.Digest, b.node.Digest))
	})
}

func (r *repository) enter(e *entry) {
	r.entries = append(r.entries, e)
	e.node.entries = append(e.node.entries, e)
}

func (g *graph) entries(yield func(*entry) bool) {
	for _, r := range g.repos {
		for _, e := range r.entries {
			if !yield(e) {
				return
			}
		}
	}
}

// ref is how the entry is written in plans.
func (e *entry) ref() string {
	if e.tag == "" {
		return e.node.ref()
	}
	return e.node.repo.ref + ":" + e.tag
}

// short is the entry without the registry's host.
func (e *entry) short() string {
	if e.tag == "" {
		return e.node.repo.Name + "@" + shortDigest(e.node.Digest)
	}
	return e.node.repo.Name + ":" + e.tag
}

func (n *node) ref() string { return n.repo.ref + "@" + n.Digest }

// title is the shortest name of a node for people.
func (n *node) title() string {
	if n.Title != "" {
		return n.Title
	}
	if len(n.entries) > 0 {
		return n.entries[0].short()
	}
	return n.repo.Name + "@" + shortDigest(n.Digest)
}

// images are the platforms' images of an index, or the image itself.
func (n *node) images(yield func(*node) bool) { n.walk(map[*node]bool{}, yield) }

func (n *node) walk(seen map[*node]bool, yield func(*node) bool) bool {
	if seen[n] {
		return true
	}
	seen[n] = true
	if n.Kind != KindIndex {
		return yield(n)
	}
	for _, c := range n.Children {
		if child := n.repo.nodes[c.Digest]; child != nil && !c.Attestation && !child.walk(seen, yield) {
			return false
		}
	}
	return true
}

// orphaned reports a referrer whose subject is gone.
func (e *entry) orphaned() bool { return e.node.orphan != "" }

func shortDigest(digest string) string {
	algorithm, hex, ok := strings.Cut(digest, ":")
	if !ok || len(hex) < 12 {
		return digest
	}
	return algorithm + ":" + hex[:12]
}

// TagSubject is the digest that a system tag is about; "" for other tags.
func TagSubject(tag string) string {
	if m := systemTag.FindStringSubmatch(tag); m != nil {
		return m[1] + ":" + m[2]
	}
	return ""
}
