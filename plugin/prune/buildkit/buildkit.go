// Package buildkit reads and removes the records of a BuildKit's cache, for prune.
//
// An inventory has one repository, "cache", and in it each record that `docker
// buildx du` lists: a manifest without a tag, which needs its parents. Rules tell
// records apart by their labels: "type" is regular, source.local,
// source.git.checkout, exec.cachemount, frontend or internal; "description" is
// what was built; "shared" is there where images have the bytes too, so that
// nothing is freed. Ages are since the creation, or since the last use.
package buildkit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

const (
	// Scheme begins the places of plans; a builder's name or address follows.
	Scheme = "buildkit:"
	// Repository is what plans call the cache.
	Repository = "cache"
)

// API is the part of BuildKit's client that is needed here.
type API interface {
	DiskUsage(context.Context, ...client.DiskUsageOption) ([]*client.UsageInfo, error)
	Prune(context.Context, chan client.UsageInfo, ...client.PruneOption) error
}

// Cache is the cache of a BuildKit.
type Cache struct {
	api  API
	name string
}

// New reads and removes records through a client. The name is the builder's, as
// the command line has it.
func New(api API, name string) *Cache { return &Cache{api, name} }

// Inventory reads all records.
func (c *Cache) Inventory(ctx context.Context, now time.Time) (*retention.Inventory, error) {
	records, err := c.api.DiskUsage(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the cache of %s: %w", c.name, err)
	}
	r := retention.Repository{Name: Repository, Tags: []retention.Tag{}, Manifests: []retention.Manifest{}}
	for _, u := range records {
		r.Manifests = append(r.Manifests, record(u))
	}
	return &retention.Inventory{
		Version: retention.InventoryVersion, Place: Scheme + c.name, Taken: now.UTC(), Final: true,
		Repositories: []retention.Repository{r},
	}, nil
}

// record is one record as a manifest. One that was never used counts as used when
// it was made.
func record(u *client.UsageInfo) retention.Manifest {
	m := retention.Manifest{
		Digest: u.ID, Kind: retention.KindRecord, Title: u.Description, Needs: u.Parents,
		Created: u.CreatedAt, Pulled: u.CreatedAt,
		Labels: map[string]string{"type": string(u.RecordType), "description": u.Description},
		Blobs:  []retention.Blob{{Digest: "record " + u.ID, Bytes: u.Size}},
	}
	if u.LastUsedAt != nil {
		m.Pulled = *u.LastUsedAt
	}
	if u.Shared {
		m.Labels["shared"] = "true"
		m.Blobs[0].Bytes = 0
	}
	if u.InUse {
		m.Pinned = "in use by a build"
	}
	return m
}

// Tags returns none: records have no names.
func (c *Cache) Tags(context.Context, string) (map[string]string, error) { return nil, nil }

// Tag finds none.
func (c *Cache) Tag(_ context.Context, repository, tag string) (string, error) {
	return "", fmt.Errorf("%s:%s: %w", repository, tag, fs.ErrNotExist)
}

// Manifest is what BuildKit says of a record.
func (c *Cache) Manifest(ctx context.Context, _, id string) (string, []byte, error) {
	u, err := c.find(ctx, id)
	if err != nil {
		return "", nil, err
	}
	text, err := json.Marshal(u)
	return "application/json", text, err
}

// DeleteManifest removes a record. BuildKit itself keeps one that a build uses, and
// one that another record is built on.
func (c *Cache) DeleteManifest(ctx context.Context, _, id string) error {
	removed := make(chan client.UsageInfo)
	done := make(chan error, 1)
	go func() {
		done <- c.api.Prune(ctx, removed, client.PruneAll, client.WithFilter(only(id)))
		close(removed)
	}()
	gone := false
	for u := range removed {
		gone = gone || u.ID == id
	}
	if err := <-done; err != nil {
		return fmt.Errorf("remove record %s: %w", id, err)
	}
	if gone {
		return nil
	}
	switch u, err := c.find(ctx, id); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case u.InUse:
		return fmt.Errorf("remove record %s: a build uses it by now", id)
	}
	return fmt.Errorf("remove record %s: BuildKit keeps it, for another record is built on it by now", id)
}

// DeleteTag can't be done.
func (c *Cache) DeleteTag(_ context.Context, repository, tag string) error {
	return fmt.Errorf("%s:%s: records have no tags: %w", repository, tag, errors.ErrUnsupported)
}

// Put can't be done: records come from builds alone.
func (c *Cache) Put(_ context.Context, _, id, _ string, _ []byte) error {
	return fmt.Errorf("give back record %s: %w: build again what it was of", id, errors.ErrUnsupported)
}

func (c *Cache) find(ctx context.Context, id string) (*client.UsageInfo, error) {
	records, err := c.api.DiskUsage(ctx, client.WithFilter(only(id)))
	if err != nil {
		return nil, fmt.Errorf("look for record %s: %w", id, err)
	}
	for _, u := range records {
		if u.ID == id {
			return u, nil
		}
	}
	return nil, fmt.Errorf("record %s: %w", id, fs.ErrNotExist)
}

// only is a filter for one record. IDs are words; what is none selects nothing.
func only(id string) []string {
	if strings.ContainsAny(id, `,"\ `) {
		id = ""
	}
	return []string{"id==" + id}
}
