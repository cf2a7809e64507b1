//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// project is the example that is built, and the file that is edited for the
// rebuild.
const (
	project = "examples/node-api"
	source  = "server.js"
)

// tour holds what the steps share.
type tour struct {
	out, progress io.Writer
	sb            *sandbox.Sandbox
	plugin        string // the docker-imgmgr binary
	dir           string // a copy of the project, which is edited
	cache         string // the plugin's: stand-in images must not be remembered by their names
}

func run(ctx context.Context, out, progress io.Writer) (err error) {
	work, err := os.MkdirTemp("", "imgmgr-try-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	t := &tour{out: out, progress: progress,
		dir: filepath.Join(work, filepath.Base(project)), plugin: filepath.Join(work, "docker-imgmgr"), cache: filepath.Join(work, "cache")}
	if err := os.CopyFS(t.dir, os.DirFS(project)); err != nil {
		return fmt.Errorf("copy %s (run this from the repository's folder): %w", project, err)
	}
	t.say("building the plugin, starting a private BuildKit and registry (some minutes the first time)")
	if err := t.build(ctx); err != nil {
		return err
	}
	t.sb, err = sandbox.Start(ctx, sandbox.Options{FreshState: true, Log: progress})
	if err != nil {
		return err
	}
	defer t.sb.Close()
	for _, step := range []func(context.Context) error{t.lint, t.diff, t.measure, t.next} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// say tells those who wait what is going on.
func (t *tour) say(format string, args ...any) {
	fmt.Fprintf(t.progress, "... "+format+"\n", args...)
}

func (t *tour) title(text string) {
	fmt.Fprintf(t.out, "\n%s\n%s\n\n", text, strings.Repeat("=", len(text)))
}

func (t *tour) build(ctx context.Context) error {
	// Built as the frontend is, so that what both need is compiled once.
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", t.plugin, "./cmd/docker-imgmgr")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the plugin: %w\n%s", err, output)
	}
	return nil
}

// lint prints the findings for the project.
func (t *tour) lint(ctx context.Context) error {
	t.title("1. What docker imgmgr lint finds")
	return t.imgmgr(ctx, "lint", project)
}

// diff prints what the frontend will build.
func (t *tour) diff(ctx context.Context) error {
	t.title("2. What the frontend builds instead, without touching the file")
	args := []string{"lint", "--diff", "--fix=build"}
	if !t.sb.Hub {
		args = append(args, "--registry-mirror", t.sb.Registry)
	}
	return t.imgmgr(ctx, append(args, project)...)
}

// imgmgr runs the plugin as a user would, and shows the command line.
func (t *tour) imgmgr(ctx context.Context, args ...string) error {
	fmt.Fprintf(t.out, "$ docker imgmgr %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, t.plugin, args...)
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.cache)
	cmd.Stdout, cmd.Stderr = t.out, t.progress
	err := cmd.Run()
	// 1 says that there are findings: here, that is the point.
	if exit, ok := err.(*exec.ExitError); ok && exit.ExitCode() == 1 {
		return nil
	}
	return err
}

// next says where to go from here.
func (t *tour) next(context.Context) error {
	t.title("Where to go next")
	fmt.Fprint(t.out, `  make install                          docker imgmgr lint, for your own Dockerfiles
  docker imgmgr lint --explain RULE     why, with an example
  make frontend-image                   the frontend's image, for your registry; then
    # syntax=YOUR/imgmgr-frontend       as the first line of a Dockerfile, or
    docker buildx build --build-arg BUILDKIT_SYNTAX=YOUR/imgmgr-frontend .
  README.md, CONTRIBUTING.md            how it works, and how the images are proven equal

`)
	return nil
}
