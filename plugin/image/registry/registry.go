// Package registry reads images from registries, with the credentials that
// `docker login` left: whole ones with a [Source], and with a [Resolver] what a
// base image is configured to do, without its layers.
//
// A linter must not hang on a registry. So every look-up of a Resolver is short,
// is made once for all files, and a registry that couldn't be reached is left
// alone for the rest of the run; a few of those end all look-ups.
package registry

import (
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imgmgr/imgmgr/lint/facts"
)

const (
	dialTimeout   = 2 * time.Second
	lookupTimeout = 4 * time.Second // for all requests of one image at one registry
	// maxUnreachable registries end all look-ups: then the network is at fault.
	maxUnreachable = 3
)

// Resolver finds the configurations of images in their registries, with the
// credentials that `docker login` left. It is safe for concurrent use.
type Resolver struct {
	mirrors   []name.Registry
	platform  string
	transport http.RoundTripper

	mu          sync.Mutex
	answers     map[question]func() (*facts.Image, error)
	unreachable map[string]error // by registry
}

var _ facts.ImageResolver = (*Resolver)(nil)

type question struct{ ref, platform string }

// New returns a resolver that asks mirrors, in order, before Docker Hub for
// images of Docker Hub, as dockerd's registry-mirrors do. A mirror is a host
// with an optional port, or a URL of scheme http or https; hosts on this
// machine are spoken to without TLS. Platform is that of the builder
// ("linux/amd64"): it is meant where a look-up names none.
func New(platform string, mirrors ...string) (*Resolver, error) {
	r := &Resolver{
		platform:    platform,
		transport:   shortTransport(),
		answers:     map[question]func() (*facts.Image, error){},
		unreachable: map[string]error{},
	}
	var err error
	if r.mirrors, err = parseMirrors(mirrors); err != nil {
		return nil, err
	}
	return r, nil
}

// Unreachable returns the registries that couldn't be asked, and why.
func (r *Resolver) Unreachable() map[string]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[string]error, len(r.unreachable))
	for host, err := range r.unreachable {
		out[host] = err
	}
	return out
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
