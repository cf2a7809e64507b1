// Package containerd reads images from containerd's content store, where layers
// are compressed as they were pulled; nothing is unpacked or exported.
package containerd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// Where containerd listens, and the namespace of `ctr` and most others.
const (
	DefaultAddress   = "/run/containerd/containerd.sock"
	DefaultNamespace = "default"
)

// Source is an image in containerd.
type Source struct {
	client *client.Client
	root   ocispec.Descriptor
	ref    string
}

var _ image.Source = (*Source)(nil)

// Open finds an image by name in a namespace: "default", "moby", "k8s.io",
// "buildkit". Address is the path of containerd's socket. The error wraps
// fs.ErrNotExist if the image isn't there.
func Open(ctx context.Context, address, namespace, ref string) (*Source, error) {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return nil, fmt.Errorf("image reference %q: %w", ref, err)
	}
	c, err := client.New(address, client.WithDefaultNamespace(namespace))
	if err != nil {
		return nil, fmt.Errorf("connect to containerd at %s: %w", address, err)
	}
	found, err := c.ImageService().Get(namespaces.WithNamespace(ctx, namespace), named.String())
	if err == nil {
		return &Source{client: c, root: found.Target, ref: named.String()}, nil
	}
	if errdefs.IsNotFound(err) {
		err = fmt.Errorf("%w: list those that are there with: ctr --namespace %s images ls", fs.ErrNotExist, namespace)
	}
	return nil, errors.Join(fmt.Errorf("find %s in containerd's namespace %s: %w", named, namespace, err), c.Close())
}

// Read reads the image.
func (s *Source) Read(ctx context.Context, platform string, w *image.Walker) (*image.Image, error) {
	// containerd has held every blob against its digest when it came in.
	store := &image.Store{Name: s.ref, Fetch: s.fetch, Verified: true}
	img, err := store.Read(ctx, s.root, platform, w.Start())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s, err)
	}
	return img, nil
}

func (s *Source) fetch(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	blob, err := s.client.ContentStore().ReaderAt(ctx, d)
	if errdefs.IsNotFound(err) {
		return nil, fmt.Errorf("%s isn't in containerd's content store: %w", d.Digest, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	return section{io.NewSectionReader(blob, 0, blob.Size()), blob}, nil
}

// section reads a blob from its start. Reads are answered in pieces of a size
// that gRPC takes.
type section struct {
	*io.SectionReader
	blob content.ReaderAt
}

func (s section) Close() error { return s.blob.Close() }

// String is the source as it is typed.
func (s *Source) String() string { return "containerd:" + s.ref }

// Close closes the connection.
func (s *Source) Close() error { return s.client.Close() }
