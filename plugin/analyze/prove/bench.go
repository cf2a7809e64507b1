package prove

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/imgmgr/imgmgr/plugin/buildx"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/archive"
)

// engineDriver is the driver of the builder in the Docker Engine. It doesn't write
// archives where the Engine has its classic store, but puts images into that.
const engineDriver = "docker"

// Bench is where builds are measured.
type Bench struct {
	Builder buildx.Builder
	Driver  string // of the builder
	Context string // a folder that is the bench's own
	Ignored []byte // what .dockerignore says, or the list beside the Dockerfile
	Target  string
	Args    []string // more of docker buildx build
	// Open opens an image of the Docker Engine.
	Open func(ctx context.Context, ref string) (image.Source, error)
	// Read reads an image that was built, with all its files.
	Read func(context.Context, image.Source) error
	Now  func() time.Time
	// Step is told what is running.
	Step func(string)
}

// Try is a Dockerfile that is built several times.
type Try struct {
	bench *Bench
	file  string
	// space is the name space of its cache mounts, which nothing else fills.
	space string
}

// Try puts a Dockerfile on the bench, under the name that its owner knows. It is
// written into a folder of its own in dir.
func (b *Bench) Try(dir, name string, text []byte) (*Try, error) {
	own, err := os.MkdirTemp(dir, "try-")
	if err != nil {
		return nil, fmt.Errorf("write a Dockerfile to build: %w", err)
	}
	t := &Try{bench: b, file: filepath.Join(own, filepath.Base(name)), space: "imgmgr-" + rand.Text()}
	err = os.WriteFile(t.file, text, 0o600)
	if err == nil { // this list goes before the context's
		err = os.WriteFile(t.file+".dockerignore", b.Ignored, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("write a Dockerfile to build: %w", err)
	}
	return t, nil
}

// Fetch builds what Bases gave. What fails there fails in a real build as well, which
// can say more.
func (t *Try) Fetch(ctx context.Context) {
	_, _, _ = t.run(ctx, nil, "--output", "type=cacheonly")
}

// Again builds with the cache that the build before left, and returns the seconds
// that its steps took, and which ones ran.
func (t *Try) Again(ctx context.Context) (seconds float64, steps []string, err error) {
	return t.run(ctx, nil, "--target", t.bench.Target, "--output", "type=cacheonly")
}

// Cold builds with no step from the cache and empty cache mounts, and has the image
// read. The seconds are those until the image begins to be written.
func (t *Try) Cold(ctx context.Context) (seconds float64, err error) {
	if t.bench.Driver == engineDriver {
		return t.loaded(ctx)
	}
	in, out := io.Pipe()
	read := make(chan error, 1)
	go func() {
		err := t.bench.Read(ctx, archive.NewStream(in, "build", ""))
		if err == nil {
			_, err = io.Copy(io.Discard, in) // what stands behind the archive's end
		}
		in.CloseWithError(err)
		read <- err
	}()
	seconds, _, err = t.run(ctx, out, "--no-cache", "--target", t.bench.Target, "--output", "type=oci,dest=-")
	out.CloseWithError(err) // nil is the end
	if readErr := <-read; readErr != nil && !errors.Is(readErr, err) {
		err = fmt.Errorf("read the image that was built: %w", readErr)
	}
	return seconds, err
}

// loaded is Cold by way of the Docker Engine.
func (t *Try) loaded(ctx context.Context) (seconds float64, err error) {
	tag := "imgmgr-prove:" + strings.ToLower(rand.Text())
	if seconds, _, err = t.run(ctx, nil, "--no-cache", "--target", t.bench.Target, "--output", "type=docker,name="+tag); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, buildx.RemoveImage(context.WithoutCancel(ctx), tag)) }()
	src, err := t.bench.Open(ctx, tag)
	if err != nil {
		return 0, fmt.Errorf("read the image that was built: %w", err)
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if err := t.bench.Read(ctx, src); err != nil {
		return 0, fmt.Errorf("read the image that was built: %w", err)
	}
	return seconds, nil
}

func (t *Try) run(ctx context.Context, out io.Writer, args ...string) (seconds float64, steps []string, err error) {
	b := t.bench
	args = append(args, "--progress", "plain", "--provenance=false", "--file", t.file, "--build-arg", "BUILDKIT_CACHE_MOUNT_NS="+t.space)
	args = append(append(args, b.Args...), b.Context)
	r, start := newRan(), b.Now()
	err = b.Builder.Run(ctx, buildx.Build{Args: args, Stdout: out, Log: func(line string) {
		if step := r.line(line, b.Now()); step != "" && b.Step != nil {
			b.Step(step)
		}
	}})
	end := b.Now()
	if !r.packing.IsZero() {
		end = r.packing
	}
	return end.Sub(start).Seconds(), r.steps(), err
}
