// Package layout reads images from OCI layout folders, as `docker buildx build
// --output type=oci,tar=false` and other tools write them.
package layout

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// Source is an image in an OCI layout folder.
type Source struct {
	root *os.Root
	dir  string
	ref  string
}

var _ image.Source = (*Source)(nil)

// Open opens a folder for the image that ref names in its index.json: by tag,
// by full name or by digest. An empty ref is the only image.
func Open(dir, ref string) (*Source, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the OCI layout: %w", err)
	}
	if _, err := root.Stat(ocispec.ImageIndexFile); err != nil {
		root.Close()
		return nil, fmt.Errorf("%s is not an OCI layout: %w", dir, err)
	}
	return &Source{root: root, dir: dir, ref: ref}, nil
}

// Read reads the image.
func (s *Source) Read(ctx context.Context, platform string, w *image.Walker) (*image.Image, error) {
	index, err := s.root.ReadFile(ocispec.ImageIndexFile)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s, err)
	}
	store := &image.Store{Fetch: s.fetch}
	img, err := store.ReadLayout(ctx, index, s.ref, platform, w.Start())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s, err)
	}
	return img, nil
}

// fetch opens a blob as a file. A digest that is none leads to no file outside.
func (s *Source) fetch(_ context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	return s.root.Open(filepath.Join(ocispec.ImageBlobsDir, d.Digest.Algorithm().String(), d.Digest.Encoded()))
}

// String is the source as it is typed.
func (s *Source) String() string {
	if s.ref != "" {
		return "oci:" + s.dir + ":" + s.ref
	}
	return "oci:" + s.dir
}

// Close closes the folder.
func (s *Source) Close() error { return s.root.Close() }
