package base

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// documentBytes is the longest manifest or configuration that is read.
const documentBytes = 16 << 20

// offer is what a reference names in a place that keeps documents by their digest.
type offer struct {
	root  ocispec.Descriptor
	fetch func(context.Context, ocispec.Descriptor) ([]byte, error)
}

// document is an index or a manifest.
type document struct {
	MediaType string               `json:"mediaType"`
	Manifests []ocispec.Descriptor `json:"manifests"`
}

// describe tells an index from a manifest by what is in it.
func describe(d digest.Digest, raw []byte) ocispec.Descriptor {
	var doc document
	_ = json.Unmarshal(raw, &doc) // who reads it next says what is wrong with it
	kind := doc.MediaType
	if kind == "" && len(doc.Manifests) > 0 {
		kind = ocispec.MediaTypeImageIndex
	} else if kind == "" {
		kind = ocispec.MediaTypeImageManifest
	}
	return ocispec.Descriptor{Digest: d, MediaType: kind, Size: int64(len(raw))}
}

// describe reads the documents that lead to the image for a platform. Where there
// is none for it, what is found has no image, and says so.
func (o *offer) describe(ctx context.Context, name, platform string) (*found, *image.Image, error) {
	raw, err := o.fetch(ctx, o.root)
	if err != nil {
		return nil, nil, err
	}
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, nil, fmt.Errorf("read manifest %s: %w", o.root.Digest, err)
	}
	f := &found{manifest: &facts.Manifest{Digest: o.root.Digest.String(), Index: len(doc.Manifests) > 0}}
	for _, d := range doc.Manifests {
		if d.Platform != nil && d.Platform.OS != "unknown" {
			f.manifest.Platforms = append(f.manifest.Platforms, facts.PlatformManifest{
				Platform: platforms.Format(platforms.Normalize(*d.Platform)), Digest: d.Digest.String(),
			})
		}
	}
	store := &image.Store{Name: name, Verified: true, Bare: true, Fetch: func(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
		raw, err := o.fetch(ctx, d)
		return io.NopCloser(bytes.NewReader(raw)), err
	}}
	wanted := platform
	if !f.manifest.Index {
		wanted = "" // BuildKit takes it, and warns
	}
	img, err := store.Read(ctx, o.root, wanted, nil)
	if err != nil {
		if _, none := errors.AsType[*image.NoPlatformError](err); !none {
			return nil, nil, err
		}
		f.lacking, f.manifest.Lacking = err, true
		return f, nil, nil
	}
	if !f.manifest.Index {
		f.manifest.Platforms = []facts.PlatformManifest{{Platform: platforms.Format(platforms.Normalize(img.Platform)), Digest: o.root.Digest.String()}}
	}
	for _, layer := range img.Layers {
		f.manifest.Bytes += layer.Compressed
	}
	if img.Config.Created != nil {
		f.manifest.Created = *img.Config.Created
	}
	f.image = &facts.Image{Digest: o.root.Digest.String(), Config: img.Config.Image}
	f.image.Config.Config = configOf(img)
	return f, img, nil
}

// configOf is the configuration without what is Docker's own.
func configOf(img *image.Image) ocispec.ImageConfig { return img.Config.Config.ImageConfig }
