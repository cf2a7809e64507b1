package retention

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
)

// graph is what a planner remembers of an inventory: its digests followed, and no more
// of each image than a plan needs.
type graph struct {
	head     *Inventory // all but its repositories
	policy   *Policy
	uses     used
	digests  *digests
	repos    []*repository // by name, once all are there
	together bool          // rules count over several repositories
}

type repository struct {
	name       string
	ref        string // with the host
	incomplete string
	order      []*node  // by digest
	entries    []*entry // by tag, those without one last
	newest     *entry   // of the images with a tag
	gone       []*node  // in the order in which they go
	blobs      []blob   // of all nodes

	// What few repositories have.
	titles map[*node]string
	needs  map[*node][]*node
	pushed map[*node]time.Time // when a tag came to it last; until the rules have spoken
}

// node is one manifest of one repository.
type node struct {
	facts   *Manifest // until the rules have spoken
	repo    *repository
	digest  digest
	base    digest // of the image that it says it is built on
	bytes   int64  // of the manifest itself; once they are counted, those that its end frees
	from    uint32 // the place of its blobs
	to      uint32
	entries *entry // what rules decide about: the first one by tag
	*links         // many have none

	kind    Kind
	kept    bool
	unknown bool   // it stays for too little is known
	passed  bool   // on the way to gone
	doom    *entry // the entry that takes it along
	reason  string // why it stays, or how doom takes it along
}

// blobs are the configuration, then the layers in order.
func (n *node) blobs() []blob { return n.repo.blobs[n.from:n.to] }

type blob struct {
	digest digest
	bytes  int64
}

// links are what a node has to do with others.
type links struct {
	children  []child
	parents   []*node
	missing   digest // a child that isn't there
	subject   *node
	referrers []*node
	orphan    digest   // the subject that isn't there
	system    []string // tags that go where the node goes: they name its subject
}

// child is an entry of an index.
type child struct {
	*node
	attestation bool
}

// unlinked is shared by all nodes without links, and never written to.
var unlinked = &links{}

// link returns links to write to.
func (n *node) link() *links {
	if n.links == unlinked {
		n.links = &links{}
	}
	return n.links
}

// entry is what a rule decides about: a tag, or an image without one.
type entry struct {
	node *node
	next *entry // of the node
	tag  string
	verdict
}

// systemTag is how registries without a referrers API, and cosign, tie a
// manifest to its subject. Source: OCI distribution specification 1.1,
// "Referrers Tag Schema"; cosign's signature specification.
var systemTag = regexp.MustCompile(`^(sha256|sha512)-([0-9a-f]{64}|[0-9a-f]{128})(\.[a-z0-9]+)?$`)

// repository follows the digests of a repository. Nothing of it stays referenced but
// by the nodes' facts.
func (g *graph) repository(in *Repository) *repository {
	r := &repository{name: strings.Clone(in.Name), incomplete: strings.Clone(in.Incomplete)}
	r.ref = r.name
	if g.head.Host != "" {
		r.ref = g.head.Host + "/" + r.name
	}
	b := &builder{graph: g, repository: r, known: make(map[digest]*node, len(in.Manifests))}
	b.nodes(in)
	for _, n := range r.order {
		b.follow(n)
	}
	b.name(in.Tags)
	return r
}

// builder makes the graph of one repository.
type builder struct {
	*graph
	*repository
	known map[digest]*node
}

// nodes makes a node of each manifest, and of each digest that a tag names.
func (b *builder) nodes(in *Repository) {
	blobs := 0
	for i := range in.Manifests {
		blobs += len(in.Manifests[i].Blobs)
	}
	// Each of these is one piece of memory, as long as the repository.
	all := make([]node, len(in.Manifests))
	b.blobs = make([]blob, 0, blobs)
	for i := range in.Manifests {
		m := &in.Manifests[i]
		from := len(b.blobs)
		for _, part := range m.Blobs {
			b.blobs = append(b.blobs, blob{b.digests.number(part.Digest), part.Bytes})
		}
		b.add(&all[i], m)
		all[i].from, all[i].to = uint32(from), uint32(len(b.blobs))
	}
	for _, t := range in.Tags {
		if b.known[b.digests.number(t.Digest)] == nil { // a tag that leads nowhere
			b.add(&node{}, &Manifest{Digest: t.Digest, Kind: KindOpaque})
		}
	}
	slices.SortFunc(b.order, b.byDigest)
}

func (b *builder) add(n *node, m *Manifest) {
	number := b.digests.number(m.Digest)
	if b.known[number] != nil {
		return
	}
	*n = node{facts: m, repo: b.repository, digest: number, base: b.digests.number(m.Base), kind: kindOf(m.Kind), bytes: m.Bytes, links: unlinked}
	if m.Title != "" {
		if b.titles == nil {
			b.titles = map[*node]string{}
		}
		b.titles[n] = strings.Clone(m.Title)
	}
	b.known[number] = n
	b.order = append(b.order, n)
}

// kindOf is the kind as one of the constants, whose text all share.
func kindOf(k Kind) Kind {
	for _, known := range []Kind{KindImage, KindIndex, KindArtifact, KindRecord, KindBlob, KindOpaque} {
		if k == known {
			return known
		}
	}
	return Kind(strings.Clone(string(k)))
}

func (g *graph) byDigest(a, b *node) int { return g.digests.compare(a.digest, b.digest) }

