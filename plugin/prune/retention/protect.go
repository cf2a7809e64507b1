package retention

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// protect keeps what must stay whatever the rules say.
func (g *graph) protect(r *repository) {
	// Files often leave the host to a variable, so a name without one counts too.
	full := []string{normal(r.ref), normal(r.name)}
	for _, n := range r.order {
		if by := g.uses.of(n, full); by != "" {
			g.hold(n, "in use by "+by)
		}
		if n.facts.Pinned != "" {
			g.hold(n, strings.Clone(n.facts.Pinned))
		}
		for _, tag := range n.system {
			if pattern, ok := protected(g.policy, r.name, tag); ok {
				g.hold(n, "protected by "+pattern.String())
			}
		}
	}
	for _, e := range r.entries {
		if pattern, ok := protected(g.policy, r.name, e.tag); ok {
			e.decide(keep, "", "protected by "+pattern.String())
		}
		g.doubt(e, g.policy.Limits)
	}
}

// doubt keeps entries of which too little is known, and those that are too young.
func (g *graph) doubt(e *entry, limits Limits) {
	n := e.node
	switch {
	case n.repo.incomplete != "":
		e.decide(unknown, "", "not all of the repository is known: "+n.repo.incomplete)
	case n.kind == KindOpaque:
		e.decide(unknown, "", "its manifest can't be read, so it may need anything")
	case n.missing != 0:
		e.decide(unknown, "", fmt.Sprintf("its part %s is missing", shortDigest(g.digests.text(n.missing))))
	}
	if e.fate != remove {
		return
	}
	if age, known := g.settled(n); !known {
		e.decide(unknown, "", "how long it has been there is not known")
	} else if age < limits.MinAge {
		e.decide(keep, "", fmt.Sprintf("only %s old%s%s is removed", lasting(age), tooYoung, lasting(limits.MinAge)))
	}
}

const tooYoung = "; nothing younger than "

// TooYoung reports what would go if it were older.
func (k Kept) TooYoung() bool { return strings.Contains(k.Reason, tooYoung) }

// hold keeps a node's entries, and those of every index that it is part of; a
// node without any is kept by itself.
func (g *graph) hold(n *node, reason string) {
	seen := map[*node]bool{}
	var up func(*node)
	up = func(m *node) {
		if seen[m] {
			return
		}
		seen[m] = true
		for e := range m.names {
			e.decide(keep, "", reason)
			g.keep(m, reason, false)
		}
		for _, parent := range m.parents {
			up(parent)
		}
	}
	up(n)
	g.keep(n, reason, false)
}

// protected finds the pattern that a tag, or its whole repository, is protected by.
func protected(p *Policy, repository, tag string) (Pattern, bool) {
	if len(p.Protect) == 0 {
		return Pattern{}, false
	}
	if pattern, ok := first(p.Protect, repository); ok {
		return pattern, true
	}
	if tag == "" {
		return Pattern{}, false
	}
	return first(p.Protect, repository+":"+tag)
}

// used is who uses what, by digest and by normal reference.
type used struct{ digests, refs map[string]string }

func usesOf(all []Use) used {
	u := used{map[string]string{}, map[string]string{}}
	for _, use := range all {
		name, digest, ok := strings.Cut(use.Image, "@")
		if !ok && isDigest(use.Image) {
			name, digest = "", use.Image
		}
		if digest != "" {
			u.digests[digest] = use.By
		}
		if name != "" {
			u.refs[normal(name)] = use.By
		}
	}
	return u
}

// of says who uses a node: by the digest of its manifest, by that of its
// configuration (an image's ID), or by one of its tags.
func (u used) of(n *node, repositories []string) string {
	if by := u.digests[n.facts.Digest]; by != "" {
		return by
	}
	if len(n.facts.Blobs) > 0 {
		if by := u.digests[n.facts.Blobs[0].Digest]; by != "" {
			return by
		}
	}
	if len(u.refs) == 0 {
		return ""
	}
	for e := range n.names {
		for _, repository := range repositories {
			if by := u.refs[tagged(repository, e.tag)]; by != "" {
				return by
			}
		}
	}
	return ""
}

// normal writes a reference in full: "app" is "docker.io/library/app:latest".
func normal(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	return reference.TagNameOnly(named).String()
}

// tagged puts a tag in place of the one that normal added to a repository.
func tagged(repository, tag string) string {
	return strings.TrimSuffix(repository, ":latest") + ":" + tag
}

func isDigest(s string) bool {
	return strings.HasPrefix(s, "sha256:") || strings.HasPrefix(s, "sha512:")
}
