//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// mirrored are the images of the suite's tests, and the sandbox's images that
// are served under these names where Docker Hub can't be reached. Its digests
// are pinned, so a test that compares them fails with either frontend.
var mirrored = map[string]string{
	"library/busybox:latest":              "busybox:latest",
	"library/busybox:stable-musl":         "busybox:stable-musl",
	"library/alpine:latest":               "alpine:latest",
	"tonistiigi/hellofs:latest":           "tonistiigi/hellofs:latest",
	"amd64/debian:bullseye-20230109-slim": "debian:bookworm-slim",
}

// fillMirror makes dir the folder of a registry that holds the suite's images:
// the suite starts a registry of its own on it, and fetches what it lacks from
// Docker Hub.
func fillMirror(ctx context.Context, sb *sandbox.Sandbox, dir string) error {
	if sb.Hub {
		return os.MkdirAll(dir, 0o755)
	}
	standins := filepath.FromSlash("integration/upstream/standins")
	for ref, file := range map[string]string{"alpine:latest": "alpine.Dockerfile", "tonistiigi/hellofs:latest": "hellofs.Dockerfile"} {
		text, err := os.ReadFile(filepath.Join(standins, file))
		if err != nil {
			return fmt.Errorf("make the suite's images (run this from the repository's folder): %w", err)
		}
		image := sandbox.StandIn{Refs: []string{ref}, Dockerfile: text, Context: standins, Platforms: []string{"linux/" + runtime.GOARCH}}
		if err := sb.AddStandIn(ctx, image); err != nil {
			return err
		}
	}
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	registry, err := sb.NewRegistry(ctx, data)
	if err != nil {
		return err
	}
	for to, from := range mirrored {
		if err := copyImage(ctx, registry+"/"+to, sb.Image(from)); err != nil {
			return fmt.Errorf("copy %s for the suite: %w", to, err)
		}
	}
	config := "version: 0.1\nloglevel: debug\nstorage:\n    filesystem:\n        rootdirectory: " + data + "\nhttp:\n    addr: 127.0.0.1:0\n"
	return os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(config), 0o600)
}

// copyImage copies an image, or an index with all that it names.
func copyImage(ctx context.Context, to, from string) error {
	source, err := name.ParseReference(from, name.Insecure)
	if err != nil {
		return err
	}
	target, err := name.ParseReference(to, name.Insecure)
	if err != nil {
		return err
	}
	desc, err := remote.Get(source, remote.WithContext(ctx))
	if err != nil {
		return err
	}
	if desc.MediaType.IsIndex() {
		index, err := desc.ImageIndex()
		if err != nil {
			return err
		}
		return remote.WriteIndex(target, index, remote.WithContext(ctx))
	}
	image, err := desc.Image()
	if err != nil {
		return err
	}
	return remote.Write(target, image, remote.WithContext(ctx))
}
