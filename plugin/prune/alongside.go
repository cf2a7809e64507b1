package prune

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// referring is a place that tells what refers to a manifest without a tag that says so.
type referring interface {
	Referrers(ctx context.Context, repository, digest string) (found []string, supported bool, err error)
}

// described says that something refers to a manifest of which the plan doesn't know.
// Where referrers have tags, look has found it. What the plan knows of goes into the
// journal: a registry with the referrers API may delete it with its subject, as zot
// does and what has cosign's tags, too.
func (r *repositoryRun) described(ctx context.Context, digest string) (reason string, err error) {
	api, ok := r.store.(referring)
	if !ok {
		return "", nil
	}
	found, supported, err := api.Referrers(ctx, r.name, digest)
	if err != nil || !supported {
		return "", err
	}
	for _, d := range found {
		if !r.deleted[d] && !r.keeps.digests[d] {
			return "it was signed or described after the plan", nil
		}
	}
	for tag, d := range r.tags {
		if retention.TagSubject(tag) == digest {
			found = append(found, d)
		}
	}
	slices.Sort(found)
	for _, d := range slices.Compact(found) {
		if !r.deleted[d] || r.written[d] {
			continue
		}
		mediaType, content, err := r.store.Manifest(ctx, r.name, d)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		tags := slices.DeleteFunc(slices.Clone(r.doomed[d]), func(t string) bool { return r.tags[t] != d })
		if err := r.record(Entry{Repository: r.name, Digest: d, Tags: tags, MediaType: mediaType, Manifest: content}); err != nil {
			return "", err
		}
		r.written[d] = true
		if reason, err := r.described(ctx, d); err != nil || reason != "" {
			return reason, err
		}
	}
	return "", nil
}

// record writes into the journal what isn't there yet.
func (r *repositoryRun) record(e Entry) error {
	if r.written[e.Digest] {
		return nil
	}
	if err := r.journal.Record(e); err != nil {
		return fmt.Errorf("%w: %w", errJournal, err)
	}
	return nil
}

// deleteTag takes a tag away. Some places take the image with it, and its other tags:
// there, the first one gets all that back, and that is the end of the run.
func (r *repositoryRun) deleteTag(ctx context.Context, tag string, e Entry) error {
	err := r.store.DeleteTag(ctx, r.name, tag)
	if err != nil && !errors.Is(err, fs.ErrNotExist) || r.tagsGo {
		return err
	}
	_, _, gone := r.store.Manifest(ctx, r.name, e.Digest)
	if !errors.Is(gone, fs.ErrNotExist) {
		r.tagsGo = gone == nil
		return gone
	}
	e.Tags = nil
	for t, digest := range r.tags {
		if digest == e.Digest && t != tag {
			e.Tags = append(e.Tags, t)
		}
	}
	back, err := Restore(ctx, r.store, []Entry{e}, nil)
	if err == nil && len(back.Lost) > 0 {
		err = errors.New(back.Lost[0].Reason)
	}
	if err != nil {
		return fmt.Errorf("tag %s took its image %s with it, which could not be given back: %w", tag, short(e.Digest), err)
	}
	return fmt.Errorf("tag %s took its image %s with it, which was given back: this place can't take a tag away alone", tag, short(e.Digest))
}
