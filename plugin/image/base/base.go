// Package base is what a linter may know of base images: their configurations,
// what their registries say of them, and what lies in them.
//
// It comes from as near as possible: from a cache on disk, from the Docker Engine
// of this machine, and from registries only where [Options.Reach] says so. A
// linter must not hang on any of them: every question is short, is asked once for
// all files, and who doesn't answer is left alone for the rest of the run. What
// can't be had is unknown ([facts.ErrUnknown]), and Failed says why.
package base

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/name"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/registry"
)

// Reach is how far a resolver goes. Each goes further than the one before.
type Reach int

const (
	Disk    Reach = iota // the cache on disk: nothing is connected to
	Machine              // and the Docker Engine, where it is on this machine
	Network              // and registries
)

// fresh is how old what a registry said of a tag may be and still stand before
// what the Docker Engine has.
const fresh = 24 * time.Hour

// Options say where to look.
type Options struct {
	Reach Reach
	// Platform is that of the builder ("linux/amd64"): it is meant where a look-up
	// names none.
	Platform string
	// Mirrors are asked, in order, before Docker Hub for images of Docker Hub, as
	// dockerd's registry-mirrors are; see registry.ParseMirrors.
	Mirrors []string
	// Engine connects to the Docker Engine of this machine; nil is none. Where
	// there is none, its error wraps fs.ErrNotExist.
	Engine func(context.Context) (Engine, error)
	// Memory keeps what registries said; nil keeps nothing. Recall is how old it may
	// be where nobody else knows the image.
	Memory *Memory
	Recall time.Duration
	// Tables keep the files of images; nil keeps none.
	Tables image.Cache
	// ReadBytes is how large an image may be, as it is stored, whose layers are
	// read to know its files; 0 reads none. ReadTime bounds how long that may take.
	ReadBytes int64
	ReadTime  time.Duration
	// Now is the clock.
	Now func() time.Time
}

// Resolver finds base images. It is safe for concurrent use.
type Resolver struct {
	opts    Options
	remotes *remotes
	engine  *local

	mu      sync.Mutex
	answers map[question]*answer
	unread  map[string]error // images whose files aren't known, and why
}

var (
	_ facts.ImageResolver = (*Resolver)(nil)
	_ facts.Registry      = (*Resolver)(nil)
)

// question is about an image for a platform.
type question struct{ ref, platform string }

type answer struct {
	ask  func() (*found, error)
	ref  string // as it was asked for first
	when time.Time
}

// found is what is known of an image.
type found struct {
	image    *facts.Image    // nil where there is none for the platform
	lacking  error           // why image is nil
	manifest *facts.Manifest // nil where no registry said it now
}

// New returns a resolver. Nothing is asked yet.
func New(o Options) (*Resolver, error) {
	mirrors, err := registry.ParseMirrors(o.Mirrors)
	if err != nil {
		return nil, err
	}
	return &Resolver{
		opts: o, remotes: newRemotes(mirrors, o.Memory), engine: &local{connect: o.Engine},
		answers: map[question]*answer{}, unread: map[string]error{},
	}, nil
}

// Reach is how far the resolver goes.
func (r *Resolver) Reach() Reach { return r.opts.Reach }

// Image is facts.ImageResolver. It is looked up once for each platform; a
// failure is remembered, too. All errors wrap facts.ErrUnknown.
func (r *Resolver) Image(ctx context.Context, ref, platform string) (*facts.Image, error) {
	f, err := r.find(ctx, ref, platform)
	if err == nil && f.image == nil {
		err = f.lacking
	}
	if err != nil {
		return nil, fmt.Errorf("look up base image %s for %s: %w (%w)", ref, r.platform(platform), err, facts.ErrUnknown)
	}
	return f.image, nil
}

// Manifest is facts.Registry: unknown where registries aren't reached.
func (r *Resolver) Manifest(ctx context.Context, ref, platform string) (*facts.Manifest, error) {
	if r.opts.Reach < Network {
		return nil, fmt.Errorf("ask the registry for %s: %w", ref, facts.ErrUnknown)
	}
	f, err := r.find(ctx, ref, platform)
	if err == nil && f.manifest == nil {
		err = errors.New("no registry answered")
	}
	if err != nil {
		return nil, fmt.Errorf("ask the registry for %s: %w (%w)", ref, err, facts.ErrUnknown)
	}
	return f.manifest, nil
}

// Failed says, by the name of who was asked, who couldn't be, and why: registries
// and the Docker Engine. An Engine that isn't there has not failed.
func (r *Resolver) Failed() map[string]error {
	failed := r.remotes.failed()
	if err := r.engine.failed(); err != nil {
		failed["the Docker Engine"] = err
	}
	return failed
}

// Unread are the images whose files were asked for and aren't known, and why.
func (r *Resolver) Unread() map[string]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.unread)
}

// Unknown are the images that were asked for and aren't known, and why.
func (r *Resolver) Unknown() map[string]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	unknown := map[string]error{}
	for _, a := range r.answers {
		if _, err := a.ask(); err != nil {
			unknown[familiar(a.ref)] = err
		}
	}
	return unknown
}

