//go:build linux

// Package rpms is a repository of RPM packages on loopback, in the place of a
// distribution's mirrors, for tests that build with a real dnf. It offers greeting,
// and shouting, which needs that.
package rpms

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

//go:embed repository.Dockerfile
var recipe []byte

// Repository is a running repository.
type Repository struct {
	// URL is that of a proxy which answers for any host.
	URL string

	server *httptest.Server
	dir    string
}

// Start makes a repository with a sandbox's BuildKit. Who starts it closes it.
func Start(ctx context.Context, sb *sandbox.Sandbox) (*Repository, error) {
	dir, err := os.MkdirTemp("", "rpms")
	if err != nil {
		return nil, err
	}
	if _, err := sb.Build(ctx, sandbox.BuildRequest{Dockerfile: recipe, LocalDir: dir}); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("make a repository of RPM packages: %w", err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	return &Repository{URL: server.URL, server: server, dir: dir}, nil
}

// Close stops the server.
func (r *Repository) Close() {
	r.server.Close()
	os.RemoveAll(r.dir)
}
