package prune

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// Outcome is what became of a plan's removals.
type Outcome struct {
	Removed []retention.Removal
	Gone    []retention.Removal // were not there any more
	Skipped []Skip              // changed since the plan, or can't be done
	Failed  []Skip              // with them, the rest of their repositories was left
	Freed   int64               // bytes of Removed
	Stopped bool                // the run was interrupted
}

// Skip is a removal that wasn't done.
type Skip struct {
	retention.Removal
	Reason string
}

// Execute does what the plan says and nothing else, one removal after the other.
// Before each delete it looks again: what has changed since the plan stays, with
// all that it needs. The journal has every manifest, synced, before it goes. When
// ctx ends, the delete in flight is finished and the rest is left. The error is
// the journal's; nothing is deleted that couldn't be written down.
func Execute(ctx context.Context, store Store, plan *retention.Plan, journal *Journal, progress func(done, all int)) (*Outcome, error) {
	x := &executor{store: store, journal: journal, progress: progress, all: len(plan.Remove)}
	kept := map[string]keeps{}
	for _, k := range slices.Concat(plan.Keep, plan.Unknown) {
		if repo, tag, _, err := retention.SplitRef(k.Ref); err == nil {
			keep(kept, repo, tag, k.Digest)
		}
	}
	order, items := byRepository(plan.Remove)
	for _, repo := range order {
		if ctx.Err() != nil {
			x.out.Stopped = true
			break
		}
		r := &repositoryRun{executor: x, name: repo, items: items[repo], keeps: kept[repo]}
		if err := r.run(ctx); err != nil {
			return &x.out, err
		}
	}
	return &x.out, nil
}

type executor struct {
	store    Store
	journal  *Journal
	progress func(done, all int)
	tagsGo   bool // a tag went and its image stayed: this place takes tags away alone
	done     int
	all      int
	out      Outcome
}

// keeps is what the plan keeps of one repository.
type keeps struct {
	tags    map[string]string // their digests
	digests map[string]bool   // with a tag and without
}

// keep adds to what is kept of a repository; the tag may be "".
func keep(all map[string]keeps, repo, tag, digest string) {
	k, ok := all[repo]
	if !ok {
		k = keeps{map[string]string{}, map[string]bool{}}
		all[repo] = k
	}
	if tag != "" {
		k.tags[tag] = digest
	}
	k.digests[digest] = true
}

func byRepository(removals []retention.Removal) (order []string, items map[string][]retention.Removal) {
	items = map[string][]retention.Removal{}
	for _, r := range removals {
		repo, _, _, err := retention.SplitRef(r.Ref)
		if err != nil {
			continue // ReadPlan and Make leave none
		}
		if items[repo] == nil {
			order = append(order, repo)
		}
		items[repo] = append(items[repo], r)
	}
	return order, items
}

// repositoryRun is the removals of one repository.
type repositoryRun struct {
	*executor
	name  string
	items []retention.Removal
	keeps keeps

	tags    map[string]string   // as they are now
	doomed  map[string][]string // tags that the plan removes, by digest
	deleted map[string]bool     // digests whose manifest goes, by the plan
	needed  map[string]string   // digests that stay after all, and why
	// followed are digests that were read for what they need.
	followed map[string]bool
	// written are digests that the journal has before their turn: referrers, which some
	// registries delete with their subject.
	written map[string]bool
}

// manifestLinks is what a manifest needs and what it refers to.
type manifestLinks struct {
	Manifests []struct{ Digest string }
	Subject   *struct{ Digest string }
}

// errJournal marks the one error that ends the whole run.
var errJournal = errors.New("the journal can't be written, so nothing more is deleted")

