package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/containerd/platforms"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/imgmgr/imgmgr/lint/facts"
)

// Image returns the configuration of ref as facts.ImageResolver says. It is
// looked up once for each platform; a failure is remembered, too. All errors
// wrap facts.ErrUnknown.
func (r *Resolver) Image(ctx context.Context, ref, platform string) (*facts.Image, error) {
	if platform == "" {
		platform = r.platform
	}
	q := question{ref, platform}
	r.mu.Lock()
	answer, asked := r.answers[q]
	if !asked {
		answer = sync.OnceValues(func() (*facts.Image, error) {
			image, err := r.lookup(ctx, q)
			if err != nil {
				return nil, fmt.Errorf("look up base image %s for %s: %w (%w)", ref, platform, err, facts.ErrUnknown)
			}
			return image, nil
		})
		r.answers[q] = answer
	}
	r.mu.Unlock()
	return answer()
}

// lookup asks the places where the image can be, in order.
func (r *Resolver) lookup(ctx context.Context, q question) (*facts.Image, error) {
	ref, err := name.ParseReference(q.ref)
	if err != nil {
		return nil, err
	}
	platform, err := platforms.Parse(q.platform)
	if err != nil {
		return nil, err
	}
	platform = platforms.Normalize(platform)
	want := v1.Platform{OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant}
	var failed []error
	for _, place := range places(ref, r.mirrors) {
		image, err := r.ask(ctx, place, want)
		if err == nil {
			return image, nil
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}

// ask gets the configuration from one registry.
func (r *Resolver) ask(ctx context.Context, ref name.Reference, platform v1.Platform) (*facts.Image, error) {
	host := ref.Context().RegistryStr()
	if err := r.givenUp(host); err != nil {
		return nil, err
	}
	short, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	image, err := get(ref,
		remote.WithContext(short),
		remote.WithTransport(r.transport),
		remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithPlatform(platform),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}),
		remote.WithUserAgent("imgmgr"),
	)
	if err != nil && ctx.Err() == nil && silent(err) {
		r.mu.Lock()
		r.unreachable[host] = err
		r.mu.Unlock()
	}
	return image, err
}

// givenUp says why a registry isn't asked any more.
func (r *Resolver) givenUp(host string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.unreachable[host]; err != nil {
		return fmt.Errorf("registry %s could not be reached before: %w", host, err)
	}
	if len(r.unreachable) >= maxUnreachable {
		return fmt.Errorf("registry %s: not asked, for %d others could not be reached", host, len(r.unreachable))
	}
	return nil
}

// silent reports whether err means that the registry can't be asked now, rather
// than that it refused this image.
func silent(err error) bool {
	if refusal, ok := errors.AsType[*transport.Error](err); ok {
		return refusal.StatusCode >= http.StatusInternalServerError || refusal.StatusCode == http.StatusTooManyRequests
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF)
}

// get reads the configuration of one image. The digest is that of ref itself,
// which is the index where there is one.
func get(ref name.Reference, opts ...remote.Option) (*facts.Image, error) {
	desc, err := remote.Get(ref, opts...)
	if err != nil {
		return nil, err
	}
	image, err := desc.Image()
	if err != nil {
		return nil, err
	}
	raw, err := image.RawConfigFile()
	if err != nil {
		return nil, err
	}
	out := &facts.Image{Digest: desc.Digest.String()}
	if err := json.Unmarshal(raw, &out.Config); err != nil {
		return nil, fmt.Errorf("read the configuration of %s: %w", ref, err)
	}
	return out, nil
}
