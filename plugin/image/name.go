package image

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// SameName reports whether two references mean the same: "debian" is
// "docker.io/library/debian:latest".
func SameName(a, b string) bool { return a == b || fullName(a) == fullName(b) }

func fullName(ref string) string {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return ref
	}
	return named.String()
}

// Select finds the image that ref names among several, each with its names. An
// empty ref is the only one, or the only one that is called more than a digest: an
// Engine may save what the name meant before beside the image it was asked for.
func Select(images [][]string, ref string) (int, error) {
	if ref == "" && len(images) == 1 {
		return 0, nil
	}
	if i := slices.IndexFunc(images, called); ref == "" && i >= 0 && !slices.ContainsFunc(images[i+1:], called) {
		return i, nil
	}
	var have []string
	for i, names := range images {
		if ref != "" && slices.ContainsFunc(names, func(name string) bool { return SameName(name, ref) }) {
			return i, nil
		}
		have = append(have, names[:min(1, len(names))]...)
	}
	switch {
	case len(images) == 0:
		return 0, errors.New("there is no image in it")
	case ref == "":
		return 0, fmt.Errorf("there are %d images in it; choose one of %s", len(images), strings.Join(have, ", "))
	}
	return 0, fmt.Errorf("there is no image %s in it, only %s", ref, strings.Join(have, ", "))
}

// called reports a name that is no digest.
func called(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return digest.Digest(name).Validate() != nil })
}

// annotationContainerdName names an image in the index.json of a layout.
const annotationContainerdName = "io.containerd.image.name"

// names are what a layout calls an image; its digest at least.
func names(d ocispec.Descriptor) []string {
	var out []string
	for _, key := range []string{annotationContainerdName, ocispec.AnnotationRefName} {
		if name := d.Annotations[key]; name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return append(out, d.Digest.String())
}

// named finds the image of a layout that ref names. Nil is the layout as a
// whole, where its entries have no names: the platforms of one image.
func (doc *document) named(ref string) (*ocispec.Descriptor, error) {
	all := doc.images()
	lists := make([][]string, len(all))
	nameless := true
	for i, d := range all {
		lists[i] = names(d)
		nameless = nameless && len(lists[i]) == 1
	}
	if ref == "" && nameless && len(all) > 1 {
		return nil, nil
	}
	i, err := Select(lists, ref)
	if err != nil {
		return nil, err
	}
	return &all[i], nil
}
