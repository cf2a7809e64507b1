// Package connect is how all registry verbs get to a registry: the same flags,
// the same cache, the same line of progress.
package connect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/imgmgr/imgmgr/plugin/distribution"
	"github.com/imgmgr/imgmgr/plugin/folders"
	"github.com/imgmgr/imgmgr/plugin/prune/registry"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// Flags are what the user says of the connection.
type Flags struct {
	Insecure bool
	Jobs     int
}

// Register adds the flags to a command.
func (f *Flags) Register(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.Jobs, "jobs", 16, "Requests at one time")
	cmd.Flags().BoolVar(&f.Insecure, "insecure", false, "Allow plain HTTP and certificates that can't be verified")
}

// Options are those of a connection. Manifests and configurations are kept in the
// user's cache; where there is none, they are read each time.
func (f *Flags) Options() (distribution.Options, error) {
	if f.Jobs < 1 {
		return distribution.Options{}, fmt.Errorf("--jobs %d: use 1 or more", f.Jobs)
	}
	return distribution.Options{Insecure: f.Insecure, Workers: f.Jobs, Cache: folders.Registries()}, nil
}

// Open names the registry of a place, "HOST" or "HOST/PREFIX".
func (f *Flags) Open(place string) (reg *distribution.Registry, prefix string, err error) {
	opts, err := f.Options()
	if err != nil {
		return nil, "", err
	}
	host, prefix, err := distribution.SplitPlace(place)
	if err != nil {
		return nil, "", err
	}
	reg, err = distribution.Open(host, opts)
	return reg, prefix, err
}

// Facts reads the facts of a place, telling of it on a terminal. Given
// repositories, named without the host, are all that is read.
func (f *Flags) Facts(ctx context.Context, streams ui.Streams, place string, now time.Time, repositories ...string) (*retention.Inventory, error) {
	opts, err := f.Options()
	if err != nil {
		return nil, err
	}
	reg, err := registry.Open(place, opts)
	if err != nil {
		return nil, err
	}
	bar := ui.NewProgress(streams.Err, "reading tags")
	defer bar.End()
	reg.Progress = bar.Show
	if len(repositories) > 0 {
		return reg.InventoryOf(ctx, now, repositories, true)
	}
	return reg.Inventory(ctx, now)
}

// OneArg is the check of a command that takes one argument.
func OneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("want one argument, %s; see '%s --help'", what, cmd.CommandPath())
		}
		return nil
	}
}

// Whole is an error where a repository could not be read, and lists why.
func Whole(inv *retention.Inventory) error {
	var failed []error
	for _, r := range inv.Repositories {
		if r.Incomplete != "" {
			failed = append(failed, fmt.Errorf("%s could not be read to its end: %s", r.Name, r.Incomplete))
		}
	}
	return errors.Join(failed...)
}