func (r *repositoryRun) run(ctx context.Context) error {
	if err := r.look(ctx); err != nil {
		for _, item := range r.items {
			r.out.Failed = append(r.out.Failed, Skip{item, err.Error()})
		}
		return nil
	}
	for i, item := range r.items {
		if ctx.Err() != nil {
			r.out.Stopped = true
			return nil
		}
		err := r.remove(ctx, item)
		if errors.Is(err, errJournal) {
			return err
		}
		if err != nil && ctx.Err() != nil {
			r.out.Stopped = true
			return nil
		}
		if err != nil {
			// What comes later may be a part of what is still there.
			for _, left := range r.items[i:] {
				r.out.Failed = append(r.out.Failed, Skip{left, err.Error()})
			}
			return nil
		}
		r.done++
		if r.progress != nil {
			r.progress(r.done, r.all)
		}
	}
	return nil
}

// look compares the repository's tags with the plan. What new and moved tags lead
// to, the planner hasn't thought of, so it stays.
func (r *repositoryRun) look(ctx context.Context) error {
	r.doomed, r.deleted = map[string][]string{}, map[string]bool{}
	r.needed, r.followed, r.written = map[string]string{}, map[string]bool{}, map[string]bool{}
	planned := map[string]string{}
	for _, item := range r.items {
		_, tag, _, err := retention.SplitRef(item.Ref)
		switch {
		case err != nil:
			return err
		case tag != "":
			planned[tag] = item.Digest
			r.doomed[item.Digest] = append(r.doomed[item.Digest], tag)
		default:
			r.deleted[item.Digest] = true
		}
	}
	var err error
	if r.tags, err = r.store.Tags(ctx, r.name); err != nil {
		return err
	}
	for tag := range r.keeps.tags {
		if _, listed := r.tags[tag]; listed {
			continue
		}
		if _, err := r.store.Tag(ctx, r.name, tag); !errors.Is(err, fs.ErrNotExist) {
			return cmp.Or(err, unlisted(tag))
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(r.tags)) {
		digest := r.tags[tag]
		if planned[tag] == digest || r.keeps.tags[tag] == digest {
			continue
		}
		reason := fmt.Sprintf("tag %s came to it after the plan", tag)
		if subject := retention.TagSubject(tag); subject != "" {
			if err := r.needAll(ctx, subject, "it was signed or described after the plan"); err != nil {
				return err
			}
		}
		if err := r.needAll(ctx, digest, reason); err != nil {
			return err
		}
	}
	return nil
}

// unlisted is the error of a listing that was cut short: a tag that it lacks may lead
// to what is to go.
func unlisted(tag string) error { return fmt.Errorf("the list of tags lacks %s, which is there", tag) }

func (r *repositoryRun) need(digest, reason string) {
	if r.needed[digest] == "" {
		r.needed[digest] = reason
	}
}

// needAll keeps a manifest with its parts and its subject.
func (r *repositoryRun) needAll(ctx context.Context, digest, reason string) error {
	if r.followed[digest] {
		return nil
	}
	r.followed[digest] = true
	r.need(digest, reason)
	_, content, err := r.store.Manifest(ctx, r.name, digest)
	if errors.Is(err, fs.ErrNotExist) { // or so it says: nobody shall lose parts by one wrong answer
		_, content, err = r.store.Manifest(ctx, r.name, digest)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, next := range links(content) {
		if err := r.needAll(ctx, next, reason); err != nil {
			return err
		}
	}
	return nil
}

// links are the digests of a manifest's parts and of its subject.
func links(content []byte) []string {
	var m manifestLinks
	if json.Unmarshal(content, &m) != nil {
		return nil
	}
	var out []string
	for _, c := range m.Manifests {
		out = append(out, c.Digest)
	}
	if m.Subject != nil {
		out = append(out, m.Subject.Digest)
	}
	return out
}

// remove does one removal. A nil error says that the next one can be done.
func (r *repositoryRun) remove(ctx context.Context, item retention.Removal) error {
	_, tag, _, err := retention.SplitRef(item.Ref)
	switch {
	case err != nil:
		return err
	case tag != "" && r.deleted[item.Digest]:
		return nil // goes with its manifest
	}
	tags := []string{tag}
	if tag == "" {
		tags = r.doomed[item.Digest]
	}
	mediaType, content, err := r.store.Manifest(ctx, r.name, item.Digest)
	if errors.Is(err, fs.ErrNotExist) && r.written[item.Digest] {
		r.out.Removed = append(r.out.Removed, item) // with its subject
		r.out.Freed += item.Bytes
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		// Nobody shall think that parts can go for an index that is still there.
		for _, t := range tags {
			if r.tags[t] == item.Digest {
				return fmt.Errorf("tag %s is there and its manifest %s is not", t, short(item.Digest))
			}
		}
		if _, _, err = r.store.Manifest(ctx, r.name, item.Digest); err == nil {
			return fmt.Errorf("manifest %s is there and is not, as the registry says", short(item.Digest))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		r.out.Gone = append(r.out.Gone, item)
		return nil
	}
	if err != nil {
		return err
	}
	standing, reason, err := r.check(ctx, item, tag, tags, content)
	if err != nil {
		return err
	}
	if reason != "" {
		return r.skip(item, tag, reason, content)
	}
	if tag != "" && len(standing) == 0 {
		r.out.Gone = append(r.out.Gone, item)
		return nil
	}
	if err := r.delete(ctx, item, tag, Entry{Repository: r.name, Digest: item.Digest, Tags: standing, MediaType: mediaType, Manifest: content}); err != nil {
		if tag != "" && errors.Is(err, errors.ErrUnsupported) {
			return r.skip(item, tag, "this registry can't take a tag away without its image; it frees nothing", content)
		}
		return err
	}
	r.out.Removed = append(r.out.Removed, item)
	r.out.Freed += item.Bytes
	return nil
}

// check looks at what is to go once more. It returns those of its tags that are
// still there, or the reason for which it must stay.
func (r *repositoryRun) check(ctx context.Context, item retention.Removal, tag string, tags []string, content []byte) (standing []string, reason string, err error) {
	for _, t := range tags {
		now, err := r.store.Tag(ctx, r.name, t)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, "", err
		case now != item.Digest:
			return nil, fmt.Sprintf("tag %s was moved after the plan", t), nil
		case r.tags[t] == "":
			return nil, "", unlisted(t)
		default:
			standing = append(standing, t)
		}
		if tag == "" {
			if why := r.needed[retention.TagSubject(t)]; why != "" {
				return nil, "what it describes stays: " + why, nil
			}
			// The journal must have all names that go, should one answer be wrong.
			if r.tags[t] == item.Digest && !slices.Contains(standing, t) {
				standing = append(standing, t)
			}
		}
	}
	if tag != "" {
		return standing, "", nil
	}
	if why := r.needed[item.Digest]; why != "" {
		return nil, why, nil
	}
	var m manifestLinks
	if json.Unmarshal(content, &m) == nil && m.Subject != nil {
		if why := r.needed[m.Subject.Digest]; why != "" {
			return nil, "what it describes stays: " + why, nil
		}
	}
	reason, err = r.described(ctx, item.Digest)
	return standing, reason, err
}

// skip leaves an item, and with it all that it needs.
func (r *repositoryRun) skip(item retention.Removal, tag, reason string, content []byte) error {
	r.out.Skipped = append(r.out.Skipped, Skip{item, reason})
	if tag == "" {
		r.need(item.Digest, reason)
		for _, digest := range links(content) {
			r.need(digest, "part of "+short(item.Digest)+", which stays: "+reason)
		}
	}
	return nil
}

// delete writes down what goes, and lets it go. It isn't interrupted.
func (r *repositoryRun) delete(ctx context.Context, item retention.Removal, tag string, e Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.record(e); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	var err error
	if tag != "" {
		err = r.deleteTag(ctx, tag, e)
	} else {
		err = r.store.DeleteManifest(ctx, r.name, item.Digest)
	}
	if errors.Is(err, fs.ErrNotExist) { // an answer was lost on the way
		return nil
	}
	return err
}

func short(digest string) string {
	algorithm, hex, ok := strings.Cut(digest, ":")
	if !ok || len(hex) < 12 {
		return digest
	}
	return algorithm + ":" + hex[:12]
}
