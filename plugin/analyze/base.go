package analyze

import (
	"cmp"
	"context"
	"time"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/image"
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
