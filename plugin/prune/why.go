package prune

import (
	"context"
	"fmt"
	"slices"

	"github.com/distribution/reference"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// why says what becomes of one image, and for which reason.
func (f *flags) why(ctx context.Context, image string) error {
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return fmt.Errorf("%q names no image: %w", image, err)
	}
	if domain := reference.Domain(ref); f.registry == "" && f.inventory == "" && domain != "docker.io" {
		f.registry = domain
	}
	policy, err := f.readPolicy()
	if err != nil {
		return err
	}
	streams := f.streams()
	planning, named := &planning{policy: policy}, &finding{names: []string{ref.Name(), reference.FamiliarName(ref)}}
	if err := f.gather(ctx, streams, f.now(), planning, named); err != nil {
		return err
	}
	plan := planning.plan
	name := reference.TagNameOnly(ref).String()
	if named.host == "" { // an engine's names are short
		name = reference.FamiliarString(reference.TagNameOnly(ref))
	}
	digest := digestOf(plan, name)
	if digest == "" {
		return fmt.Errorf("there is no %s in %s", name, placeName(plan.Place))
	}
	return printWhy(streams.Out, named.found, plan, name, digest)
}

// finding keeps the repositories of some names, with the host or without.
type finding struct {
	names []string
	host  string
	found []*retention.Repository
}

func (f *finding) begin(head *retention.Inventory) error {
	f.host = head.Host
	return nil
}

func (f *finding) add(r *retention.Repository) {
	if slices.Contains(f.names, r.Name) || slices.Contains(f.names, f.host+"/"+r.Name) {
		f.found = append(f.found, r)
	}
}

func (f *finding) end() error { return nil }

// digestOf is the digest that a plan has for a reference.
func digestOf(plan *retention.Plan, ref string) string {
	for _, r := range plan.Remove {
		if r.Ref == ref {
			return r.Digest
		}
	}
	for _, list := range [][]retention.Kept{plan.Keep, plan.Unknown} {
		for _, k := range list {
			if k.Ref == ref {
				return k.Digest
			}
		}
	}
	// A digest of something that has a tag.
	repo, _, digest, err := retention.SplitRef(ref)
	if err != nil || digest == "" {
		return ""
	}
	for _, list := range [][]retention.Kept{plan.Keep, plan.Unknown} {
		for _, k := range list {
			if r, _, _, err := retention.SplitRef(k.Ref); err == nil && r == repo && k.Digest == digest {
				return digest
			}
		}
	}
	return ""
}
