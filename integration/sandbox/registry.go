//go:build linux

package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// startRegistry starts the registry on the slot's storage. It keeps the port
// of the slot's last run if it can, so that image references, which Dockerfiles
// and cache keys contain, stay the same.
func (sb *Sandbox) startRegistry(ctx context.Context) error {
	storage := sb.slot.path("registry")
	if err := os.MkdirAll(storage, 0o755); err != nil {
		return fmt.Errorf("starting the registry: %w", err)
	}
	last, err := os.ReadFile(sb.slot.path("port"))
	if err != nil {
		last = []byte("0")
	}
	port, err := freePort(strings.TrimSpace(string(last)))
	if err != nil {
		return fmt.Errorf("starting the registry: %w", err)
	}
	if err := os.WriteFile(sb.slot.path("port"), []byte(port), 0o644); err != nil {
		return fmt.Errorf("starting the registry: %w", err)
	}
	sb.Registry = "127.0.0.1:" + port
	return sb.runRegistry(ctx, sb.Tool("registry"), "registry", sb.Registry, storage)
}

// runRegistry starts a registry process and waits until it answers.
func (sb *Sandbox) runRegistry(ctx context.Context, program, name, addr, storage string) error {
	config := filepath.Join(sb.run, name+".yaml")
	yaml := fmt.Sprintf(`version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: %q}
  delete: {enabled: true}
  cache: {blobdescriptor: inmemory}
  maintenance: {uploadpurging: {enabled: false}}
http: {addr: %q}
`, storage, addr)
	if err := os.WriteFile(config, []byte(yaml), 0o644); err != nil {
		return fmt.Errorf("configuring the registry: %w", err)
	}
	d, err := sb.startDaemon(name, []string{"OTEL_TRACES_EXPORTER=none"}, program, "serve", config)
	if err != nil {
		return err
	}
	return d.answers(ctx, addr)
}

// answers waits until a registry does.
func (d *daemon) answers(ctx context.Context, addr string) error {
	return d.ready(ctx, 20*time.Second, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/v2/", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
}

// NewRegistry starts one more registry, for tests that need an empty one or
// one on a file system of their choosing, and returns its "127.0.0.1:PORT".
// It stores below dir and ends with the sandbox. BuildKit takes loopback
// addresses for plain http, so it can push there.
func (sb *Sandbox) NewRegistry(ctx context.Context, dir string) (string, error) {
	port, err := freePort("0")
	if err != nil {
		return "", fmt.Errorf("starting a registry: %w", err)
	}
	addr := "127.0.0.1:" + port
	return addr, sb.runRegistry(ctx, sb.Tool("registry"), "registry-"+port, addr, dir)
}
