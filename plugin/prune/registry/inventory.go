package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/imgmgr/imgmgr/plugin/prune/manifest"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// Inventory reads the facts of all repositories. What can't be read of one makes
// that one incomplete; only a listing of repositories that fails is an error.
func (r *Registry) Inventory(ctx context.Context, now time.Time) (*retention.Inventory, error) {
	names, err := r.scope(ctx)
	if err != nil {
		return nil, err
	}
	return r.InventoryOf(ctx, now, names, r.prefix != "")
}

// Read reads the same facts, and hands over repository by repository, sorted by name.
// It keeps none: a registry of a company has more of them than should be in memory.
func (r *Registry) Read(ctx context.Context, now time.Time, begin func(*retention.Inventory) (add func(*retention.Repository), err error)) error {
	names, err := r.scope(ctx)
	if err != nil {
		return err
	}
	add, err := begin(r.head(now, r.prefix != ""))
	if err != nil {
		return err
	}
	return r.repositories(ctx, names, add)
}

// InventoryOf is the inventory of some repositories, named without the host.
// Partial says that there are others.
func (r *Registry) InventoryOf(ctx context.Context, now time.Time, names []string, partial bool) (*retention.Inventory, error) {
	inv := r.head(now, partial)
	err := r.repositories(ctx, names, func(repo *retention.Repository) { inv.Repositories = append(inv.Repositories, *repo) })
	return inv, err
}

func (r *Registry) head(now time.Time, partial bool) *retention.Inventory {
	return &retention.Inventory{Version: retention.InventoryVersion, Place: r.Place(), Host: r.remote.Host(), Taken: now.UTC(), Partial: partial}
}

// share is how many tags of a repository count as one request at a time: a large one
// keeps many busy, and further ones would only take memory.
const share = 50

