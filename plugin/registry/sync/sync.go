// Package sync is `docker imgmgr registry sync`: it copies repositories from one
// registry to another, straight, with all platforms, signatures and SBOMs.
//
//	Job ─ selection ─> tags ─ compared with what is there ─> steps ─> copied, checked
//	                                                     └─> what DST has too much ─> a plan of prune's
//
// sync.go says what is to be copied, file.go reads that from YAML, compare.go makes
// steps of it, copy.go and referrers.go do one step. What was copied is checked by
// its digest, on the way and at its end. A step that is done isn't done again, so an
// interrupted run is finished by running it once more.
package sync

import (
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/containerd/platforms"

	"github.com/imgmgr/imgmgr/plugin/distribution"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// Job is one copy.
type Job struct {
	// From and To are repositories, or with Repositories registries or prefixes:
	// "HOST", "HOST/PREFIX".
	From, To string
	// Repositories are below From, without it; each is copied to the same name
	// below To. None: From is one repository.
	Repositories []retention.Pattern
	// Tags to copy, none for all; what Exclude matches isn't copied.
	Tags, Exclude []retention.Pattern
	// Semver is a range of versions; tags that are no version aren't in it.
	Semver *semver.Constraints
	// Platforms of indexes, none for all. An index that lacks some of them is
	// another one, with another digest: signatures of it stay behind.
	Platforms []string
	// WithoutReferrers leaves signatures, SBOMs and other referrers behind.
	WithoutReferrers bool
	// Delete removes tags from To that the job is about and From doesn't have.
	Delete bool
}

// Selects reports that the job is about a tag. Tags that tie signatures to their
// image go where that goes, and aren't selected by themselves.
func (j *Job) Selects(tag string) bool {
	if retention.TagSubject(tag) != "" || matchesAny(j.Exclude, tag) {
		return false
	}
	if len(j.Tags) > 0 && !matchesAny(j.Tags, tag) {
		return false
	}
	if j.Semver == nil {
		return true
	}
	version, err := semver.NewVersion(tag)
	return err == nil && j.Semver.Check(version)
}

func matchesAny(patterns []retention.Pattern, name string) bool {
	for _, p := range patterns {
		if p.Match(name) {
			return true
		}
	}
	return false
}

// pair is a repository of the source and the one that it is copied to, both
// without their hosts.
type pair struct{ from, to string }

// pairs are the repositories of a job. Known are those of the source's registry,
// wanted only with Repositories.
func (j *Job) pairs(known []string) ([]pair, error) {
	_, from, err := distribution.SplitPlace(j.From)
	if err != nil {
		return nil, err
	}
	_, to, err := distribution.SplitPlace(j.To)
	if err != nil {
		return nil, err
	}
	if len(j.Repositories) == 0 {
		if from == "" || to == "" {
			return nil, fmt.Errorf("copy %s to %s: name a repository in both, or which ones with --repository", j.From, j.To)
		}
		return []pair{{from, to}}, nil
	}
	var out []pair
	for _, name := range known {
		below, ok := strings.CutPrefix(name, from+"/")
		if from == "" {
			below, ok = name, true
		}
		if ok && matchesAny(j.Repositories, below) {
			out = append(out, pair{name, strings.TrimPrefix(to+"/"+below, "/")})
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no repository that is asked for", j.From)
	}
	return out, nil
}

// Check reports what of a job can't be followed.
func (j *Job) Check() error {
	for _, place := range []string{j.From, j.To} {
		if _, _, err := distribution.SplitPlace(place); err != nil {
			return err
		}
	}
	for _, p := range j.Platforms {
		if _, err := platforms.Parse(p); err != nil {
			return fmt.Errorf("platform %q: %w", p, err)
		}
	}
	if j.From == j.To {
		return fmt.Errorf("%s is to be copied to itself", j.From)
	}
	return nil
}