// Forget lets go of answers that are older than that, and of who didn't answer,
// so that a long session asks again.
func (r *Resolver) Forget(age time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.opts.Now().Add(-age)
	for q, a := range r.answers {
		if a.when.Before(before) {
			delete(r.answers, q)
			r.remotes.forgive()
			r.engine.forgive()
		}
	}
}

// familiar is a reference as people write it.
func familiar(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	return reference.FamiliarString(named)
}

func (r *Resolver) platform(asked string) string {
	if asked == "" {
		return r.opts.Platform
	}
	return asked
}

func (r *Resolver) find(ctx context.Context, ref, platform string) (*found, error) {
	q := question{ref, r.platform(platform)}
	if parsed, err := name.ParseReference(ref); err == nil {
		q.ref = parsed.Name() // an image has several names: "debian" is "docker.io/library/debian:latest"
	}
	// Others wait for the answer and have it, too: it must not end with this
	// one's context.
	ctx = context.WithoutCancel(ctx)
	r.mu.Lock()
	a, asked := r.answers[q]
	if !asked {
		a = &answer{sync.OnceValues(func() (*found, error) { return r.lookUp(ctx, ref, q.platform) }), ref, r.opts.Now()}
		r.answers[q] = a
	}
	r.mu.Unlock()
	return a.ask()
}

// lookUp asks the places where an image can be, in order.
func (r *Resolver) lookUp(ctx context.Context, asked, platform string) (*found, error) {
	ref, err := name.ParseReference(asked)
	if err != nil {
		return nil, err
	}
	parsed, err := platforms.Parse(platform)
	if err != nil {
		return nil, err
	}
	platform = platforms.Format(platforms.Normalize(parsed))
	_, pinned := ref.(name.Digest)
	var failed []error
	try := func(f *found, err error) bool {
		if err != nil {
			failed = append(failed, err)
		}
		return err == nil
	}
	var said error
	if r.opts.Reach == Network {
		f, err := r.remote(ctx, ref, platform)
		if err == nil {
			return f, nil
		}
		said = err
	}
	root, when, known := r.opts.Memory.name(ref.Name())
	age := r.opts.Now().Sub(when)
	if known && (pinned || age < fresh) {
		if f, err := r.remembered(ctx, root, ref, platform, true); try(f, err) {
			return f, nil
		}
	}
	if r.opts.Reach >= Machine {
		if f, err := r.machine(ctx, asked, platform); try(f, err) {
			return f, nil
		}
	}
	if known && age < r.opts.Recall {
		if f, err := r.remembered(ctx, root, ref, platform, false); try(f, err) {
			return f, nil
		}
	}
	switch {
	case said != nil: // what a registry said is what counts
		return nil, said
	case len(failed) == 0:
		return nil, errors.New("nothing is remembered of it")
	}
	return nil, errors.Join(failed...)
}

// remote asks the registries. That the image isn't there is only known where all of
// them said so: a mirror has what it was asked for before.
func (r *Resolver) remote(ctx context.Context, ref name.Reference, platform string) (*found, error) {
	var failed []error
	for _, place := range registry.Places(ref, r.remotes.mirrors) {
		f, err := r.ask(ctx, ref, place, platform)
		if err == nil {
			return f, nil
		}
		failed = append(failed, err)
	}
	there := func(err error) bool { return errors.Is(err, fs.ErrNotExist) }
	if open := slices.DeleteFunc(slices.Clone(failed), there); len(open) > 0 {
		failed = open
	}
	return nil, errors.Join(failed...)
}

// remembered answers with what registries said before.
func (r *Resolver) remembered(ctx context.Context, root ocispec.Descriptor, ref name.Reference, platform string, current bool) (*found, error) {
	o := &offer{root: root, fetch: r.opts.Memory.fetch}
	f, img, err := o.describe(ctx, ref.Name(), platform)
	if err != nil {
		return nil, fmt.Errorf("what is remembered of it: %w", err)
	}
	f.manifest = nil // it is of then
	if f.image == nil {
		return nil, f.lacking
	}
	if !current {
		f.image.Digest = ""
	}
	r.addFiles(f, img, rootKey(img.Digest), r.fromRegistry(ref, platform))
	return f, nil
}

// machine asks the Docker Engine. What a tag meant when the image came here isn't
// what it means now, so the digest stays unknown.
func (r *Resolver) machine(ctx context.Context, ref, platform string) (*found, error) {
	img, src, err := r.engine.find(ctx, ref, platform)
	if err != nil {
		return nil, err
	}
	f := &found{image: &facts.Image{Config: img.Config.Image}}
	f.image.Config.Config = configOf(img)
	if d, ok := pinOf(ref); ok {
		f.image.Digest = d
	}
	r.addFiles(f, img, rootKey(img.ID), func() (image.Source, int64, error) { return src, src.Bytes(), nil })
	return f, nil
}
