// Package engine reads images from a Docker Engine, from its classic store and
// from its containerd store. Both hand out an archive, which is read as it flows;
// nothing of it is written to disk.
package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"

	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/moby/moby/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/archive"
)

// API is what a source needs of an engine's client.
type API interface {
	ImageInspect(ctx context.Context, ref string, opts ...client.ImageInspectOption) (client.ImageInspectResult, error)
	ImageSave(ctx context.Context, refs []string, opts ...client.ImageSaveOption) (client.ImageSaveResult, error)
}

// Source is an image in a Docker Engine.
type Source struct {
	engine  API
	ref     string
	id      string
	inspect client.ImageInspectResult
}

var _ image.Source = (*Source)(nil)

// Open finds an image by name, digest or ID. The error wraps fs.ErrNotExist if
// the engine hasn't got it. Closing the source leaves the client open.
func Open(ctx context.Context, engine API, ref string) (*Source, error) {
	inspect, err := engine.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		return nil, fmt.Errorf("find %s in the Docker Engine: %w: pull or build it first", ref, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("find %s in the Docker Engine: %w", ref, err)
	}
	return &Source{engine: engine, ref: ref, id: inspect.ID, inspect: inspect}, nil
}

// Read reads the image. Without a walker nothing is saved, and so History, the
// digests of layers, and RawConfig as it is stored aren't known.
func (s *Source) Read(ctx context.Context, platform string, w *image.Walker) (*image.Image, error) {
	img, err := s.read(ctx, platform, w)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s, err)
	}
	img.Name = s.ref
	return img, nil
}

func (s *Source) read(ctx context.Context, platform string, w *image.Walker) (*image.Image, error) {
	if w == nil {
		return s.describe(platform)
	}
	saved, err := s.save(ctx, platform)
	if err != nil {
		return nil, fmt.Errorf("save it from the Docker Engine: %w", err)
	}
	defer saved.Close()
	return archive.NewStream(saved, s.String(), "").Read(ctx, platform, w)
}

// save asks for one platform only, where the engine can tell them apart.
func (s *Source) save(ctx context.Context, platform string) (client.ImageSaveResult, error) {
	if platform == "" {
		return s.engine.ImageSave(ctx, []string{s.ref})
	}
	p, err := platforms.Parse(platform)
	if err != nil {
		return nil, fmt.Errorf("platform %q: %w; write it as linux/arm64", platform, err)
	}
	if s.inspect.Descriptor == nil { // the classic store has one
		return s.engine.ImageSave(ctx, []string{s.ref})
	}
	return s.engine.ImageSave(ctx, []string{s.ref}, client.ImageSaveWithPlatforms(p))
}

// describe makes an image of what the engine says of it.
func (s *Source) describe(platform string) (*image.Image, error) {
	config := dockerspec.DockerOCIImage{Image: ocispec.Image{
		Platform: ocispec.Platform{OS: s.inspect.Os, Architecture: s.inspect.Architecture, Variant: s.inspect.Variant, OSVersion: s.inspect.OsVersion},
		RootFS:   ocispec.RootFS{Type: s.inspect.RootFS.Type},
	}}
	for _, id := range s.inspect.RootFS.Layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, digest.Digest(id))
	}
	if s.inspect.Config != nil {
		config.Config = *s.inspect.Config
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	img, err := image.New(raw, platform)
	if err != nil {
		return nil, err
	}
	img.ID = digest.Digest(s.id)
	return img, nil
}

// Bytes is what the image takes in the engine.
func (s *Source) Bytes() int64 { return s.inspect.Size }

// String is the source as it is typed.
func (s *Source) String() string { return "engine:" + s.ref }

// Close does nothing.
func (*Source) Close() error { return nil }
