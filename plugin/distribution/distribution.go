// Package distribution speaks the OCI distribution protocol: it lists, reads and
// changes what a registry has, one request a method.
//
// It is what prune, registry and all that handles many images have in common:
// net/http with the credentials and tokens of go-containerregistry. Every answer
// is checked, a manifest against its digest, a listing against its links to the
// next page. Requests run side by side up to a bound, which is halved when the
// registry asks for patience; what can work another time is tried again.
//
// What isn't there is fs.ErrNotExist, what the registry can't do is
// errors.ErrUnsupported, and what it doesn't allow is fs.ErrPermission. No error
// holds credentials.
//
//	api.go      listings, manifests, configurations, referrers
//	blob.go     layers: open, mount, upload
//	scheme.go   TLS, unless it is this machine or was asked for otherwise
//	request.go  one request: again where that can help, and no more than allowed
package distribution

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
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
	// Timeout ends one request, but not the transfer of a layer; 0 means a minute.
	Timeout time.Duration
	// Pause is the wait before the second try of a request, and doubles for each
	// further one; 0 means half a second.
	Pause time.Duration
	// Transport is nil but in tests.
	Transport http.RoundTripper
}

// Registry is one registry. It is safe for concurrent use.
type Registry struct {
	host  name.Registry
	guard *guard
	opts  Options
	gate  *gate
	cache cache

	asking    sync.Mutex // held while the registry is asked whether it knows the referrers API
	mu        sync.Mutex
	clients   map[string]*http.Client // by repository and what is to be done there
	referrers *bool                   // whether the registry knows the referrers API
}

// Open names a registry, without talking to it.
func Open(host string, opts Options) (*Registry, error) {
	var nameOpts []name.Option
	if opts.Insecure {
		nameOpts = append(nameOpts, name.Insecure)
	}
	reg, err := name.NewRegistry(host, append(nameOpts, name.StrictValidation)...)
	if err != nil || host == "" {
		return nil, fmt.Errorf("%q is no registry: want HOST, as registry.example.com:5000", host)
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
	g := newGuard(opts.Transport, reg.RegistryStr(), opts.Insecure)
	return &Registry{
		host: reg, opts: opts, guard: g, gate: newGate(opts.Workers),
		cache: cache{opts.Cache}, clients: map[string]*http.Client{},
	}, nil
}

// SplitPlace takes "HOST", "HOST/PREFIX" or a URL of scheme https apart.
func SplitPlace(place string) (host, prefix string, err error) {
	path := strings.TrimSuffix(strings.TrimPrefix(place, "https://"), "/")
	host, prefix, _ = strings.Cut(path, "/")
	if prefix != "" {
		_, err = name.NewRepository(host + "/" + prefix)
	}
	if err == nil {
		_, err = name.NewRegistry(host, name.StrictValidation)
	}
	if err != nil || host == "" || strings.Contains(path, "//") {
		return "", "", fmt.Errorf("%q is no registry: want HOST or HOST/PREFIX, as registry.example.com:5000/team", place)
	}
	return host, prefix, nil
}

// Host is the registry's name, with its port.
func (r *Registry) Host() string { return r.host.RegistryStr() }

// Workers is the number of requests that may run at one time.
func (r *Registry) Workers() int { return r.opts.Workers }

// client returns a client with the right to do something in a repository. It asks
// for a token once; go-containerregistry renews it when it has expired.
func (r *Registry) client(ctx context.Context, repository, rights, from string) (*http.Client, error) {
	scopes := []string{"repository:" + repository + ":" + rights}
	if repository == "" {
		scopes[0] = "registry:catalog:*"
	}
	if from != "" {
		scopes = append(scopes, "repository:"+from+":"+MayRead)
	}
	key := strings.Join(scopes, " ")
	r.mu.Lock()
	c := r.clients[key]
	r.mu.Unlock()
	if c != nil {
		return c, nil
	}
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, r.host)
	if err != nil {
		return nil, fmt.Errorf("credentials of %s: %w", r.host, err)
	}
	t, err := transport.NewWithContext(ctx, r.host, auth, transport.NewUserAgent(r.guard, "imgmgr"), scopes)
	if err != nil {
		return nil, r.guard.explain(err)
	}
	c = &http.Client{Transport: t}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clients[key] = c
	return c, nil
}
