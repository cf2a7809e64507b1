// Package prune is `docker imgmgr prune`: it removes the images that a policy
// says, explains each decision, and can give back what it took.
//
//	place ─ Inventory ─> retention.Planner ─> plan ─ shown, saved, reviewed ─> Execute
//	                                                                             │
//	                         journal <─ each manifest, before its delete ────────┤
//	                            └────> Undo ─────────────────────────────> place ┘
//
// Of registries and saved files, an inventory flows by one repository at a time, past
// all that takes facts: taker.go. The decision is in the package retention, which can't change anything. What
// reads a place and what changes it are two interfaces here, [Reader] and [Store];
// the places themselves are in folders below.
//
// Each verb has a file: prune.go's is run.go, then apply.go, undo.go, why.go,
// test.go, diff.go and simulate.go. Their command lines are in command.go.
package prune

import (
	"context"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// Reader gathers the facts of a place. It changes nothing there.
type Reader interface {
	Inventory(ctx context.Context, now time.Time) (*retention.Inventory, error)
}

// Store is what the executor needs of a place, one request each. Repositories are
// named as in plans, with the host. What isn't there is fs.ErrNotExist, and what a
// place can't do is errors.ErrUnsupported.
type Store interface {
	// Tags are all tags of a repository with their digests, as they are now.
	Tags(ctx context.Context, repository string) (map[string]string, error)
	Tag(ctx context.Context, repository, tag string) (digest string, err error)
	// Manifest reads a manifest with its media type, and checks its digest.
	Manifest(ctx context.Context, repository, digest string) (mediaType string, content []byte, err error)
	// DeleteManifest deletes a manifest with all its tags.
	DeleteManifest(ctx context.Context, repository, digest string) error
	DeleteTag(ctx context.Context, repository, tag string) error
	// Put writes a manifest under a tag or under its digest.
	Put(ctx context.Context, repository, reference, mediaType string, content []byte) error
}
