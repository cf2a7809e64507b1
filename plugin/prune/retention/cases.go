package retention

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Failure is a test of a policy that the policy does not meet.
type Failure struct {
	Case *Case
	// Details are the references that were to go and stayed, and the other way
	// round, each with the plan's reason.
	Details []string
}

// Check runs the policy's tests.
func (p *Policy) Check() []Failure {
	var failures []Failure
	for i := range p.Tests {
		c := &p.Tests[i]
		plan := Make(c.inventory(), p)
		if details := c.compare(plan); len(details) > 0 {
			failures = append(failures, Failure{c, details})
		}
	}
	return failures
}

// compare says where a plan is not what the case expects.
func (c *Case) compare(plan *Plan) []string {
	gone, stays := map[string]string{}, map[string]string{}
	for _, r := range plan.Remove {
		gone[c.given(r.Ref, r.Digest)] = r.Reason
	}
	for _, k := range slices.Concat(plan.Keep, plan.Unknown) {
		stays[c.given(k.Ref, k.Digest)] = k.Reason
	}
	var out []string
	for _, g := range c.Given {
		reason, removed := gone[g.Ref]
		switch expected := slices.Contains(c.Removed, g.Ref); {
		case expected && !removed:
			out = append(out, fmt.Sprintf("%s stays: %s", g.Ref, stays[g.Ref]))
		case removed && !expected:
			out = append(out, fmt.Sprintf("%s is removed: %s", g.Ref, reason))
		}
	}
	for _, ref := range c.Removed {
		if !slices.ContainsFunc(c.Given, func(g Given) bool { return g.Ref == ref }) {
			out = append(out, ref+" is not among the given images")
		}
	}
	return out
}

// given is the reference that the case has for one of the plan's.
func (c *Case) given(ref, digest string) string {
	for _, g := range c.Given {
		if repo, _, ok := strings.Cut(g.Ref, "@"); ok && ref == repo+"@"+digest && g.digest() == digest {
			return g.Ref
		}
	}
	return ref
}

// digest stands for the image's content: its word, or else its reference.
func (g *Given) digest() string {
	word := g.Same
	if word == "" {
		word = g.Ref
	}
	sum := sha256.Sum256([]byte(word))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (c *Case) inventory() *Inventory {
	inv := &Inventory{Version: InventoryVersion, Place: "test:" + c.Name, Taken: c.Taken}
	repos := map[string]*Repository{}
	for i := range c.Given {
		g := &c.Given[i]
		repo, tag, _, err := SplitRef(g.Ref)
		if err != nil {
			continue // refused by the parser
		}
		r := repos[repo]
		if r == nil {
			r = &Repository{Name: repo}
			repos[repo] = r
		}
		m := Manifest{Digest: g.digest(), Kind: KindImage, Created: g.Created, Labels: g.Labels, Platform: "linux/amd64"}
		m.Blobs = []Blob{{Digest: "blob of " + m.Digest, Bytes: g.Bytes}}
		if g.HasAge {
			m.Created = c.Taken.Add(-g.Age)
		}
		if !slices.ContainsFunc(r.Manifests, func(other Manifest) bool { return other.Digest == m.Digest }) {
			r.Manifests = append(r.Manifests, m)
		}
		if tag != "" {
			r.Tags = append(r.Tags, Tag{Name: tag, Digest: m.Digest})
		}
		if g.InUse != "" {
			inv.InUse = append(inv.InUse, Use{Image: m.Digest, By: g.InUse})
		}
	}
	for _, r := range repos {
		inv.Repositories = append(inv.Repositories, *r)
	}
	return inv
}
