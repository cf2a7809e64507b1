package containerd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
)

// records are the images of a repository.
func (n *Namespace) records(ctx context.Context, repository string) ([]images.Image, error) {
	all, err := n.client.ImageService().List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the images of containerd's namespace %s: %w", n.name, err)
	}
	var out []images.Image
	for _, r := range all {
		if repo, _ := nameOf(r.Name); repo == repository {
			out = append(out, r)
		}
	}
	return out, nil
}

// Tags returns what every tag of a repository leads to.
func (n *Namespace) Tags(ctx context.Context, repository string) (map[string]string, error) {
	records, err := n.records(n.in(ctx), repository)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, r := range records {
		if _, tag := nameOf(r.Name); tag != "" {
			out[tag] = r.Target.Digest.String()
		}
	}
	return out, nil
}

// Tag returns what one tag leads to; fs.ErrNotExist where there is none.
func (n *Namespace) Tag(ctx context.Context, repository, tag string) (string, error) {
	r, err := n.client.ImageService().Get(n.in(ctx), repository+":"+tag)
	return r.Target.Digest.String(), told(err, "find "+repository+":"+tag)
}

// Manifest reads a manifest from the content store.
func (n *Namespace) Manifest(ctx context.Context, _, digest string) (string, []byte, error) {
	text, err := n.text(n.in(ctx), digest)
	if err != nil {
		return "", nil, told(err, "read "+digest)
	}
	var doc struct {
		MediaType string `json:"mediaType"`
	}
	err = json.Unmarshal(text, &doc)
	return doc.MediaType, text, err
}

// DeleteManifest takes all names of a repository from an image, and the names by ID
// once no other one is left.
func (n *Namespace) DeleteManifest(ctx context.Context, repository, digest string) error {
	ctx = n.in(ctx)
	all, err := n.client.ImageService().List(ctx)
	if err != nil {
		return fmt.Errorf("list the images of containerd's namespace %s: %w", n.name, err)
	}
	var here, byID []images.Image
	others := false
	for _, r := range all {
		if r.Target.Digest.String() != digest {
			continue
		}
		switch repo, _ := nameOf(r.Name); {
		case repo == repository:
			here = append(here, r)
		case repo == Unnamed:
			byID = append(byID, r)
		default:
			others = true
		}
		if isPinned(r) {
			return fmt.Errorf("remove %s: it was pinned after the plan", r.Name)
		}
	}
	if !others {
		here = append(here, byID...)
	}
	for _, r := range here {
		if err := n.delete(ctx, r); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// DeleteTag takes one name away.
func (n *Namespace) DeleteTag(ctx context.Context, repository, tag string) error {
	ctx = n.in(ctx)
	r, err := n.client.ImageService().Get(ctx, repository+":"+tag)
	if err != nil {
		return told(err, "find "+repository+":"+tag)
	}
	return n.delete(ctx, r)
}

// delete takes a name away if it still leads to where it did, and waits until what
// nothing needs any more is collected.
func (n *Namespace) delete(ctx context.Context, r images.Image) error {
	return told(n.client.ImageService().Delete(ctx, r.Name, images.SynchronousDelete(), images.DeleteTarget(&r.Target)), "remove "+r.Name)
}

// Put can't be done: the content is gone.
func (n *Namespace) Put(_ context.Context, repository, reference, _ string, _ []byte) error {
	return fmt.Errorf("give back %s of %s: %w: containerd has collected it; pull it again", reference, repository, errors.ErrUnsupported)
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
