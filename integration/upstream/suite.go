//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// suite is BuildKit's test program and what it needs.
type suite struct {
	sb       *sandbox.Sandbox
	work     string // a folder that goes when this program ends
	progress io.Writer
	version  string // of BuildKit
	program  string // the compiled tests
	mirror   string // the folder of the registry that they start
}

func (s *suite) prepare(ctx context.Context) error {
	if err := s.compile(ctx); err != nil {
		return err
	}
	s.mirror = filepath.Join(s.work, "mirror")
	return fillMirror(ctx, s.sb, s.mirror)
}

// compile copies BuildKit's module out of Go's read-only cache, for its tests
// look for files beside them, and compiles the tests there. The copy is kept
// in .cache.
func (s *suite) compile(ctx context.Context) error {
	module, err := output(ctx, "", "go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", "github.com/moby/buildkit")
	if err != nil {
		return err
	}
	version, dir, ok := strings.Cut(module, " ")
	if !ok {
		return errors.New("find BuildKit's module: run `go mod download` first")
	}
	s.version = version
	cache, err := filepath.Abs(filepath.Join(".cache", "upstream"))
	if err != nil {
		return err
	}
	tree := filepath.Join(cache, "buildkit@"+version)
	s.program = filepath.Join(tree, "dockerfile.test")
	if _, err := os.Stat(s.program); err == nil {
		return nil
	}
	fmt.Fprintf(s.progress, "... compiling the Dockerfile tests of BuildKit %s\n", version)
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(tree); err != nil {
		return err
	}
	if err := os.CopyFS(tree, os.DirFS(dir)); err != nil { // CopyFS makes everything writable
		return fmt.Errorf("copy BuildKit's module: %w", err)
	}
	_, err = output(ctx, tree, "env", "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=mod", "go", "test", "-c", "-o", s.program, "./frontend/dockerfile")
	return err
}

// unscanned is our frontend's image without the SBOM by default; see the
// program of that name.
func (s *suite) unscanned(ctx context.Context) (string, error) {
	dir := filepath.Join(s.work, "unscanned")
	if _, err := output(ctx, "", "env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-o", dir+"/", "./integration/upstream/unscanned"); err != nil {
		return "", err
	}
	ours, err := s.sb.Frontend(ctx)
	if err != nil {
		return "", err
	}
	text := "FROM " + ours + "\nCOPY unscanned /bin/imgmgr-frontend\n"
	ref := s.sb.Registry + "/imgmgr-frontend:unscanned"
	if _, err := s.sb.Build(ctx, sandbox.BuildRequest{Context: dir, Dockerfile: []byte(text), Push: ref}); err != nil {
		return "", fmt.Errorf("make the frontend's image without the SBOM: %w", err)
	}
	return ref, nil
}

// against runs the tests whose names match pattern against an arm's frontend.
// The whole log is kept in .cache/upstream.
func (s *suite) against(ctx context.Context, a arm, pattern string) (outcome, error) {
	ref, err := a.image(ctx)
	if err != nil {
		return nil, err
	}
	// The tests take a frontend as an OCI archive only, not from a registry
	// that speaks plain http.
	archive := filepath.Join(s.work, a.name+".tar")
	if _, err := s.sb.Build(ctx, sandbox.BuildRequest{Dockerfile: []byte("FROM " + ref + "\n"), OCITar: archive}); err != nil {
		return nil, fmt.Errorf("write %s to an archive: %w", a.title, err)
	}
	fmt.Fprintf(s.progress, "... running the tests against %s (about 8 minutes for all)\n", a.title)
	log, err := os.Create(filepath.Join(filepath.Dir(filepath.Dir(s.program)), a.name+".json"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// Short: sockets lie below it.
	tmp, err := os.MkdirTemp("", "suite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	// In namespaces of their own, so that daemons of tests that were cut short
	// end with them.
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL", "--",
		"go", "tool", "test2json", "-t", s.program, "-test.v=test2json", "-test.timeout=60m", "-test.run", "TestIntegration/"+pattern+"/worker=oci$/.+")
	cmd.Dir = filepath.Join(filepath.Dir(s.program), "frontend", "dockerfile")
	cmd.Env = append(os.Environ(),
		"PATH="+filepath.Dir(s.sb.Tool("buildkitd"))+":"+os.Getenv("PATH")+":/usr/sbin:/sbin",
		"TMPDIR="+tmp,
		"FRONTEND_GATEWAY_ONLY=local:"+archive,
		"BUILDKIT_REGISTRY_MIRROR_DIR="+s.mirror,
	)
	cmd.Stdout, cmd.Stderr = log, log
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil { // tests that fail are an answer too
		return nil, fmt.Errorf("run the tests against %s: %w", a.title, err)
	}
	if _, err := log.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return readOutcome(log)
}

// output runs a program in dir and returns what it prints.
func output(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}
