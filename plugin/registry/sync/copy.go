package sync

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
)

// Counts are what copying came to.
type Counts struct {
	Sent, Mounted, Present atomic.Int64 // bytes of blobs
	Manifests, Referrers   atomic.Int64 // that were written
}

// copier does the steps of one piece of work. It copies no manifest twice, and a
// blob to several repositories by one upload and mounts.
type copier struct {
	*Work
	counts    *Counts
	transfers chan struct{} // blobs that may be under way at one time

	mu        sync.Mutex
	manifests map[string]*once // by repository and digest
	*blobs
}

// blobs are what a run knows of the blobs of one registry.
type blobs struct {
	lock   sync.Mutex
	places map[string]*where // by digest
}

// once is something that is done by whoever comes first.
type once struct {
	sync.Once
	err error
}

// where says which repositories of the destination have a blob. Who holds the lock
// may bring it to another one.
type where struct {
	sync.Mutex
	repositories map[string]bool
	any          string
}

func newCopier(w *Work, counts *Counts, known *blobs) *copier {
	return &copier{Work: w, counts: counts, transfers: make(chan struct{}, max(1, w.To.Workers()/2)), manifests: map[string]*once{}, blobs: known}
}

// Done is what became of a step.
type Done string

const (
	Same    Done = "same"
	Copied  Done = "copied"
	Moved   Done = "moved"   // the tag was there and led elsewhere
	Skipped Done = "skipped" // not for the platforms that were asked for
)

// step brings one tag over, everything that it needs first, so that it never leads
// to what isn't whole.
func (c *copier) step(ctx context.Context, s Step) (Done, error) {
	whole, err := c.From.Content(ctx, s.Repository, "manifests", s.Digest)
	if err != nil {
		return "", err
	}
	content, err := c.choose(ctx, s.Repository, whole)
	if errors.Is(err, errOtherPlatforms) {
		return Skipped, nil
	}
	if err != nil {
		return "", err
	}
	want := s.Digest
	if !bytes.Equal(content, whole) {
		want = digest.FromBytes(content).String()
	}
	if err := c.manifest(ctx, s.Repository, s.Target, want, content); err != nil {
		return "", err
	}
	if s.Was == want {
		return Same, nil
	}
	if err := c.To.Put(ctx, s.Target, s.Tag, typeOf(content), content); err != nil {
		return "", err
	}
	got, err := c.To.Digest(ctx, s.Target, s.Tag)
	switch {
	case err != nil:
		return "", fmt.Errorf("check the copy: %w", err)
	case got != want:
		return "", fmt.Errorf("check the copy: %s/%s:%s leads to %s, want %s", c.To.Host(), s.Target, s.Tag, got, want)
	case s.Was != "":
		return Moved, nil
	}
	return Copied, nil
}

// choose keeps the platforms that were asked for.
func (c *copier) choose(ctx context.Context, repository string, content []byte) ([]byte, error) {
	if len(c.Job.Platforms) == 0 {
		return content, nil
	}
	var m manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	if m.Manifests != nil {
		return only(content, c.Job.Platforms)
	}
	config, err := c.From.Content(ctx, repository, "blobs", m.Config.Digest.String())
	if err != nil {
		return nil, err
	}
	match, err := matcher(c.Job.Platforms)
	if err != nil {
		return nil, err
	}
	var p ocispec.Platform
	if json.Unmarshal(config, &p) != nil || !match(p) {
		return nil, errOtherPlatforms
	}
	return content, nil
}

// manifest is what is needed of a manifest of any kind.
type manifest struct {
	MediaType     string               `json:"mediaType"`
	SchemaVersion int                  `json:"schemaVersion"`
	Config        ocispec.Descriptor   `json:"config"`
	Layers        []ocispec.Descriptor `json:"layers"`
	Manifests     []ocispec.Descriptor `json:"manifests"`
}

// typeOf is the media type of a manifest; in OCI's own it need not be written.
func typeOf(content []byte) string {
	var m manifest
	switch err := json.Unmarshal(content, &m); {
	case err == nil && m.MediaType != "":
		return m.MediaType
	case m.Manifests != nil:
		return ocispec.MediaTypeImageIndex
	}
	return ocispec.MediaTypeImageManifest
}

