//go:build linux

// Package sandbox starts what imgmgr is tested against: a real buildkitd, a
// real registry and, when asked for, a real Docker Engine, all private to one
// process and gone when it ends, however it ends.
//
// Nothing of the host's own Docker is touched. Sockets live in a temporary
// directory, ports are free ones on loopback, and every daemon runs in PID and
// mount namespaces of its own, so that killing the test kills the daemons,
// their containers and their mounts with it.
//
// What takes long is kept in a cache folder:
//
//	tools/KEY/         buildkitd, buildctl, buildx and registry, built from integration/tools,
//	                   or the newest Docker Engine, from integration/tools/engine, or zot, from integration/tools/zot
//	seed/KEY/          a registry's storage that holds the stand-in base images
//	slots/N/           the state of one running sandbox: BuildKit's cache, its registry, the engine
//
// A running sandbox owns one slot, the first that is free. Packages that
// `go test ./...` runs side by side therefore never wait for each other, and
// the second run of a package finds the cache of the first. Only building the
// tools and seeding the images are done once for all, under a file lock.
//
// Where Docker Hub can't be reached, stand-in images take the place of the
// most used base images; see seed.go.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/moby/buildkit/client"
)

// CacheEnv names the environment variable that says where the cache folder is
// when Options.Cache doesn't.
const CacheEnv = "IMGMGR_CACHE"

// Options says what to start. The zero value is a BuildKit and a registry that
// keep their state between runs.
type Options struct {
	// Cache is the folder for tools, seeded images and state. Empty means
	// $IMGMGR_CACHE and, without it, .cache in the checkout.
	Cache string
	// Engine starts the Docker Engine too, as StartEngine does.
	Engine bool
	// FreshState empties BuildKit's and the engine's state first. The
	// registry's is always fresh: it holds the stand-in images and nothing else.
	FreshState bool
	// StandIns uses stand-in images even where Docker Hub answers.
	StandIns bool
	// Log gets one line for each step that people may have to wait for.
	Log io.Writer
}

// Sandbox is a running set of daemons. Its fields are read-only. Its methods
// may be called at the same time, but StartEngine not while others run.
type Sandbox struct {
	// BuildKit is connected to the sandbox's buildkitd.
	BuildKit *client.Client
	// BuildKitAddr is buildkitd's address, "unix:///...".
	BuildKitAddr string
	// Registry is the registry's "127.0.0.1:PORT". It speaks plain http,
	// needs no login, and deletes what it is told to delete.
	Registry string
	// Engine is the Docker Engine's address, "unix:///...", or empty as long
	// as StartEngine was not called.
	Engine string
	// NewestEngine is the address of the newest Docker Engine, or empty as long as
	// StartNewestEngine was not called.
	NewestEngine string
	// DockerConfig is the folder that DOCKER_CONFIG names in Env. buildx is in
	// its cli-plugins folder already; another plugin can be linked beside it.
	DockerConfig string
	// Hub says that base images come from Docker Hub, not from stand-ins.
	Hub bool

	cache   string
	module  string // the checkout
	run     string // sockets, configuration and logs; removed by Close
	toolDir string
	slot    *slot
	log     func(format string, args ...any)
	cgroup  *cgroup
	bridge  string // of the newest engine; "" without one

	mu      sync.Mutex // guards daemons
	daemons []*daemon  // in the order of their start
}

// Start brings a sandbox up. The first start on a machine builds the tools and
// the stand-in images, which takes minutes; later ones take a second or two.
// The caller must Close it.
func Start(ctx context.Context, opts Options) (_ *Sandbox, err error) {
	sb := &Sandbox{log: logger(opts.Log)}
	defer func() {
		if err != nil {
			err = errors.Join(err, sb.Close())
		}
	}()
	if err := sb.prepare(ctx, opts); err != nil {
		return nil, err
	}
	ingredients := sb.lookForIngredients(ctx)
	if err := sb.startRegistry(ctx); err != nil {
		return nil, err
	}
	if err := sb.startBuildKit(ctx); err != nil {
		return nil, err
	}
	if err := sb.seed(ctx, ingredients); err != nil {
		return nil, err
	}
	if err := sb.setUpBuildx(ctx); err != nil {
		return nil, err
	}
	if opts.Engine {
		if err := sb.StartEngine(ctx); err != nil {
			return nil, err
		}
	}
	return sb, nil
}

// prepare does everything that comes before the first daemon: the cache
// folder, the tools, what the machine must have, and a slot.
func (sb *Sandbox) prepare(ctx context.Context, opts Options) (err error) {
	if sb.module, err = moduleRoot(); err != nil {
		return err
	}
	if sb.cache, err = cacheFolder(opts.Cache, sb.module); err != nil {
		return err
	}
	sb.Hub = !opts.StandIns && hubAnswers(ctx)
	if err := require(ctx, sb.needs(opts.Engine), sb.log); err != nil {
		return err
	}
	if sb.toolDir, err = buildTools(ctx, sb.cache, filepath.Join(sb.module, "integration", "tools"), sb.log); err != nil {
		return err
	}
	if sb.slot, err = takeSlot(sb.cache); err != nil {
		return err
	}
	if opts.FreshState {
		if err := sb.slot.empty("buildkit", "engine", "newest-engine"); err != nil {
			return err
		}
	}
	if err := sb.slot.empty("registry"); err != nil {
		return err
	}
	if sb.run, err = sb.slot.runFolder(); err != nil {
		return err
	}
	sb.cgroup = newCgroup(filepath.Base(sb.run))
	return nil
}

// Close stops the daemons, newest first, and removes what is not worth
// keeping. It is safe on a sandbox that is only half started.
func (sb *Sandbox) Close() error {
	var errs []error
	if sb.BuildKit != nil {
		errs = append(errs, sb.BuildKit.Close())
	}
	sb.mu.Lock()
	defer sb.mu.Unlock()
	for i := len(sb.daemons) - 1; i >= 0; i-- {
		errs = append(errs, sb.daemons[i].stop())
	}
	sb.daemons = nil
	errs = append(errs, sb.removeBridge())
	if sb.slot != nil {
		errs = append(errs, sb.slot.release())
	}
	return errors.Join(errs...)
}

// Tool returns the path of buildkitd, buildctl, buildx or registry.
func (sb *Sandbox) Tool(name string) string { return filepath.Join(sb.toolDir, name) }

// Image turns the name of a base image into a reference that any registry
// client can pull: "debian:bookworm-slim" becomes
// "127.0.0.1:PORT/library/debian:bookworm-slim" where stand-ins are in use.
// FROM lines need no such help.
func (sb *Sandbox) Image(name string) string {
	host, path, ok := strings.Cut(name, "/")
	if !ok || !strings.ContainsAny(host, ".:") {
		host, path = "docker.io", name
	}
	if host == "docker.io" && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	if sb.Hub {
		return host + "/" + path
	}
	return sb.Registry + "/" + path
}

// logger turns w into a printf of whole lines; nil discards them.
func logger(w io.Writer) func(string, ...any) {
	if w == nil {
		return func(string, ...any) {}
	}
	return func(format string, args ...any) {
		fmt.Fprintf(w, "sandbox: "+format+"\n", args...)
	}
}

// moduleRoot finds the checkout: the folder above the working directory whose
// go.mod declares imgmgr itself. integration has modules of its own below it.
func moduleRoot() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the checkout: %w", err)
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.Contains("\n"+string(mod), "\nmodule github.com/imgmgr/imgmgr\n") {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("finding the checkout: no go.mod of github.com/imgmgr/imgmgr at or above %s: run this inside the checkout", wd)
		}
	}
}
