package analyze

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/analyze/known"
	"github.com/imgmgr/imgmgr/plugin/folders"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/engine"
)

// baseWait is how long a base image that nobody asked for is waited for.
const baseWait = 5 * time.Second

// annotated is the base image that an image names in its annotations or labels, by
// digest (OCI image specification 1.1, "Pre-Defined Annotation Keys"); nil where it
// names none, or its registry doesn't give it. Which layers it really has is for
// [origin.Base] to find.
func (o Options) annotated(ctx context.Context, img *image.Image) *image.Image {
	get := func(key string) string { return cmp.Or(img.Annotations[key], img.Config.Config.Labels[key]) }
	named, err := reference.ParseNormalizedNamed(get(ocispec.AnnotationBaseImageName))
	if err != nil {
		return nil
	}
	ref, err := reference.WithDigest(reference.TrimNamed(named), digest.Digest(get(ocispec.AnnotationBaseImageDigest)))
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, baseWait)
	defer cancel()
	o.Platform = platforms.Format(img.Platform)
	base, err := o.describe(ctx, "registry:"+ref.String())
	if err != nil {
		return nil // a name that somebody wrote down is no promise
	}
	return base
}

// engineWait is how long the Docker Engine is asked about its other images.
const engineWait = 2 * time.Second

// known is the base image by the chains of layers of the images that were analyzed
// before and, for an image of the Docker Engine, of those that are there, too; nil
// where none of them is below it. What the Engine said is remembered.
func (o Options) known(ctx context.Context, source string, img *image.Image) *image.Image {
	if o.NoCache {
		return nil
	}
	dir, err := folders.Cache()
	if err != nil {
		return nil
	}
	images := known.Read(dir)
	if strings.HasPrefix(source, "engine:") {
		there := engineImages(ctx, images)
		images = append(images, there...)
		_ = known.Remember(dir, there...) // so they have to be asked for again
	}
	base, ok := known.Base(knownAs(img), images)
	if !ok {
		return nil
	}
	out := &image.Image{Name: base.Name, ID: base.ID}
	for _, id := range base.Chain {
		out.Layers = append(out.Layers, &image.Layer{DiffID: id})
	}
	return out
}

// engineImages are the Docker Engine's images. Those that are known by their ID aren't
// asked for.
func engineImages(ctx context.Context, images []known.Image) (out []known.Image) {
	ctx, cancel := context.WithTimeout(ctx, engineWait)
	defer cancel()
	api, err := engine.Connect(ctx, os.Args[1:])
	if err != nil {
		return nil
	}
	list, err := engine.List(ctx, api)
	if err != nil {
		return nil
	}
	for _, item := range list {
		if item.Names[0] == item.ID {
			continue // it has no name
		}
		i := slices.IndexFunc(images, func(k known.Image) bool { return k.ID.String() == item.ID })
		one := known.Image{Name: item.Names[0], ID: digest.Digest(item.ID)}
		if i >= 0 {
			one.Chain = images[i].Chain
		} else if inspect, err := api.ImageInspect(ctx, item.ID); err == nil {
			for _, id := range inspect.RootFS.Layers {
				one.Chain = append(one.Chain, digest.Digest(id))
			}
		} else if ctx.Err() != nil {
			return out
		} else {
			continue
		}
		out = append(out, one)
	}
	return out
}

// remember keeps an image's chain of layers for later ones.
func (o Options) remember(images ...*image.Image) {
	dir, err := folders.Cache()
	if err != nil || o.NoCache {
		return
	}
	var list []known.Image
	for _, img := range images {
		if img != nil && img.Name != "" {
			list = append(list, knownAs(img))
		}
	}
	_ = known.Remember(dir, list...) // without it, a base image isn't told apart
}

func knownAs(img *image.Image) known.Image {
	out := known.Image{Name: img.Name, ID: img.ID}
	for _, l := range img.Layers {
		out.Chain = append(out.Chain, l.DiffID)
	}
	return out
}
