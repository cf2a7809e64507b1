// Package registry reads and changes the images of a registry, for prune.
//
// [Registry.Inventory] gathers facts and sends GET and HEAD alone. The methods
// that change something are those that prune's executor needs, one request each.
// What can't be read to its end makes a repository incomplete, and prune leaves
// such a one alone.
package registry

import (
	"fmt"
	"strings"
	"sync"

	"github.com/imgmgr/imgmgr/plugin/distribution"
)

// Scheme begins the places of plans; HOST or HOST/PREFIX follows.
const Scheme = "registry://"

// Options say how to talk to a registry.
type Options = distribution.Options

// Registry is one registry, or the part of it below a prefix.
type Registry struct {
	// Progress is told how many of the known tags are read. It may be nil.
	Progress func(done, known int)

	remote *distribution.Registry
	prefix string // repositories below it; "" is all

	mu    sync.Mutex
	done  int
	known int
}

// Open names a registry, "HOST" or "HOST/PREFIX", without talking to it.
func Open(place string, opts Options) (*Registry, error) {
	host, prefix, err := distribution.SplitPlace(place)
	if err != nil {
		return nil, err
	}
	remote, err := distribution.Open(host, opts)
	if err != nil {
		return nil, err
	}
	return &Registry{remote: remote, prefix: prefix}, nil
}

// Place is how plans name the registry.
func (r *Registry) Place() string {
	place := Scheme + r.remote.Host()
	if r.prefix != "" {
		place += "/" + r.prefix
	}
	return place
}

// path is a repository of a plan, "HOST/NAME", as this registry knows it.
func (r *Registry) path(repository string) (string, error) {
	path, ok := strings.CutPrefix(repository, r.remote.Host()+"/")
	if !ok || path == "" {
		return "", fmt.Errorf("%s is not in %s", repository, r.remote.Host())
	}
	return path, nil
}
