package facts

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ImageResolver finds the configuration of an image.
type ImageResolver interface {
	// Image returns the configuration of ref ("debian:bookworm-slim", as it
	// stands in a FROM) for a platform ("linux/arm64"; empty for the default).
	// Errors wrap ErrUnknown where asking again elsewhere could succeed.
	Image(ctx context.Context, ref, platform string) (*Image, error)
}

// Image is what is known of a base image.
type Image struct {
	// Digest is what the reference resolves to ("sha256:…"): the index's digest
	// where there is an index, so that it is the same on every platform. Empty
	// when that isn't known: the tag may have moved since the image came here.
	Digest string
	// Config is the image's configuration.
	Config ocispec.Image
	// Files is the image's root file system; nil when unknown. To look into it
	// may cost a pull. Of links only Lstat tells: none is followed. Files whose
	// content isn't known don't open, which is not that they are absent.
	Files fs.FS
}

// Registry tells what references are in their registries, now.
type Registry interface {
	// Manifest describes what ref names, and the image of a platform in it
	// ("linux/arm64"; empty for the default). The error wraps ErrUnknown, and
	// fs.ErrNotExist where the registry says that it hasn't got it.
	Manifest(ctx context.Context, ref, platform string) (*Manifest, error)
}

// Manifest is what a reference names in its registry.
type Manifest struct {
	// Digest is that of the index, or of the manifest where there is no index.
	Digest string `json:"digest"`
	// Index reports that there is an index.
	Index bool `json:"index"`
	// Platforms are the images that the index lists, or the only one that there is.
	Platforms []PlatformManifest `json:"platforms"`
	// Lacking reports that the index lists no image for the platform.
	Lacking bool `json:"lacking"`
	// Bytes is what the image for the platform takes in the registry and on the
	// way, compressed.
	Bytes int64 `json:"bytes"`
	// Created is when that image was made, as it says; zero when it doesn't.
	Created time.Time `json:"created"`
}

// PlatformManifest is the image for one platform.
type PlatformManifest struct {
	Platform string `json:"platform"` // "linux/arm64/v8"
	Digest   string `json:"digest"`
}

// Group are the other builds that are asked for in one go: the targets of a bake
// file's group.
type Group interface {
	// Bases are the images that the other builds start from, each with the build's
	// name. Errors wrap ErrUnknown.
	Bases(ctx context.Context) ([]GroupBase, error)
}

// GroupBase is an image that a build of the group starts from.
type GroupBase struct {
	Target string `json:"target"`
	Ref    string `json:"ref"` // as it is written, without variables
}

// maxLinks is how many links Linux follows on the way to a file.
const maxLinks = 40

// Locate follows links to what is at a path of an image's files, "usr/bin/sh". The
// error wraps fs.ErrNotExist if nothing is there; every other one is that it
// isn't known.
func Locate(files fs.FS, name string) (found string, info fs.FileInfo, err error) {
	if files == nil {
		return "", nil, ErrUnknown
	}
	at, rest := "", strings.Split(strings.Trim(path.Clean("/"+name), "/"), "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(at, rest[0])
		if info, err = fs.Lstat(files, next); err != nil {
			return "", nil, err
		}
		rest = rest[1:]
		if info.Mode().Type() != fs.ModeSymlink {
			at = next
			continue
		}
		target, err := fs.ReadLink(files, next)
		if err != nil {
			return "", nil, err
		}
		if links++; links > maxLinks {
			return "", nil, &fs.PathError{Op: "locate", Path: name, Err: fs.ErrNotExist}
		}
		if !path.IsAbs(target) {
			target = path.Join("/", at, target)
		}
		if target = strings.Trim(path.Clean(target), "/"); target != "" {
			rest = append(strings.Split(target, "/"), rest...)
		}
		at = ""
	}
	return at, info, nil
}

// Read returns the content of a file of an image. The error is that of Locate.
func Read(files fs.FS, name string) ([]byte, error) {
	found, _, err := Locate(files, name)
	if err != nil {
		return nil, err
	}
	return fs.ReadFile(files, found)
}

// Absent reports an error which says that something isn't there, rather than that
// it isn't known.
func Absent(err error) bool { return errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrUnknown) }
