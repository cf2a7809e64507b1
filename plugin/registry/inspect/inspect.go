// Package inspect is `docker imgmgr registry inspect`: all that a registry knows of
// one image, without pulling it.
//
// inspect.go has what is told and makes it of a registry's answers, text.go prints
// it.
package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/distribution"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// Report is one image.
type Report struct {
	Reference string `json:"reference"`
	Manifest
	// Platforms are the images of an index, and Attestations those of its entries
	// that describe them. An image that stands alone has itself as its platform.
	Platforms    []Platform `json:"platforms,omitempty"`
	Attestations []Manifest `json:"attestations,omitempty"`
	Referrers    []Referrer `json:"referrers,omitempty"`
}

// Manifest is what all manifests have.
type Manifest struct {
	Digest       string            `json:"digest"`
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Size         int64             `json:"size"` // bytes of the manifest itself
	Annotations  map[string]string `json:"annotations,omitempty"`
	Subject      string            `json:"subject,omitempty"` // digest
	// Missing says that an index names it and the registry doesn't have it.
	Missing bool    `json:"missing,omitempty"`
	Layers  []Layer `json:"layers,omitempty"`
}

// Platform is an image for one platform.
type Platform struct {
	Manifest
	Platform string         `json:"platform"`
	Config   *ocispec.Image `json:"config,omitempty"`
}

// Layer is one layer, or a file of an artifact.
type Layer struct {
	Digest    string `json:"digest"`
	MediaType string `json:"mediaType"`
	Size      int64  `json:"size"`                // compressed bytes
	CreatedBy string `json:"createdBy,omitempty"` // the instruction, by the image's history
}

// Referrer is a signature, an SBOM or the like.
type Referrer struct {
	Manifest
	Tag string `json:"tag,omitempty"` // by which it is tied to the image, if it is
	To  string `json:"to"`            // the digest that it refers to: the index or one of its parts
}

// document is a manifest of any kind.
type document struct {
	MediaType    string               `json:"mediaType"`
	ArtifactType string               `json:"artifactType"`
	Config       *ocispec.Descriptor  `json:"config"`
	Layers       []ocispec.Descriptor `json:"layers"`
	Manifests    []ocispec.Descriptor `json:"manifests"`
	Subject      *ocispec.Descriptor  `json:"subject"`
	Annotations  map[string]string    `json:"annotations"`
}

// reader reads one repository.
type reader struct {
	*distribution.Registry
	repository string
}

// Read reads an image by its digest.
func Read(ctx context.Context, registry *distribution.Registry, repository, digest string) (*Report, error) {
	r := reader{registry, repository}
	m, doc, err := r.manifest(ctx, digest)
	if err != nil {
		return nil, err
	}
	out := &Report{Manifest: m}
	if doc.Manifests == nil {
		p, err := r.platform(ctx, m, doc)
		if err != nil {
			return nil, err
		}
		out.Layers = p.Layers
		if p.Config != nil {
			out.Platforms, out.Layers = []Platform{p}, nil
		}
	}
	for _, d := range doc.Manifests {
		if err := r.part(ctx, out, d); err != nil {
			return nil, err
		}
	}
	return out, r.referrers(ctx, out)
}

// part adds an entry of an index.
func (r reader) part(ctx context.Context, out *Report, d ocispec.Descriptor) error {
	m, doc, err := r.manifest(ctx, d.Digest.String())
	if isMissing(err) {
		m = Manifest{Digest: d.Digest.String(), MediaType: d.MediaType, Size: d.Size, Missing: true}
	} else if err != nil {
		return err
	}
	if d.Annotations["vnd.docker.reference.type"] != "" {
		for _, l := range doc.Layers {
			m.Layers = append(m.Layers, Layer{Digest: l.Digest.String(), MediaType: kindOf(l), Size: l.Size})
		}
		out.Attestations = append(out.Attestations, m)
		return nil
	}
	p := Platform{Manifest: m}
	if !m.Missing {
		if p, err = r.platform(ctx, m, doc); err != nil {
			return err
		}
	}
	if d.Platform != nil {
		p.Platform = platformName(*d.Platform)
	}
	out.Platforms = append(out.Platforms, p)
	return nil
}

// kindOf is what a layer of an attestation holds.
func kindOf(l ocispec.Descriptor) string {
	if kind := l.Annotations["in-toto.io/predicate-type"]; kind != "" {
		return kind
	}
	return l.MediaType
}

