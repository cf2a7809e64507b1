package prune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune/engine"
	"github.com/imgmgr/imgmgr/plugin/prune/registry"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// source says where images are.
type source struct {
	registry  string
	inventory string // a file
	inUse     []string
	workers   int
	insecure  bool
}

// gather reads the facts of the place that the command line names.
func (s *source) gather(ctx context.Context, streams ui.Streams, now time.Time) (*retention.Inventory, error) {
	inv, err := s.facts(ctx, streams, now)
	if err != nil {
		return nil, err
	}
	for _, path := range s.inUse {
		uses, err := usesIn(path)
		if err != nil {
			return nil, err
		}
		inv.InUse = append(inv.InUse, uses...)
	}
	return inv, nil
}

func (s *source) facts(ctx context.Context, streams ui.Streams, now time.Time) (*retention.Inventory, error) {
	switch {
	case s.inventory != "" && s.registry != "":
		return nil, errors.New("--inventory holds the facts already; leave out --registry")
	case s.inventory != "":
		return readInventory(s.inventory)
	case s.registry == "":
		return localFacts(ctx, now)
	}
	bar := ui.NewProgress(streams.Err, "reading tags")
	defer bar.End()
	place, err := registry.Open(s.registry, s.options())
	if err != nil {
		return nil, err
	}
	place.Progress = bar.Show
	inv, err := place.Inventory(ctx, now)
	if err != nil {
		return nil, err
	}
	return inv, firstSeen(inv)
}

func (s *source) options() registry.Options {
	o := registry.Options{Insecure: s.insecure, Workers: s.workers}
	if dir, err := os.UserCacheDir(); err == nil {
		o.Cache = filepath.Join(dir, "imgmgr", "registry")
	}
	return o
}

// store opens the place that a plan names, to change it.
func (s *source) store(place string) (Store, error) {
	if place == engine.Place {
		cli, err := dockerCLI()
		if err != nil {
			return nil, err
		}
		return engine.New(cli.Client()), nil
	}
	host, ok := strings.CutPrefix(place, "registry://")
	if !ok {
		return nil, fmt.Errorf("the plan is for %q, which imgmgr can't change", place)
	}
	return registry.Open(host, registry.Options{Insecure: s.insecure, Workers: s.workers})
}

func readInventory(path string) (*retention.Inventory, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the inventory: %w", err)
	}
	inv := &retention.Inventory{}
	if err := json.Unmarshal(text, inv); err != nil {
		return nil, fmt.Errorf("read the inventory %s: %w", path, err)
	}
	if inv.Version != retention.InventoryVersion || inv.Taken.IsZero() {
		return nil, fmt.Errorf("read the inventory %s: want version %d and the time it was taken, as prune --save-inventory writes them", path, retention.InventoryVersion)
	}
	return inv, nil
}

func writeInventory(path string, inv *retention.Inventory) error {
	text, err := json.Marshal(inv)
	if err == nil {
		err = os.WriteFile(path, append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("save the inventory: %w", err)
	}
	return nil
}
