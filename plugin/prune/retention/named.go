package retention

import "regexp"

// Name is one tag, or one manifest of a repository, that somebody wants gone.
type Name struct {
	Repository string // without the registry's host
	Tag        string
	Digest     string // where Tag is ""; all tags of the manifest go with it
}

// Named is the policy that removes what is named and nothing else, for a reason. It has no
// brakes of its own: whoever names an image means it. What an image that stays
// needs is kept all the same, and so is what can't be read.
func Named(title, reason string, names []Name) *Policy {
	p := &Policy{Name: title, Age: Created, Limits: Limits{Share: 1}, RemoveBases: true}
	for _, n := range names {
		s := Selector{Repository: []Pattern{Exactly(n.Repository)}, Digest: n.Digest}
		if n.Tag != "" {
			s.Tag = []Pattern{Exactly(n.Tag)}
		}
		for _, orphaned := range []bool{false, true} {
			s.Orphaned = orphaned
			p.Rules = append(p.Rules, Rule{Name: title, Select: s, Remove: true, Reason: reason, MaxCount: -1})
		}
	}
	return p
}

// Exactly is the pattern that matches one name.
func Exactly(name string) Pattern {
	return Pattern{text: name, re: regexp.MustCompile(`^` + regexp.QuoteMeta(name) + `$`)}
}

// SeenNow says of all images that they were there when the facts were taken, which
// is enough to remove, by name, one that has no date.
func SeenNow(inv *Inventory) {
	for i := range inv.Repositories {
		for j := range inv.Repositories[i].Manifests {
			inv.Repositories[i].Manifests[j].FirstSeen = inv.Taken
		}
	}
}
