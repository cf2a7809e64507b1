//go:build linux

package integration_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/imgmgr/imgmgr/integration/crates"
	"github.com/imgmgr/imgmgr/integration/gems"
	"github.com/imgmgr/imgmgr/integration/mavenrepo"
	"github.com/imgmgr/imgmgr/integration/oracle"
	"github.com/imgmgr/imgmgr/integration/packagist"
	"github.com/imgmgr/imgmgr/integration/pypi"
	"github.com/imgmgr/imgmgr/integration/rpms"
	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// server is one of the test's own package indexes.
type server struct {
	url   string
	close func()
}

// indexes are the servers that a project's arguments may name.
var indexes = map[string]func(context.Context) (server, error){
	"PYPI": func(ctx context.Context) (server, error) {
		ix, err := pypi.Start(ctx)
		if err != nil {
			return server{}, err
		}
		return server{ix.URL, ix.Close}, nil
	},
	"CRATES": func(context.Context) (server, error) {
		r, err := crates.Start()
		if err != nil {
			return server{}, err
		}
		return server{r.URL, r.Close}, nil
	},
	"COMPOSER": func(context.Context) (server, error) {
		r, err := packagist.Start()
		if err != nil {
			return server{}, err
		}
		return server{r.URL, r.Close}, nil
	},
	"GEMS": func(context.Context) (server, error) {
		ix, err := gems.Start()
		if err != nil {
			return server{}, err
		}
		return server{ix.URL, ix.Close}, nil
	},
	"MAVEN": func(ctx context.Context) (server, error) {
		r, err := mavenrepo.Start(ctx)
		if err != nil {
			return server{}, err
		}
		return server{r.URL, r.Close}, nil
	},
	"RPMS": func(ctx context.Context) (server, error) {
		r, err := rpms.Start(ctx, sb)
		if err != nil {
			return server{}, err
		}
		return server{r.URL, r.Close}, nil
	},
}

// surroundings are what projects ask for beside the sandbox: base images and
// package indexes, each made when the first project wants it.
type surroundings struct {
	t        *testing.T // the servers are there until it ends
	mu       sync.Mutex
	servers  map[string]func() (string, error)
	standIns map[string]func() error
}

func newSurroundings(t *testing.T) *surroundings {
	return &surroundings{t: t, servers: map[string]func() (string, error){}, standIns: map[string]func() error{}}
}

// server returns the address of a server.
func (s *surroundings) server(name string) (string, error) {
	s.mu.Lock()
	get := s.servers[name]
	if get == nil {
		get = sync.OnceValues(func() (string, error) {
			start, ok := indexes[name]
			if !ok {
				return "", fmt.Errorf("$%s in oracle.json is none of the test's servers", name)
			}
			running, err := start(s.t.Context())
			if err != nil {
				return "", err
			}
			s.t.Cleanup(running.close)
			return running.url, nil
		})
		s.servers[name] = get
	}
	s.mu.Unlock()
	return get()
}

// addStandIns makes the base images that a project asks for.
func (s *surroundings) addStandIns(p oracle.Project) error {
	for ref, recipe := range p.StandIns {
		path := p.Path(recipe)
		s.mu.Lock()
		add := s.standIns[ref+" "+path]
		if add == nil {
			add = sync.OnceValue(func() error {
				text, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				return sb.AddStandIn(s.t.Context(), sandbox.StandIn{Refs: []string{ref}, Dockerfile: text})
			})
			s.standIns[ref+" "+path] = add
		}
		s.mu.Unlock()
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}