func (r reader) manifest(ctx context.Context, digest string) (Manifest, document, error) {
	var doc document
	content, err := r.Content(ctx, r.repository, "manifests", digest)
	if err == nil {
		err = json.Unmarshal(content, &doc)
	}
	if err != nil {
		return Manifest{}, doc, fmt.Errorf("read manifest %s: %w", digest, err)
	}
	m := Manifest{Digest: digest, MediaType: doc.MediaType, ArtifactType: doc.ArtifactType, Size: int64(len(content)), Annotations: doc.Annotations}
	if doc.Subject != nil {
		m.Subject = doc.Subject.Digest.String()
	}
	if m.ArtifactType == "" && doc.Config != nil && !isImageConfig(doc.Config.MediaType) {
		m.ArtifactType = doc.Config.MediaType
	}
	return m, doc, nil
}

func isImageConfig(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageConfig || mediaType == "application/vnd.docker.container.image.v1+json"
}

// platform adds the configuration of an image, and who made each layer.
func (r reader) platform(ctx context.Context, m Manifest, doc document) (Platform, error) {
	p := Platform{Manifest: m}
	var made []string
	if doc.Config != nil && isImageConfig(doc.Config.MediaType) {
		content, err := r.Content(ctx, r.repository, "blobs", doc.Config.Digest.String())
		if err != nil {
			return p, fmt.Errorf("read the configuration of %s: %w", m.Digest, err)
		}
		p.Config = &ocispec.Image{}
		if err := json.Unmarshal(content, p.Config); err != nil {
			return p, fmt.Errorf("read the configuration of %s: %w", m.Digest, err)
		}
		p.Platform = platformName(p.Config.Platform)
		for _, h := range p.Config.History {
			if !h.EmptyLayer {
				made = append(made, h.CreatedBy)
			}
		}
	}
	for i, l := range doc.Layers {
		layer := Layer{Digest: l.Digest.String(), MediaType: l.MediaType, Size: l.Size}
		if len(made) == len(doc.Layers) {
			layer.CreatedBy = made[i]
		}
		p.Layers = append(p.Layers, layer)
	}
	return p, nil
}

func platformName(p ocispec.Platform) string {
	parts := []string{p.OS, p.Architecture}
	if p.Variant != "" {
		parts = append(parts, p.Variant)
	}
	return strings.Join(parts, "/")
}

// referrers adds what refers to the image or to one of its parts, by the referrers
// API and by tags, of which cosign's are some.
func (r reader) referrers(ctx context.Context, out *Report) error {
	targets := []string{out.Digest}
	for _, p := range out.Platforms {
		targets = append(targets, p.Digest)
	}
	tags, err := r.Tags(ctx, r.repository)
	if err != nil && !isMissing(err) {
		return err
	}
	slices.Sort(targets)
	for _, target := range slices.Compact(targets) {
		found, _, err := r.Registry.Referrers(ctx, r.repository, target)
		if err != nil {
			return err
		}
		for _, d := range found {
			if err := r.refer(ctx, out, d.Digest.String(), "", target); err != nil {
				return err
			}
		}
		for _, tag := range tags {
			if retention.TagSubject(tag) != target {
				continue
			}
			digest, err := r.Digest(ctx, r.repository, tag)
			if err == nil {
				err = r.refer(ctx, out, digest, tag, target)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// refer adds one referrer. The list of referrers that a registry without the API
// has under a tag is read for its entries.
func (r reader) refer(ctx context.Context, out *Report, digest, tag, to string) error {
	m, doc, err := r.manifest(ctx, digest)
	if err != nil {
		return err
	}
	if tag != "" && !strings.Contains(tag, ".") && doc.Manifests != nil {
		for _, d := range doc.Manifests {
			if err := r.refer(ctx, out, d.Digest.String(), tag, to); err != nil && !isMissing(err) {
				return err
			}
		}
		return nil
	}
	if slices.ContainsFunc(out.Referrers, func(o Referrer) bool { return o.Digest == digest && o.To == to }) {
		return nil
	}
	for _, l := range doc.Layers {
		m.Layers = append(m.Layers, Layer{Digest: l.Digest.String(), MediaType: kindOf(l), Size: l.Size})
	}
	out.Referrers = append(out.Referrers, Referrer{m, tag, to})
	return nil
}
