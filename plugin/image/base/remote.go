package base

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/registry"
)

const (
	dialTimeout   = 2 * time.Second
	lookupTimeout = 4 * time.Second // for all requests of one image at one registry
	// maxUnreachable registries end all look-ups but those at registries that have
	// answered: then the network is at fault.
	maxUnreachable = 3
)

// remotes are the registries, asked with the credentials that `docker login`
// left.
type remotes struct {
	mirrors   []name.Registry
	memory    *Memory
	transport http.RoundTripper

	mu          sync.Mutex
	unreachable map[string]error // by registry
	answered    map[string]bool
}

func newRemotes(mirrors []name.Registry, memory *Memory) *remotes {
	return &remotes{mirrors: mirrors, memory: memory, transport: shortTransport(), unreachable: map[string]error{}, answered: map[string]bool{}}
}

func shortTransport() http.RoundTripper {
	base, ok := remote.DefaultTransport.(*http.Transport)
	if !ok {
		return remote.DefaultTransport
	}
	t := base.Clone()
	t.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	t.TLSHandshakeTimeout = dialTimeout
	return t
}

func (r *remotes) failed() map[string]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	failed := make(map[string]error, len(r.unreachable))
	for host, err := range r.unreachable {
		failed["registry "+host] = err
	}
	return failed
}

func (r *remotes) forgive() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.unreachable)
}

// ask describes an image by what one registry, the place, says of it now.
func (r *Resolver) ask(ctx context.Context, ref, place name.Reference, platform string) (*found, error) {
	host := place.Context().RegistryStr()
	if err := r.remotes.givenUp(host); err != nil {
		return nil, err
	}
	short, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	root, err := r.remotes.root(short, place)
	var f *found
	var img *image.Image
	if err == nil {
		o := &offer{root: root, fetch: func(ctx context.Context, d ocispec.Descriptor) ([]byte, error) { return r.remotes.fetch(ctx, place, d) }}
		f, img, err = o.describe(short, ref.Name(), platform)
	}
	r.remotes.heard(host, err)
	if err != nil {
		return nil, err
	}
	r.opts.Memory.putName(ref.Name(), root)
	if f.image != nil {
		r.addFiles(f, img, rootKey(img.Digest), r.fromRegistry(ref, platform))
	}
	return f, nil
}

// fromRegistry opens the image where its layers may be read.
func (r *Resolver) fromRegistry(ref name.Reference, platform string) opener {
	return func() (image.Source, int64, error) {
		if r.opts.Reach < Network {
			return nil, 0, errors.New("its layers were not pulled")
		}
		src, err := registry.Open(ref.Name(), r.opts.Mirrors...)
		if err != nil {
			return nil, 0, err
		}
		return src, 0, nil
	}
}

// root is what a reference names. Where that is in memory, registries are asked
// for its digest alone, which they don't count as a pull.
func (r *remotes) root(ctx context.Context, place name.Reference) (ocispec.Descriptor, error) {
	if d, ok := place.(name.Digest); ok {
		raw, ok := r.memory.blob(digest.Digest(d.DigestStr()))
		if ok {
			return describe(digest.Digest(d.DigestStr()), raw), nil
		}
	} else if head, err := remote.Head(place, r.options(ctx)...); err == nil {
		if raw, ok := r.memory.blob(digest.Digest(head.Digest.String())); ok {
			return describe(digest.Digest(head.Digest.String()), raw), nil
		}
	} else if silent(err) {
		return ocispec.Descriptor{}, err
	}
	got, err := remote.Get(place, r.options(ctx)...)
	if err != nil {
		return ocispec.Descriptor{}, registry.NotFound(err)
	}
	d := digest.Digest(got.Digest.String())
	r.memory.putBlob(d, got.Manifest)
	return descriptor(got.Descriptor), nil
}

func descriptor(d v1.Descriptor) ocispec.Descriptor {
	return ocispec.Descriptor{Digest: digest.Digest(d.Digest.String()), MediaType: string(d.MediaType), Size: d.Size}
}

// fetch reads a manifest or a configuration.
func (r *remotes) fetch(ctx context.Context, place name.Reference, d ocispec.Descriptor) ([]byte, error) {
	if raw, ok := r.memory.blob(d.Digest); ok {
		return raw, nil
	}
	raw, err := r.pull(ctx, place.Context().Digest(d.Digest.String()), types.MediaType(d.MediaType))
	if err != nil {
		return nil, registry.NotFound(err)
	}
	if d.Digest.Algorithm().FromBytes(raw) != d.Digest {
		return nil, fmt.Errorf("the registry's bytes for %s have another digest", d.Digest)
	}
	r.memory.putBlob(d.Digest, raw)
	return raw, nil
}

func (r *remotes) pull(ctx context.Context, ref name.Digest, kind types.MediaType) ([]byte, error) {
	if kind.IsImage() || kind.IsIndex() {
		got, err := remote.Get(ref, r.options(ctx)...)
		if err != nil {
			return nil, err
		}
		return got.Manifest, nil
	}
	layer, err := remote.Layer(ref, r.options(ctx)...)
	if err != nil {
		return nil, err
	}
	blob, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	var raw bytes.Buffer
	if _, err := io.Copy(&raw, io.LimitReader(blob, documentBytes+1)); err != nil {
		return nil, err
	}
	if raw.Len() > documentBytes {
		return nil, fmt.Errorf("%s is longer than %d bytes", ref, documentBytes)
	}
	return raw.Bytes(), nil
}

func (r *remotes) options(ctx context.Context) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx),
		remote.WithTransport(r.transport),
		remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}),
		remote.WithUserAgent("imgmgr"),
	}
}

// givenUp says why a registry isn't asked any more.
func (r *remotes) givenUp(host string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.unreachable[host]; err != nil {
		return fmt.Errorf("registry %s could not be reached before: %w", host, err)
	}
	if len(r.unreachable) >= maxUnreachable && !r.answered[host] {
		return fmt.Errorf("registry %s: not asked, for %d others could not be reached", host, len(r.unreachable))
	}
	return nil
}

// heard notes what came of asking a registry.
func (r *remotes) heard(host string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && silent(err) {
		r.unreachable[host] = err
	} else {
		r.answered[host] = true
	}
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
