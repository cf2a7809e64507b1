//go:build linux

package integration_test

import (
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// The image that the top-level Dockerfile makes can be a frontend for BuildKit
// on either kind of machine.
func TestFrontendImageIsForBothPlatforms(t *testing.T) {
	ref, err := sb.Frontend(t.Context(), "amd64", "arm64")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(parsed)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, m := range manifest.Manifests {
		if m.Platform.OS == "unknown" {
			continue // an attestation
		}
		platforms = append(platforms, m.Platform.String())
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		for _, label := range []string{"moby.buildkit.frontend.network.none", "moby.buildkit.frontend.caps"} {
			if config.Config.Labels[label] == "" {
				t.Errorf("%s lacks the label %s, which BuildKit reads before it starts a frontend", m.Platform, label)
			}
		}
		if layers, _ := image.Layers(); len(layers) != 2 {
			t.Errorf("%s has %d layers: more than the frontend and its scanner are in it", m.Platform, len(layers))
		}
	}
	slices.Sort(platforms)
	if want := []string{"linux/amd64", "linux/arm64"}; !slices.Equal(platforms, want) {
		t.Errorf("it is for %v, want %v", platforms, want)
	}
}
