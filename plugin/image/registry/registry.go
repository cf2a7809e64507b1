// Package registry reads images from registries, with the credentials that
// `docker login` left, and asks mirrors before Docker Hub.
package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// Source is an image in a registry.
type Source struct {
	ref     name.Reference
	mirrors []name.Registry
}

var _ image.Source = (*Source)(nil)

// Open names an image, by tag or digest; no registry is asked yet. Mirrors are
// those of [ParseMirrors].
func Open(ref string, mirrors ...string) (*Source, error) {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return nil, fmt.Errorf("image reference %q: %w", ref, err)
	}
	s := &Source{ref: parsed}
	s.mirrors, err = ParseMirrors(mirrors)
	return s, err
}

// Read reads the image. Errors wrap fs.ErrNotExist if no registry has it.
func (s *Source) Read(ctx context.Context, platform string, w *image.Walker) (*image.Image, error) {
	var failed []error
	for _, place := range Places(s.ref, s.mirrors) {
		desc, err := remote.Get(place, options(ctx)...)
		if err != nil {
			failed = append(failed, NotFound(err))
			continue
		}
		repo := place.Context()
		store := &image.Store{Name: s.ref.Name(), Verified: true, Part: parts(ctx, repo), Fetch: func(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
			if d.Digest.String() == desc.Digest.String() {
				return io.NopCloser(bytes.NewReader(desc.Manifest)), nil
			}
			return fetch(ctx, repo, d)
		}}
		img, err := store.Read(ctx, ocispec.Descriptor{Digest: digest.Digest(desc.Digest.String()), MediaType: string(desc.MediaType)}, platform, w.Start())
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", place, err)
		}
		return img, nil
	}
	return nil, fmt.Errorf("pull %s: %w", s.ref, errors.Join(failed...))
}

func options(ctx context.Context) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithUserAgent("imgmgr"),
	}
}

// fetch opens a manifest or another blob. Both are held against their digests
// as they are read.
func fetch(ctx context.Context, repo name.Repository, d ocispec.Descriptor) (io.ReadCloser, error) {
	ref := repo.Digest(d.Digest.String())
	switch d.MediaType {
	case ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, dockerManifest, dockerList:
		desc, err := remote.Get(ref, options(ctx)...)
		if err != nil {
			return nil, NotFound(err)
		}
		return io.NopCloser(bytes.NewReader(desc.Manifest)), nil
	}
	layer, err := remote.Layer(ref, options(ctx)...)
	if err != nil {
		return nil, err
	}
	blob, err := layer.Compressed()
	return blob, NotFound(err)
}

// Docker's media types of manifests.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// NotFound says in Go's terms that a registry answered, and has it not.
func NotFound(err error) error {
	if refusal, ok := errors.AsType[*transport.Error](err); ok && refusal.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// String is the source as it is typed.
func (s *Source) String() string { return "registry:" + s.ref.String() }

// Close does nothing.
func (*Source) Close() error { return nil }
