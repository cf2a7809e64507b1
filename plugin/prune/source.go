package prune

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/imgmgr/imgmgr/plugin/folders"
	"github.com/imgmgr/imgmgr/plugin/prune/buildkit"
	"github.com/imgmgr/imgmgr/plugin/prune/containerd"
	"github.com/imgmgr/imgmgr/plugin/prune/engine"
	"github.com/imgmgr/imgmgr/plugin/prune/layout"
	"github.com/imgmgr/imgmgr/plugin/prune/registry"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// source says where images are.
type source struct {
	context   string // of the Docker CLI, whose engine it is; "" is the current one
	registry  string
	layout    string // a folder
	builder   string // of buildx, or a BuildKit's address
	namespace string // of containerd, perhaps with a socket
	inventory string // a file
	inUse     []string
	workers   int
	insecure  bool
}

// A plan takes less time than room, so garbage is collected earlier than is usual.
const (
	// placeGarbage is the garbage that may be in memory, in percent of the rest, while a
	// place is asked, which is what takes the time.
	placeGarbage = 25
	// fileMemory is the memory, in bytes, above which the collector doesn't wait for
	// garbage at all: a plan of a million tags of a file has to fit into a gibibyte.
	fileMemory = 850 << 20
)

// gather reads the facts of the place that the command line names, once, for all that
// take them.
func (s *source) gather(ctx context.Context, streams ui.Streams, now time.Time, takers ...taker) error {
	name, err := s.place()
	if err != nil {
		return err
	}
	var uses []retention.Use
	for _, path := range s.inUse {
		found, err := usesIn(path)
		if err != nil {
			return err
		}
		uses = append(uses, found...)
	}
	to := func(head *retention.Inventory) (func(*retention.Repository), error) {
		head.InUse = append(head.InUse, uses...)
		if strings.HasPrefix(name, engine.Place) {
			head.Place = name // an engine doesn't know of contexts
		}
		return begin(head, takers)
	}
	if s.inventory != "" {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(fileMemory))
		err = readInventory(s.inventory, to)
	} else {
		defer debug.SetGCPercent(debug.SetGCPercent(placeGarbage))
		if strings.HasPrefix(name, registry.Scheme) {
			takers = slices.Concat([]taker{&ledger{}}, takers)
		}
		err = s.read(ctx, streams, name, now, to)
	}
	if ctx.Err() != nil {
		return errors.New("interrupted while reading; nothing was changed")
	}
	if err != nil {
		return err
	}
	return end(takers)
}

// read reads the facts of a place.
func (s *source) read(ctx context.Context, streams ui.Streams, name string, now time.Time, to func(*retention.Inventory) (func(*retention.Repository), error)) error {
	bar := ui.NewProgress(streams.Err, "reading tags")
	defer bar.End()
	from, err := s.open(ctx, name, bar.Show)
	if err != nil {
		return err
	}
	if large, ok := from.(*registry.Registry); ok {
		return readRegistry(ctx, large, now, to)
	}
	inv, err := from.Inventory(ctx, now)
	if err != nil {
		return err
	}
	add, err := to(inv)
	if err != nil {
		return err
	}
	for i := range inv.Repositories {
		add(&inv.Repositories[i])
	}
	return nil
}

// readRegistry reads a registry, or a part of it that has something: whoever misspells a
// repository shall not take that for a clean one.
func readRegistry(ctx context.Context, from *registry.Registry, now time.Time, to func(*retention.Inventory) (func(*retention.Repository), error)) error {
	partial, found := false, false
	err := from.Read(ctx, now, func(head *retention.Inventory) (func(*retention.Repository), error) {
		add, err := to(head)
		partial = head.Partial
		return func(r *retention.Repository) {
			found = found || len(r.Tags)+len(r.Manifests) > 0 || r.Incomplete != ""
			add(r)
		}, err
	})
	if err == nil && partial && !found {
		return fmt.Errorf("%s has no images: there is no such repository, it is empty, or it is hidden from these credentials", placeName(from.Place()))
	}
	return err
}

// place is the one place that the command line names, as plans write it.
func (s *source) place() (string, error) {
	folder, err := filepath.Abs(s.layout)
	if err != nil {
		return "", fmt.Errorf("find the layout %s: %w", s.layout, err)
	}
	if s.layout == "" {
		folder = ""
	}
	namespace := s.namespace
	if address := os.Getenv("CONTAINERD_ADDRESS"); namespace != "" && address != "" && !strings.Contains(namespace, "@") {
		namespace += "@" + address // as ctr does
	}
	var named []string
	for _, p := range []struct{ scheme, value string }{
		{"inventory:", s.inventory}, {registry.Scheme, s.registry}, {buildkit.Scheme, s.builder}, {layout.Scheme, folder}, {containerd.Scheme, namespace},
	} {
		if p.value != "" {
			named = append(named, p.scheme+p.value)
		}
	}
	switch len(named) {
	case 0:
		return engine.Place + s.context, nil
	case 1:
		return named[0], nil
	}
	return "", fmt.Errorf("%s: name one place", strings.Join(named, " and "))
}

// place is where images are, to read and to change.
type place interface {
	Reader
	Store
}

// open opens a place as plans name it.
func (s *source) open(ctx context.Context, name string, progress func(int, int)) (place, error) {
	if host, ok := strings.CutPrefix(name, registry.Scheme); ok {
		r, err := registry.Open(host, registry.Options{Insecure: s.insecure, Workers: s.workers, Cache: folders.Registries()})
		if err == nil {
			r.Progress = progress
		}
		return r, err
	}
	if builder, ok := strings.CutPrefix(name, buildkit.Scheme); ok {
		return openBuilder(ctx, builder)
	}
	if dir, ok := strings.CutPrefix(name, layout.Scheme); ok {
		return layout.Open(dir)
	}
	if namespace, ok := strings.CutPrefix(name, containerd.Scheme); ok {
		return containerd.Open(namespace)
	}
	if context, ok := strings.CutPrefix(name, engine.Place); ok {
		return openEngine(ctx, context)
	}
	return nil, fmt.Errorf("the plan is for %q, which imgmgr can't change", name)
}