// follow follows a manifest's own digests.
func (b *builder) follow(n *node) {
	for _, c := range n.facts.Children {
		number := b.digests.number(c.Digest)
		part := b.known[number]
		if part == nil {
			if !c.Attestation {
				n.link().missing = number
			}
			continue
		}
		l := n.link()
		l.children = append(l.children, child{part, c.Attestation})
		l = part.link()
		l.parents = append(l.parents, n)
	}
	for _, d := range n.facts.Needs {
		if needed := b.known[b.digests.number(d)]; needed != nil && needed != n {
			if b.needs == nil {
				b.needs = map[*node][]*node{}
			}
			b.needs[n] = append(b.needs[n], needed)
		}
	}
	if n.facts.Subject != "" {
		b.refer(n, n.facts.Subject)
	}
}

func (b *builder) refer(n *node, subject string) {
	number := b.digests.number(subject)
	s := b.known[number]
	if s == nil {
		n.link().orphan = number
	} else if s != n && n.subject == nil {
		n.link().subject = s
		l := s.link()
		l.referrers = append(l.referrers, n)
	}
}

// name gives tags to nodes, and makes entries of what rules decide about.
func (b *builder) name(tags []Tag) {
	tags = slices.SortedFunc(slices.Values(tags), func(a, b Tag) int { return cmp.Compare(a.Name, b.Name) })
	names := cloned(tags)
	entries := make([]entry, len(tags))
	for i, t := range tags {
		n := b.known[b.digests.number(t.Digest)]
		subject := TagSubject(t.Name)
		if subject != "" && n.facts.Subject == "" {
			b.refer(n, subject)
		}
		if n.subject != nil && (subject != "" || n.facts.Subject != "") {
			l := n.link()
			l.system = append(l.system, names[i])
			continue
		}
		if t.Pushed.After(b.pushed[n]) {
			if b.pushed == nil {
				b.pushed = map[*node]time.Time{}
			}
			b.pushed[n] = t.Pushed
		}
		entries[i] = entry{node: n, tag: names[i]}
		b.enter(&entries[i])
	}
	for _, n := range b.order {
		if n.links != unlinked {
			slices.Sort(n.system)
			slices.SortFunc(n.referrers, b.byDigest)
		}
		if n.entries == nil && len(n.parents) == 0 && n.subject == nil {
			b.enter(&entry{node: n})
		}
	}
	slices.SortFunc(b.entries, func(x, y *entry) int {
		if (x.tag == "") != (y.tag == "") {
			return cmp.Compare(y.tag, x.tag)
		}
		if c := cmp.Compare(x.tag, y.tag); c != 0 {
			return c
		}
		return b.byDigest(x.node, y.node)
	})
	for _, e := range slices.Backward(b.repository.entries) {
		e.next, e.node.entries = nil, nil
	}
	for _, e := range slices.Backward(b.repository.entries) {
		e.next, e.node.entries = e.node.entries, e
	}
}

// cloned are the tags' names, without the text that they came in.
func cloned(tags []Tag) []string {
	length := 0
	for _, t := range tags {
		length += len(t.Name)
	}
	var all strings.Builder
	all.Grow(length)
	for _, t := range tags {
		all.WriteString(t.Name)
	}
	rest, names := all.String(), make([]string, len(tags))
	for i, t := range tags {
		names[i], rest = rest[:len(t.Name)], rest[len(t.Name):]
	}
	return names
}

func (r *repository) enter(e *entry) {
	r.entries = append(r.entries, e)
	e.node.entries = e
}

// names are the node's entries, by tag.
func (n *node) names(yield func(*entry) bool) {
	for e := n.entries; e != nil && yield(e); e = e.next {
	}
}

// ref is how a tag of a node is written in plans, or where that is "" the node; and its
// digest. Both are cut from one text.
func (g *graph) ref(n *node, tag string) (ref, digest string) {
	var room [256]byte
	text := append(room[:0], n.repo.ref...)
	if tag == "" {
		text = g.digests.appendTo(append(text, '@'), n.digest)
		ref = string(text)
		return ref, ref[len(n.repo.ref)+1:]
	}
	text = append(append(text, ':'), tag...)
	end := len(text)
	ref = string(g.digests.appendTo(text, n.digest))
	return ref[:end], ref[end:]
}

// short is the entry without the registry's host.
func (g *graph) short(e *entry) string {
	if e.tag == "" {
		return e.node.repo.name + "@" + shortDigest(g.digests.text(e.node.digest))
	}
	return e.node.repo.name + ":" + e.tag
}

// nameOf is the shortest name of a node for people.
func (g *graph) nameOf(n *node) string {
	if title := n.repo.titles[n]; title != "" {
		return title
	}
	if n.entries != nil {
		return g.short(n.entries)
	}
	return n.repo.name + "@" + shortDigest(g.digests.text(n.digest))
}

// images are the platforms' images of an index, or the image itself.
func (n *node) images(yield func(*node) bool) {
	if n.kind != KindIndex {
		yield(n)
		return
	}
	n.walk(map[*node]bool{}, yield)
}

func (n *node) walk(seen map[*node]bool, yield func(*node) bool) bool {
	if seen[n] {
		return true
	}
	seen[n] = true
	if n.kind != KindIndex {
		return yield(n)
	}
	for _, c := range n.children {
		if !c.attestation && !c.walk(seen, yield) {
			return false
		}
	}
	return true
}

// orphaned reports a referrer whose subject is gone.
func (e *entry) orphaned() bool { return e.node.orphan != 0 }

func shortDigest(digest string) string {
	algorithm, hex, ok := strings.Cut(digest, ":")
	if !ok || len(hex) < 12 {
		return digest
	}
	return algorithm + ":" + hex[:12]
}

// TagSubject is the digest that a system tag is about; "" for other tags.
func TagSubject(tag string) string {
	if !strings.HasPrefix(tag, "sha") {
		return "" // as nearly all do
	}
	if m := systemTag.FindStringSubmatch(tag); m != nil {
		return m[1] + ":" + m[2]
	}
	return ""
}
