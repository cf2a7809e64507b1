// Package engine reads and removes the images of a Docker Engine, for prune.
//
// An engine has images under IDs, each with any number of names. As registries
// do, an inventory has one repository for each name, and the image in each of
// them; images without a name are in the repository "<none>". A removal takes one
// name away, never by force, and the engine deletes the image with its last one.
package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/imgmgr/imgmgr/plugin/image/engine"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

const (
	// Place is how plans name the local engine.
	Place = "engine:"
	// Unnamed is the repository of images without a name, as the engine calls it.
	Unnamed = "<none>"

	workers = 16
)

// Engine is a Docker Engine.
type Engine struct{ api client.APIClient }

// New reads and removes images through a client of the engine.
func New(api client.APIClient) *Engine { return &Engine{api} }

// Inventory reads the facts of all images, and which of them containers use.
func (e *Engine) Inventory(ctx context.Context, now time.Time) (*retention.Inventory, error) {
	list, err := e.api.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the engine's images: %w", err)
	}
	// Build caches and layers of containers may share what images have.
	inv := &retention.Inventory{Version: retention.InventoryVersion, Place: Place, Taken: now.UTC(), Partial: true, Final: true}
	manifests := make([]retention.Manifest, len(list.Items))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i, item := range list.Items {
		group.Go(func() (err error) {
			manifests[i], err = e.manifest(within, item.ID)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	repositories := map[string]*retention.Repository{}
	for i, item := range list.Items {
		for name, tags := range names(item) {
			r := repositories[name]
			if r == nil {
				r = &retention.Repository{Name: name}
				repositories[name] = r
			}
			r.Manifests = append(r.Manifests, manifests[i])
			for _, tag := range tags {
				r.Tags = append(r.Tags, retention.Tag{Name: tag, Digest: item.ID})
			}
		}
	}
	for _, r := range repositories {
		inv.Repositories = append(inv.Repositories, *r)
	}
	slices.SortFunc(inv.Repositories, func(a, b retention.Repository) int { return strings.Compare(a.Name, b.Name) })
	inv.InUse, err = e.uses(ctx)
	return inv, err
}

// names are the repositories that an image is in, with its tags there.
func names(item image.Summary) map[string][]string {
	out := map[string][]string{}
	for _, ref := range item.RepoDigests { // pulled by digest, perhaps without a tag
		if repo, _, ok := strings.Cut(ref, "@"); ok && repo != Unnamed {
			out[repo] = nil
		}
	}
	for _, ref := range item.RepoTags {
		if repo, tag, _, err := retention.SplitRef(ref); err == nil && repo != Unnamed {
			out[repo] = append(out[repo], tag)
		}
	}
	if len(out) == 0 {
		out[Unnamed] = nil
	}
	return out
}

// manifest is an image as a manifest: its configuration and its layers.
func (e *Engine) manifest(ctx context.Context, id string) (retention.Manifest, error) {
	m := retention.Manifest{Digest: id, Kind: retention.KindImage}
	inspect, err := e.api.ImageInspect(ctx, id)
	if err != nil {
		return m, fmt.Errorf("inspect image %s: %w", id, err)
	}
	m.Created, _ = time.Parse(time.RFC3339Nano, inspect.Created)
	m.Pushed = inspect.Metadata.LastTagTime
	if inspect.Config != nil {
		m.Labels = inspect.Config.Labels
	}
	m.Platform = inspect.Os + "/" + inspect.Architecture
	if inspect.Variant != "" {
		m.Platform += "/" + inspect.Variant
	}
	history, err := e.api.ImageHistory(ctx, id)
	if err != nil {
		return m, fmt.Errorf("read the history of image %s: %w", id, err)
	}
	m.Blobs = []retention.Blob{{Digest: "config of " + id}}
	for _, l := range engine.Layers(inspect.RootFS.Layers, history.Items, inspect.Size) {
		m.Blobs = append(m.Blobs, retention.Blob{Digest: l.DiffID, Bytes: l.Bytes})
	}
	return m, nil
}

// uses are the images of all containers, stopped ones too, by ID and by name.
func (e *Engine) uses(ctx context.Context) ([]retention.Use, error) {
	list, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return nil, fmt.Errorf("list the engine's containers: %w", err)
	}
	var uses []retention.Use
	for _, c := range list.Items {
		name := c.ID
		if len(c.Names) > 0 {
			name = strings.TrimPrefix(c.Names[0], "/")
		}
		by := fmt.Sprintf("container %s (%s)", name, c.State)
		uses = append(uses, retention.Use{Image: c.ImageID, By: by}, retention.Use{Image: c.Image, By: by})
	}
	return uses, nil
}

// Tags returns the image of every tag of a repository.
func (e *Engine) Tags(ctx context.Context, repository string) (map[string]string, error) {
	list, err := e.api.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the engine's images: %w", err)
	}
	out := map[string]string{}
	for _, item := range list.Items {
		for _, tag := range names(item)[repository] {
			out[tag] = item.ID
		}
	}
	return out, nil
}

// Tag returns the image of one tag; fs.ErrNotExist where there is none.
func (e *Engine) Tag(ctx context.Context, repository, tag string) (string, error) {
	inspect, err := e.api.ImageInspect(ctx, repository+":"+tag)
	return inspect.ID, told(err, "inspect "+repository+":"+tag)
}

// Manifest returns what the engine says of an image; it has no manifest to give.
func (e *Engine) Manifest(ctx context.Context, _, id string) (string, []byte, error) {
	var raw bytes.Buffer
	_, err := e.api.ImageInspect(ctx, id, client.ImageInspectWithRawResponse(&raw))
	return "application/json", raw.Bytes(), told(err, "inspect image "+id)
}

// DeleteManifest takes all names of a repository from an image. The engine deletes
// it with its last name, and refuses where a container uses it.
func (e *Engine) DeleteManifest(ctx context.Context, repository, id string) error {
	inspect, err := e.api.ImageInspect(ctx, id)
	if err != nil {
		return told(err, "inspect image "+id)
	}
	if repository == Unnamed {
		return e.remove(ctx, id)
	}
	for _, ref := range slices.Concat(inspect.RepoTags, inspect.RepoDigests) {
		if repo, _, _, err := retention.SplitRef(ref); err == nil && repo == repository {
			if err := e.remove(ctx, ref); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// DeleteTag takes one name away.
func (e *Engine) DeleteTag(ctx context.Context, repository, tag string) error {
	return e.remove(ctx, repository+":"+tag)
}

func (e *Engine) remove(ctx context.Context, ref string) error {
	_, err := e.api.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true})
	return told(err, "remove "+ref)
}

// Put can't be done: an engine takes whole images, not manifests.
func (e *Engine) Put(_ context.Context, repository, reference, _ string, _ []byte) error {
	return fmt.Errorf("give back %s of %s: %w: an engine can't take back an image that it deleted; pull or build it again", reference, repository, errors.ErrUnsupported)
}

// told says what failed, in the errors of the standard library.
func told(err error, what string) error {
	switch {
	case err == nil:
		return nil
	case errdefs.IsNotFound(err):
		return fmt.Errorf("%s: %w", what, fs.ErrNotExist)
	}
	return fmt.Errorf("%s: %w", what, err)
}
