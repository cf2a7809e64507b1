package image

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// documentBytes is the longest manifest, configuration or attestation that is read.
const documentBytes = 256 << 20

// indexDepth is how many indexes may lead to a manifest: the layout's, the
// image's, and one to spare.
const indexDepth = 3

// Store reads images from a place that keeps blobs by their digest: a registry,
// an OCI layout, containerd.
type Store struct {
	// Name is the image's name.
	Name string
	// Fetch opens a blob. Its error wraps fs.ErrNotExist if there is none.
	Fetch func(context.Context, ocispec.Descriptor) (io.ReadCloser, error)
	// Part opens a part of a blob, as Blob.Part; may be nil.
	Part func(ctx context.Context, d ocispec.Descriptor, offset, n int64) (io.ReadCloser, error)
	// Verified says that Fetch, or who put the blob there, has held it against
	// its digest.
	Verified bool
	// Saved says that layers may be uncompressed here though they aren't in a
	// registry: docker save does that.
	Saved bool
	// Bare leaves out what is attached to the image.
	Bare bool
	// Tables reads the layers; nil opens and walks them. It is for streams, in
	// which the layers may have gone by before their manifest came.
	Tables func(context.Context, *Walk, []Blob) ([]Table, error)
}

// Read reads the image that a descriptor names. Where that is an index, it
// takes the manifest that fits the platform best.
func (s *Store) Read(ctx context.Context, root ocispec.Descriptor, platform string, w *Walk) (*Image, error) {
	raw, err := s.document(ctx, root)
	if err != nil {
		return nil, err
	}
	return s.read(ctx, root, raw, platform, w)
}

// ReadLayout reads the image that ref names in the index.json of a layout: by
// tag, by full name or by digest. An empty ref is the only image that there is.
func (s *Store) ReadLayout(ctx context.Context, index []byte, ref, platform string, w *Walk) (*Image, error) {
	var doc document
	if err := json.Unmarshal(index, &doc); err != nil {
		return nil, fmt.Errorf("read index.json: %w", err)
	}
	root, err := doc.named(ref)
	if err != nil {
		return nil, err
	}
	if root == nil { // the layout is the image's index
		return s.read(ctx, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex}, index, platform, w)
	}
	s.Name = cmp.Or(s.Name, names(*root)[0])
	raw, err := s.document(ctx, *root)
	if err != nil {
		return nil, err
	}
	return s.read(ctx, *root, raw, platform, w)
}

// document is an index, a manifest, or an old manifest of Docker.
type document struct {
	specs.Versioned
	MediaType   string               `json:"mediaType"`
	Manifests   []ocispec.Descriptor `json:"manifests"`
	Config      ocispec.Descriptor   `json:"config"`
	Layers      []ocispec.Descriptor `json:"layers"`
	Annotations map[string]string    `json:"annotations"`
}

// document reads a small blob whole.
func (s *Store) document(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	if err := d.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("digest %q: %w", d.Digest, err)
	}
	in, err := s.Fetch(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", d.Digest, err)
	}
	defer in.Close()
	raw, err := io.ReadAll(io.LimitReader(in, documentBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", d.Digest, err)
	case len(raw) > documentBytes:
		return nil, fmt.Errorf("read %s: it is longer than %d bytes", d.Digest, documentBytes)
	case d.Digest.Algorithm().FromBytes(raw) != d.Digest:
		return nil, fmt.Errorf("read %s: its bytes have another digest: the image is damaged; pull or build it again", d.Digest)
	}
	return raw, nil
}

// found is a manifest, and where it was found.
type found struct {
	document
	digest      digest.Digest
	index       digest.Digest
	platforms   []ocispec.Platform  // that the index offers
	attestation *ocispec.Descriptor // what the index attaches to it
}

// read leads from an index or a manifest to the image.
func (s *Store) read(ctx context.Context, root ocispec.Descriptor, raw []byte, platform string, w *Walk) (*Image, error) {
	var f found
	if err := s.descend(ctx, &f, root, raw, platform, indexDepth); err != nil {
		return nil, err
	}
	image, err := s.configure(ctx, &f, platform)
	if err != nil {
		return nil, err
	}
	image.Name, image.Digest, image.Annotations = s.Name, f.digest, f.Annotations
	image.Index, image.Platforms = f.index, f.platforms
	if s.Bare {
		f.attestation = nil
	}
	if image.Attestations, err = s.attest(ctx, f.attestation); err != nil {
		return nil, err
	}
	tables, err := s.layers(ctx, image, f.Layers, w)
	if err != nil {
		return nil, err
	}
	return image, image.Fill(tables)
}