// manifest brings a manifest over, with its parts and what refers to it. Whoever
// comes first does so, and the others wait; but nobody waits for referrers, of
// which a hostile registry can make circles.
func (c *copier) manifest(ctx context.Context, from, to, digest string, content []byte) error {
	key := to + "@" + digest
	c.mu.Lock()
	o := c.manifests[key]
	first := o == nil
	if first {
		o = &once{}
		c.manifests[key] = o
	}
	c.mu.Unlock()
	o.Do(func() { o.err = c.whole(ctx, from, to, digest, content) })
	if o.err != nil || !first || c.Job.WithoutReferrers {
		return o.err
	}
	return c.referrers(ctx, from, to, digest)
}

func (c *copier) whole(ctx context.Context, from, to, digest string, content []byte) error {
	var m manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return fmt.Errorf("read manifest %s of %s: %w", digest, from, err)
	}
	if m.SchemaVersion != 2 {
		return fmt.Errorf("manifest %s of %s is of schema %d, which can't be copied", digest, from, m.SchemaVersion)
	}
	_, err := c.To.Digest(ctx, to, digest)
	there := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, d := range m.Manifests { // also of an index that is there: its parts can be deleted by themselves
		if err := c.fetch(ctx, from, to, d.Digest.String()); err != nil {
			return err
		}
	}
	if there {
		return nil
	}
	if m.Manifests == nil {
		if err := c.allBlobs(ctx, from, to, append([]ocispec.Descriptor{m.Config}, m.Layers...)); err != nil {
			return err
		}
	}
	if err := c.To.Put(ctx, to, digest, typeOf(content), content); err != nil {
		return err
	}
	c.counts.Manifests.Add(1)
	return nil
}

// fetch brings over a manifest that is not read yet.
func (c *copier) fetch(ctx context.Context, from, to, digest string) error {
	content, err := c.From.Content(ctx, from, "manifests", digest)
	if err != nil {
		return err
	}
	return c.manifest(ctx, from, to, digest, content)
}

func (c *copier) allBlobs(ctx context.Context, from, to string, blobs []ocispec.Descriptor) error {
	group, ctx := errgroup.WithContext(ctx)
	seen := map[digest.Digest]bool{}
	for _, d := range blobs {
		if d.Digest == "" || len(d.URLs) > 0 || seen[d.Digest] { // what has URLs is in no registry
			continue
		}
		seen[d.Digest] = true
		group.Go(func() error { return c.blob(ctx, from, to, d) })
	}
	return group.Wait()
}

// blob brings a blob over: it is there, or it is mounted, or it is sent.
func (c *copier) blob(ctx context.Context, from, to string, d ocispec.Descriptor) error {
	c.lock.Lock()
	at := c.places[d.Digest.String()]
	if at == nil {
		at = &where{repositories: map[string]bool{}}
		c.places[d.Digest.String()] = at
	}
	c.lock.Unlock()
	at.Lock()
	defer at.Unlock()
	if at.any == "" && c.From.Host() == c.To.Host() {
		at.any = from
	}
	if at.repositories[to] {
		return nil
	}
	count, err := c.bring(ctx, from, to, d, at.any)
	if err != nil {
		return err
	}
	count.Add(d.Size)
	at.repositories[to], at.any = true, to
	return nil
}

func (c *copier) bring(ctx context.Context, from, to string, d ocispec.Descriptor, other string) (*atomic.Int64, error) {
	there, err := c.To.HasBlob(ctx, to, d.Digest.String())
	if err != nil || there {
		return &c.counts.Present, err
	}
	if other != "" && other != to {
		mounted, err := c.To.Mount(ctx, to, d.Digest.String(), other)
		if err != nil || mounted {
			return &c.counts.Mounted, err
		}
	}
	select {
	case c.transfers <- struct{}{}:
		defer func() { <-c.transfers }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return &c.counts.Sent, c.To.Upload(ctx, to, d.Digest.String(), d.Size, func() io.ReadCloser {
		return c.From.Blob(ctx, from, d.Digest.String(), d.Size)
	})
}
