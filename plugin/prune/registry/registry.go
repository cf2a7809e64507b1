// Package registry reads and changes the images of a registry, for prune.
//
// [Registry.Inventory] gathers facts and sends GET and HEAD alone. The methods
// that change something are those that prune's executor needs, one request each.
//
// It speaks the OCI distribution protocol over net/http, with the credentials
// and tokens of go-containerregistry. Every answer is checked: a manifest against
// its digest, a listing against its links to the next page. What can't be read to
// its end makes a repository incomplete, and prune leaves such a one alone.
package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Options say how to talk to a registry. The zero value is for production.
type Options struct {
	// Insecure allows plain HTTP and certificates that can't be verified.
	Insecure bool
	// Workers is the number of requests at one time; 0 means 16. It is halved
	// whenever the registry asks for patience.
	Workers int
	// Cache is a folder that keeps manifests and configurations by digest; ""
	// keeps none.
	Cache string
	// Timeout ends one request; 0 means a minute.
	Timeout time.Duration
	// Pause is the wait before the second try of a request, and doubles for each
	// further one; 0 means half a second.
	Pause time.Duration
	// Progress is told how many of the known tags are read. It may be nil.
	Progress func(done, known int)
	// Transport is nil but in tests.
	Transport http.RoundTripper
}

// Registry is one registry, or the part of it below a prefix.
type Registry struct {
	host   name.Registry
	prefix string // repositories below it; "" is all
	opts   Options
	gate   *gate
	cache  cache

	mu        sync.Mutex
	clients   map[string]*http.Client // by repository and what is to be done there
	referrers *bool                   // whether the registry knows the referrers API
	done      int
	known     int
}

// Open names a registry, "HOST" or "HOST/PREFIX", without talking to it.
func Open(place string, opts Options) (*Registry, error) {
	path := strings.TrimSuffix(strings.TrimPrefix(place, "https://"), "/")
	host, prefix, _ := strings.Cut(path, "/")
	var nameOpts []name.Option
	if opts.Insecure {
		nameOpts = append(nameOpts, name.Insecure)
	}
	reg, err := name.NewRegistry(host, append(nameOpts, name.StrictValidation)...)
	if err == nil && prefix != "" {
		_, err = name.NewRepository(host + "/" + prefix)
	}
	if err != nil || host == "" || strings.Contains(path, "//") {
		return nil, fmt.Errorf("%q is no registry: want HOST or HOST/PREFIX, as registry.example.com:5000/team", place)
	}
	if opts.Workers == 0 {
		opts.Workers = 16
	}
	if opts.Timeout == 0 {
		opts.Timeout = time.Minute
	}
	if opts.Pause == 0 {
		opts.Pause = 500 * time.Millisecond
	}
	if opts.Transport == nil {
		opts.Transport = verified(opts.Insecure)
	}
	return &Registry{
		host: reg, prefix: prefix, opts: opts, gate: newGate(opts.Workers),
		cache: cache{opts.Cache}, clients: map[string]*http.Client{},
	}, nil
}

// verified is the transport of go-containerregistry, which checks certificates.
func verified(insecure bool) http.RoundTripper {
	base, ok := remote.DefaultTransport.(*http.Transport)
	if !ok {
		return remote.DefaultTransport
	}
	t := base.Clone()
	if insecure {
		t.TLSClientConfig = insecureTLS()
	}
	return t
}

// Place is how plans name the registry.
func (r *Registry) Place() string {
	place := "registry://" + r.host.RegistryStr()
	if r.prefix != "" {
		place += "/" + r.prefix
	}
	return place
}

// client returns a client with the right to do something in a repository. It asks
// for a token once; go-containerregistry renews it when it has expired.
func (r *Registry) client(ctx context.Context, repository, action string) (*http.Client, error) {
	scope := "repository:" + repository + ":" + action
	if repository == "" {
		scope = "registry:catalog:*"
	}
	r.mu.Lock()
	c := r.clients[scope]
	r.mu.Unlock()
	if c != nil {
		return c, nil
	}
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, r.host)
	if err != nil {
		return nil, fmt.Errorf("credentials of %s: %w", r.host, err)
	}
	t, err := transport.NewWithContext(ctx, r.host, auth, transport.NewUserAgent(r.opts.Transport, "imgmgr"), []string{scope})
	if err != nil {
		return nil, err
	}
	c = &http.Client{Transport: t}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clients[scope] = c
	return c, nil
}

// path is a repository of a plan, "HOST/NAME", as this registry knows it.
func (r *Registry) path(repository string) (string, error) {
	path, ok := strings.CutPrefix(repository, r.host.RegistryStr()+"/")
	if !ok || path == "" {
		return "", fmt.Errorf("%s is not in %s", repository, r.host.RegistryStr())
	}
	return path, nil
}
