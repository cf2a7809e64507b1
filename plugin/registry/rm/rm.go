// Package rm is `docker imgmgr registry rm`: it removes the images that are named.
//
// A name is looked up, and what becomes of it is a plan of prune's, with all that
// prune promises: parts of what stays are kept, signatures and SBOMs go with their
// image, everything is written into a journal before it goes.
package rm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/registry/connect"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// Refused is a name that isn't removed, and why.
type Refused struct {
	Ref    string
	Reason string
}

// Make plans the removal of what is named. The inventory holds the repositories of
// all names. A digest goes only when all its tags go: those that are named too,
// or all with allTags.
func Make(inv *retention.Inventory, refs []connect.Ref, allTags bool) (*retention.Plan, []Refused) {
	retention.SeenNow(inv)
	var refused []Refused
	var names []retention.Name
	for _, ref := range refs {
		if reason := refuse(inv, refs, ref, allTags); reason != "" {
			refused = append(refused, Refused{ref.String(), reason})
			continue
		}
		names = append(names, retention.Name{Repository: ref.Repository, Tag: ref.Tag, Digest: ref.Digest})
	}
	plan := retention.Make(inv, retention.Named("registry rm", "named", names))
	for _, ref := range refs {
		if slices.ContainsFunc(refused, func(r Refused) bool { return r.Ref == ref.String() }) {
			continue
		}
		if !goes(plan, ref) {
			refused = append(refused, Refused{ref.String(), kept(plan, ref)})
		}
	}
	return plan, refused
}

// refuse says why a name can't be removed, before anything is planned.
func refuse(inv *retention.Inventory, refs []connect.Ref, ref connect.Ref, allTags bool) string {
	repo := find(inv, ref.Repository)
	if repo == nil {
		return "there is no such repository"
	}
	if repo.Incomplete != "" {
		return "the repository could not be read to its end: " + repo.Incomplete
	}
	if ref.Tag != "" {
		if !slices.ContainsFunc(repo.Tags, func(t retention.Tag) bool { return t.Name == ref.Tag }) {
			return "there is no such tag"
		}
		return ""
	}
	if !slices.ContainsFunc(repo.Manifests, func(m retention.Manifest) bool { return m.Digest == ref.Digest }) {
		return "the registry has no such manifest, or nothing leads to it"
	}
	var others []string
	for _, t := range repo.Tags {
		named := connect.Ref{Host: ref.Host, Repository: ref.Repository, Tag: t.Name}
		if t.Digest == ref.Digest && !slices.Contains(refs, named) {
			others = append(others, t.Name)
		}
	}
	if len(others) > 0 && !allTags {
		return fmt.Sprintf("it also has the %s %s: name all of them, or add --all-tags", strings.TrimPrefix(ui.Count(len(others), "tag"), "1 "), strings.Join(others, ", "))
	}
	return ""
}

func find(inv *retention.Inventory, name string) *retention.Repository {
	for i := range inv.Repositories {
		r := &inv.Repositories[i]
		if r.Name == name && len(r.Tags)+len(r.Manifests)+len(r.Incomplete) > 0 {
			return r
		}
	}
	return nil
}

// goes reports that a plan removes what is named.
func goes(plan *retention.Plan, ref connect.Ref) bool {
	return slices.ContainsFunc(plan.Remove, func(r retention.Removal) bool { return r.Ref == ref.String() })
}

// kept says why a plan keeps what is named.
func kept(plan *retention.Plan, ref connect.Ref) string {
	for _, k := range slices.Concat(plan.Keep, plan.Unknown) {
		if k.Ref == ref.String() || ref.Digest != "" && k.Digest == ref.Digest && strings.HasPrefix(k.Ref, ref.Place()) {
			return k.Reason
		}
	}
	return "a part of another image, or a referrer of one: it goes with that"
}
