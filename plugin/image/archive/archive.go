// Package archive reads images from tar archives: those of `docker save`, old
// and new, and OCI layouts in a tar. A file is read at its layers' places; a
// stream, such as standard input or an engine's answer, as it flows, and nothing
// of it is kept but what an [image.Walker] keeps.
package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// manifestFile lists the images of an archive of docker save.
const manifestFile = "manifest.json"

// Bounds for what a hostile archive may make of us.
const (
	maxMembers  = 1 << 20   // files in the archive, layers and documents
	maxDocument = 256 << 20 // bytes of one manifest, configuration or attestation
	maxKept     = 512 << 20 // bytes of all that a stream keeps
	maxLinks    = 8         // symbolic links on the way to a layer
)

// members are the files of an archive.
type members interface {
	// open opens a file. The error wraps fs.ErrNotExist if there is none.
	open(name string) (io.ReadCloser, error)
	// tables returns what a walk gave of layers, in order.
	tables(ctx context.Context, w *image.Walk, layers []layerFile) ([]image.Table, error)
}

// layerFile is a layer as the archive's documents have it.
type layerFile struct {
	name        string
	annotations map[string]string
}

// read reads the image that ref names.
func read(ctx context.Context, m members, ref, platform string, w *image.Walk) (*image.Image, error) {
	index, err := document(m, ocispec.ImageIndexFile)
	if errors.Is(err, fs.ErrNotExist) {
		return readSaved(ctx, m, ref, platform, w)
	}
	if err != nil {
		return nil, err
	}
	store := &image.Store{
		Saved: true,
		Fetch: func(_ context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
			return m.open(blobName(d.Digest))
		},
		Tables: func(ctx context.Context, w *image.Walk, blobs []image.Blob) ([]image.Table, error) {
			layers := make([]layerFile, len(blobs))
			for i, b := range blobs {
				layers[i] = layerFile{blobName(b.Digest), b.Annotations}
			}
			return m.tables(ctx, w, layers)
		},
	}
	return store.ReadLayout(ctx, index, ref, platform, w)
}

func blobName(d digest.Digest) string {
	return path.Join(ocispec.ImageBlobsDir, d.Algorithm().String(), d.Encoded())
}

// blobDigest is the digest that a name in the archive stands for; "" for others.
func blobDigest(name string) digest.Digest {
	algorithm, hex, ok := strings.Cut(strings.TrimPrefix(name, ocispec.ImageBlobsDir+"/"), "/")
	d := digest.NewDigestFromEncoded(digest.Algorithm(algorithm), hex)
	if !ok || d.Validate() != nil || blobName(d) != name {
		return ""
	}
	return d
}

// document reads a small file whole.
func document(m members, name string) ([]byte, error) {
	in, err := m.open(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	raw, err := io.ReadAll(io.LimitReader(in, maxDocument+1))
	if err == nil && len(raw) > maxDocument {
		err = fmt.Errorf("it is longer than %d bytes", maxDocument)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s in the archive: %w", name, err)
	}
	return raw, nil
}

// notThere is the error for a file that the archive lacks.
func notThere(name string) error {
	return fmt.Errorf("%s isn't in the archive: %w", name, fs.ErrNotExist)
}

func memory(data []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(data)) }
