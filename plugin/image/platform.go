package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// images are an index's entries that are images, not what is attached to them.
func (doc *document) images() []ocispec.Descriptor {
	return slices.DeleteFunc(slices.Clone(doc.Manifests), func(d ocispec.Descriptor) bool {
		return d.Annotations[referenceType] != "" || d.Platform != nil && d.Platform.OS == "unknown"
	})
}

func (doc *document) platforms() []ocispec.Platform {
	var out []ocispec.Platform
	for _, d := range doc.images() {
		if d.Platform != nil {
			out = append(out, *d.Platform)
		}
	}
	return out
}

// choose takes the entry of an index that fits the platform best.
func (s *Store) choose(ctx context.Context, doc *document, platform string) (ocispec.Descriptor, error) {
	candidates := doc.images()
	if len(candidates) == 0 {
		return ocispec.Descriptor{}, errors.New("its index lists no image")
	}
	if len(candidates) == 1 && (platform == "" || candidates[0].Platform == nil) {
		return candidates[0], nil // its configuration is asked for the platform later
	}
	matcher, err := match(platform)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	for i, d := range candidates {
		if d.Platform == nil {
			if candidates[i].Platform, err = s.platform(ctx, d); err != nil {
				return ocispec.Descriptor{}, err
			}
		}
	}
	var all []string
	for _, d := range candidates {
		all = append(all, platforms.Format(*d.Platform))
	}
	fitting := slices.DeleteFunc(candidates, func(d ocispec.Descriptor) bool { return !matcher.Match(*d.Platform) })
	if len(fitting) == 0 {
		if platform == "" {
			platform = platforms.DefaultString() + ", this machine's"
		}
		return ocispec.Descriptor{}, &NoPlatformError{platform, all}
	}
	return slices.MinFunc(fitting, func(a, b ocispec.Descriptor) int {
		switch {
		case matcher.Less(*a.Platform, *b.Platform):
			return -1
		case matcher.Less(*b.Platform, *a.Platform):
			return 1
		}
		return 0
	}), nil
}

// NoPlatformError says that an index lists no image for a platform.
type NoPlatformError struct {
	Platform string
	Have     []string
}

func (e *NoPlatformError) Error() string {
	return fmt.Sprintf("there is no image for platform %s, only for %s: choose one with --platform", e.Platform, strings.Join(e.Have, ", "))
}

// platform asks the configuration of a manifest that is listed without one.
func (s *Store) platform(ctx context.Context, d ocispec.Descriptor) (*ocispec.Platform, error) {
	raw, err := s.document(ctx, d)
	if err != nil {
		return nil, err
	}
	var manifest document
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", d.Digest, err)
	}
	if raw, err = s.document(ctx, manifest.Config); err != nil {
		return nil, err
	}
	var p ocispec.Platform
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", manifest.Config.Digest, err)
	}
	return &p, nil
}

// match compares platforms with the one asked for. Images for other systems
// than Linux are rare, and so machine means the machine's Linux.
func match(platform string) (platforms.MatchComparer, error) {
	p := platforms.DefaultSpec()
	if platform != "" {
		var err error
		if p, err = platforms.Parse(platform); err != nil {
			return nil, fmt.Errorf("platform %q: %w; write it as linux/arm64", platform, err)
		}
	} else if p.OS != "windows" {
		p.OS = "linux"
	}
	return platforms.Only(p), nil
}

// fits refuses an image of another platform than the one that was asked for.
func fits(is ocispec.Platform, platform string) error {
	if platform == "" {
		return nil
	}
	matcher, err := match(platform)
	if err == nil && !matcher.Match(is) {
		err = fmt.Errorf("the image is for platform %s, not for %s", platforms.Format(is), platform)
	}
	return err
}
