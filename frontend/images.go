package frontend

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	lintrequest "github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/imgmgr/imgmgr/lint/facts"
)

// images looks base images up as BuildKit's frontend will: through the daemon,
// with its credentials, mirrors and source policies.
type images struct {
	client client.Client
	ui     *dockerui.Client
	// several are the platforms that an image must be the same on when a rule
	// names none.
	several []ocispec.Platform
	// needed are the references that the build resolves anyway; nil for all. No
	// other is looked up: it may need credentials that the user doesn't have.
	needed map[string]bool
	// unseen says that no root file system is looked into: a check pulls nothing.
	unseen bool
}

func (b *build) images() *images {
	lints := b.opts["requestid"] == lintrequest.RequestLint
	im := &images{client: b.client, ui: b.ui, several: b.targets(), unseen: lints}
	// A FROM whose platform is a variable may be for the builder's own.
	if build := b.ui.BuildPlatforms[0]; !covered(im.several, build) {
		im.several = append(slices.Clone(im.several), build)
	}
	if b.file == nil || lints && b.ui.Target == "" {
		return im
	}
	im.needed = map[string]bool{}
	for st := range b.file.Needed(b.ui.Target) {
		if ref, ok := b.file.BaseRef(st, b.ui.BuildArgs); ok {
			if full, err := fullReference(ref); err == nil {
				im.needed[full] = true
			}
		}
	}
	return im
}

func covered(list []ocispec.Platform, p ocispec.Platform) bool {
	for _, have := range list {
		if platforms.Format(have) == platforms.Format(p) {
			return true
		}
	}
	return false
}

// Image implements [facts.ImageResolver].
func (im *images) Image(ctx context.Context, ref, platform string) (*facts.Image, error) {
	full, err := fullReference(ref)
	if err != nil {
		return nil, fmt.Errorf("look up base image %s: %w: %w", ref, facts.ErrUnknown, err)
	}
	if im.needed != nil && !im.needed[full] {
		return nil, fmt.Errorf("look up base image %s, which this build does not need: %w", ref, facts.ErrUnknown)
	}
	want := im.several
	if platform != "" {
		p, err := platforms.Parse(platform)
		if err != nil {
			return nil, fmt.Errorf("look up base image %s for %s: %w: %w", ref, platform, facts.ErrUnknown, err)
		}
		want = []ocispec.Platform{platforms.Normalize(p)}
	}
	var first *facts.Image
	for i := range want {
		image, err := im.resolve(ctx, full, &want[i])
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = image
			continue
		}
		first.Files = nil // each platform has its own
		if !reflect.DeepEqual(first.Config.Config, image.Config.Config) {
			return nil, fmt.Errorf("look up base image %s: it is configured otherwise for %s: %w", ref, platforms.Format(want[i]), facts.ErrUnknown)
		}
	}
	return first, nil
}

func (im *images) resolve(ctx context.Context, ref string, platform *ocispec.Platform) (*facts.Image, error) {
	mode := im.ui.ImageResolveMode.String()
	named, err := im.ui.NamedContext(ref, dockerui.ContextOpt{Platform: platform, ResolveMode: mode})
	if err != nil || named != nil {
		return nil, fmt.Errorf("look up base image %s, for which a named context stands: %w", ref, facts.ErrUnknown)
	}
	log := "[internal] load metadata for " + ref
	if im.ui.MultiPlatformRequested {
		log = "[" + platforms.FormatAll(*platform) + " internal] load metadata for " + ref
	}
	_, dgst, data, err := im.client.ResolveImageConfig(ctx, ref, sourceresolver.Opt{
		LogName:  log,
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: platform, ResolveMode: mode},
	})
	if err != nil {
		return nil, fmt.Errorf("look up base image %s: %w: %w", ref, facts.ErrUnknown, err)
	}
	image := &facts.Image{Digest: dgst.String()}
	if err := json.Unmarshal(data, &image.Config); err != nil {
		return nil, fmt.Errorf("read the configuration of base image %s: %w: %w", ref, facts.ErrUnknown, err)
	}
	if pinned, err := pin(ref, dgst); err == nil && !im.unseen {
		image.Files = &rootfs{ctx: ctx, client: im.client, ref: pinned, want: *platform, folders: map[string]map[string]*fstypes.Stat{}}
	}
	return image, nil
}

// pin is a reference with the digest that it resolved to.
func pin(ref string, dgst digest.Digest) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", err
	}
	canonical, err := reference.WithDigest(named, dgst)
	if err != nil {
		return "", err
	}
	return canonical.String(), nil
}

// fullReference is a reference as BuildKit resolves it: with registry and tag.
func fullReference(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", err
	}
	return reference.TagNameOnly(named).String(), nil
}