// repositories reads several repositories at a time, and hands them over in order.
func (r *Registry) repositories(ctx context.Context, names []string, add func(*retention.Repository)) error {
	busy := semaphore.NewWeighted(int64(r.remote.Workers()))
	var group errgroup.Group
	group.SetLimit(r.remote.Workers()) // repositories; the gate bounds requests
	var mu sync.Mutex
	read, next := make([]*retention.Repository, len(names)), 0
	for i, name := range names {
		group.Go(func() error {
			repo := r.repository(ctx, name, busy)
			mu.Lock()
			defer mu.Unlock()
			read[i] = &repo
			for ; next < len(read) && read[next] != nil; next++ {
				add(read[next])
				read[next] = nil
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// scope is the repositories to look at. A registry that won't list them may still
// show the one that was named.
func (r *Registry) scope(ctx context.Context) ([]string, error) {
	all, err := r.remote.Repositories(ctx)
	refused := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported)
	switch {
	case refused && r.prefix != "":
		return []string{r.prefix}, nil
	case refused:
		return nil, fmt.Errorf("%w: this registry does not list its repositories; name one as %s/REPOSITORY", err, r.remote.Host())
	case err != nil:
		return nil, err
	}
	if r.prefix == "" {
		return all, nil
	}
	inside := slices.DeleteFunc(all, func(name string) bool { return name != r.prefix && !strings.HasPrefix(name, r.prefix+"/") })
	if len(inside) == 0 {
		return []string{r.prefix}, nil
	}
	return inside, nil
}

// repository reads one repository, once there is room for its tags.
func (r *Registry) repository(ctx context.Context, name string, busy *semaphore.Weighted) retention.Repository {
	repo := retention.Repository{Name: name, Tags: []retention.Tag{}, Manifests: []retention.Manifest{}}
	walk := &walk{registry: r, repository: name, contents: map[string][]byte{}, found: map[string]*retention.Manifest{}}
	tags, err := r.list(ctx, name)
	weight := min(int64(r.remote.Workers()), int64(1+len(tags)/share))
	if err == nil {
		err = busy.Acquire(ctx, weight)
	}
	if err == nil {
		defer busy.Release(weight)
		tags, err = r.follow(ctx, tags, walk.look)
	}
	if err == nil {
		repo.Tags = append(repo.Tags, tags...)
		err = walk.from(ctx, tags)
		for _, tag := range tags {
			if m, read := walk.found[tag.Digest]; read && m == nil && err == nil {
				err = fmt.Errorf("tag %s leads to %s, which is not there", tag.Name, tag.Digest)
			}
		}
		for _, m := range walk.found {
			if m != nil {
				repo.Manifests = append(repo.Manifests, *m)
			}
		}
	}
	if err != nil {
		repo.Incomplete = err.Error()
	}
	slices.SortFunc(repo.Tags, func(a, b retention.Tag) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(repo.Manifests, func(a, b retention.Manifest) int { return strings.Compare(a.Digest, b.Digest) })
	return repo
}

// list lists the tags of a repository, without their digests.
func (r *Registry) list(ctx context.Context, repository string) ([]retention.Tag, error) {
	names, err := r.remote.Tags(ctx, repository)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a repository without tags, to most registries
	}
	r.progress(0, len(names))
	tags := make([]retention.Tag, len(names))
	for i, name := range names {
		tags[i].Name = name
	}
	return tags, err
}

// follow fills in the digests that a look at each tag finds. A tag that vanishes
// meanwhile isn't there.
func (r *Registry) follow(ctx context.Context, tags []retention.Tag, look func(ctx context.Context, tag string) (string, error)) ([]retention.Tag, error) {
	err := each(ctx, r.remote.Workers(), len(tags), func(ctx context.Context, i int) error {
		digest, err := look(ctx, tags[i].Name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		tags[i].Digest = digest
		r.progress(1, 0)
		return nil
	})
	return slices.DeleteFunc(tags, func(t retention.Tag) bool { return t.Digest == "" }), err
}

func (r *Registry) progress(done, known int) {
	if r.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done, r.known = r.done+done, r.known+known
	r.Progress(r.done, r.known)
}

// walk reads manifests from tags down, each once.
type walk struct {
	registry   *Registry
	repository string
	once       sync.Once
	cached     bool // the repository was read before
	mu         sync.Mutex
	contents   map[string][]byte              // of tags, not yet in found
	found      map[string]*retention.Manifest // nil: it isn't there
}

// look is what a tag leads to. In a repository that was read before, that is a HEAD:
// the cache has most of the manifests. In another one it is a GET, which brings the
// manifest along; a HEAD would be one more request. The first tag tells them apart.
func (w *walk) look(ctx context.Context, tag string) (string, error) {
	var digest string
	var err error
	w.once.Do(func() {
		digest, err = w.registry.remote.Digest(ctx, w.repository, tag)
		w.cached = err == nil && w.registry.remote.Cached(digest)
	})
	if digest != "" || err != nil {
		return digest, err
	}
	if w.cached {
		return w.registry.remote.Digest(ctx, w.repository, tag)
	}
	digest, content, err := w.registry.remote.Look(ctx, w.repository, tag)
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.contents[digest] = content
	}
	return digest, err
}

// content is a manifest that a tag has brought along, or that the registry has.
func (w *walk) content(ctx context.Context, digest string) ([]byte, error) {
	w.mu.Lock()
	content := w.contents[digest]
	delete(w.contents, digest)
	w.mu.Unlock()
	if content != nil {
		return content, nil
	}
	return w.registry.remote.Content(ctx, w.repository, "manifests", digest)
}

// from reads level by level: what the tags name, then what that names.
func (w *walk) from(ctx context.Context, tags []retention.Tag) error {
	var next []string
	for _, t := range tags {
		next = append(next, t.Digest)
	}
	for len(next) > 0 {
		slices.Sort(next)
		level := slices.DeleteFunc(slices.Compact(next), func(digest string) bool { _, known := w.found[digest]; return known })
		next = nil
		err := each(ctx, w.registry.remote.Workers(), len(level), func(ctx context.Context, i int) error {
			m, referrers, err := w.read(ctx, level[i])
			w.mu.Lock()
			defer w.mu.Unlock()
			w.found[level[i]] = m
			next = append(next, referrers...)
			if m != nil {
				for _, c := range m.Children {
					next = append(next, c.Digest)
				}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// read reads one manifest, its configuration, and what refers to it.
func (w *walk) read(ctx context.Context, digest string) (*retention.Manifest, []string, error) {
	content, err := w.content(ctx, digest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	m, config := manifest.Parse(digest, content)
	if config != "" {
		content, err := w.registry.remote.Content(ctx, w.repository, "blobs", config)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // a lost configuration leaves the date unknown
			return &m, nil, err
		}
		manifest.Describe(&m, content)
	}
	found, _, err := w.registry.remote.Referrers(ctx, w.repository, digest)
	var referrers []string
	for _, d := range found {
		referrers = append(referrers, d.Digest.String())
	}
	return &m, referrers, err
}

// each does n things, several at a time, and stops at the first error.
func each(ctx context.Context, workers, n int, do func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}