// descend follows indexes to a manifest.
func (s *Store) descend(ctx context.Context, f *found, d ocispec.Descriptor, raw []byte, platform string, depth int) error {
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil {
		return fmt.Errorf("read manifest %s: %w", d.Digest, err)
	}
	if doc.SchemaVersion == 1 {
		return fmt.Errorf("manifest %s has schema 1, which registries gave up: push the image again", d.Digest)
	}
	if len(doc.Manifests) == 0 {
		f.document, f.digest = doc, d.Digest
		return nil
	}
	if depth == 0 {
		return fmt.Errorf("index %s: there are more than %d indexes in a row", d.Digest, indexDepth)
	}
	next, err := s.choose(ctx, &doc, platform)
	if err != nil {
		return err
	}
	f.index, f.platforms, f.attestation = d.Digest, doc.platforms(), doc.attestation(next.Digest)
	if raw, err = s.document(ctx, next); err != nil {
		return err
	}
	return s.descend(ctx, f, next, raw, platform, depth-1)
}

// configure reads the image's configuration.
func (s *Store) configure(ctx context.Context, f *found, platform string) (*Image, error) {
	if kind := f.Config.MediaType; !strings.Contains(kind, "image.config") && !strings.Contains(kind, "container.image") {
		return nil, fmt.Errorf("manifest %s is not that of an image: its configuration is of type %q", f.digest, kind)
	}
	raw, err := s.document(ctx, f.Config)
	if err != nil {
		return nil, fmt.Errorf("its configuration: %w", err)
	}
	image, err := New(raw, platform)
	if err == nil && len(f.Layers) != len(image.Layers) {
		err = fmt.Errorf("its manifest lists %d layers, and its configuration %d", len(f.Layers), len(image.Layers))
	}
	return image, err
}

// layers describes and reads the layers that a manifest lists.
func (s *Store) layers(ctx context.Context, image *Image, list []ocispec.Descriptor, w *Walk) ([]Table, error) {
	blobs := make([]Blob, len(list))
	for i, d := range list {
		if err := d.Digest.Validate(); err != nil {
			return nil, fmt.Errorf("layer %d: digest %q: %w", i+1, d.Digest, err)
		}
		layer := image.Layers[i]
		layer.Digest, layer.Annotations = d.Digest, d.Annotations
		if !s.Saved || strings.HasSuffix(d.MediaType, "gzip") || strings.HasSuffix(d.MediaType, "zstd") {
			layer.Compressed = d.Size
		}
		blobs[i] = Blob{
			Digest: d.Digest, Verified: s.Verified, Size: d.Size, Annotations: d.Annotations,
			Open: func(ctx context.Context) (io.ReadCloser, error) { return s.Fetch(ctx, d) },
		}
		if s.Part != nil {
			blobs[i].Part = func(ctx context.Context, offset, n int64) (io.ReadCloser, error) { return s.Part(ctx, d, offset, n) }
		}
	}
	if s.Tables != nil {
		return s.Tables(ctx, w, blobs)
	}
	return w.Layers(ctx, blobs)
}

// Annotations by which BuildKit attaches attestations to an image in its index,
// and tells what they state: docs/attestations/attestation-storage.md there.
const (
	referenceType   = "vnd.docker.reference.type"
	referenceDigest = "vnd.docker.reference.digest"
	predicateType   = "in-toto.io/predicate-type"
)

func (doc *document) attestation(of digest.Digest) *ocispec.Descriptor {
	i := slices.IndexFunc(doc.Manifests, func(d ocispec.Descriptor) bool {
		return d.Annotations[referenceType] == "attestation-manifest" && d.Annotations[referenceDigest] == of.String()
	})
	if i < 0 {
		return nil
	}
	return &doc.Manifests[i]
}

// attest lists what is attached to the image. An index may outlive its
// attestations: then there are none.
func (s *Store) attest(ctx context.Context, to *ocispec.Descriptor) ([]Attestation, error) {
	if to == nil {
		return nil, nil
	}
	raw, err := s.document(ctx, *to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var manifest document
	if err == nil {
		err = json.Unmarshal(raw, &manifest)
	}
	if err != nil {
		return nil, fmt.Errorf("its attestations: %w", err)
	}
	var out []Attestation
	for _, d := range manifest.Layers {
		if kind := d.Annotations[predicateType]; kind != "" {
			out = append(out, Attestation{
				PredicateType: kind, Descriptor: d,
				read: func(ctx context.Context) ([]byte, error) { return s.document(ctx, d) },
			})
		}
	}
	return out, nil
}
