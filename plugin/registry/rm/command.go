package rm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/registry/connect"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

const long = `Remove images from registries.

A tag is taken away by itself if other tags have the same image; else the image
goes, with its platforms, signatures and SBOMs, but for what another image needs.
A digest goes only when all its tags do: name them, or add --all-tags.

The plan is shown, and after a question it is carried out. Each manifest is written
to a journal before it is deleted: "prune undo" gives it back, until the registry
has collected its garbage.

The exit code is 0 if all was removed, 1 if something was left, and 2 for failures.`

const examples = `  docker imgmgr registry rm registry.example.com/team/app:feature-1
  docker imgmgr registry rm --all-tags --dry-run registry.example.com/team/app@sha256:…
  docker imgmgr registry ls -q --filter tag='tmp-*' registry.example.com | xargs docker imgmgr registry rm --force`

type flags struct {
	connect.Flags
	prune.CarryOut
	allTags bool
}

// Command is the registry rm subcommand.
func Command(streams func() ui.Streams) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use: "rm [OPTIONS] IMAGE...", Short: "Remove tags and images", Long: long, Example: examples,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("name an image, as registry.example.com/team/app:1.2; see '%s --help'", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), streams(), args) },
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&f.allTags, "all-tags", false, "Remove digests with all their tags")
	f.CarryOut.Register(cmd)
	f.Flags.Register(cmd)
	return cmd
}

// run plans and acts, one registry after the other.
func (f *flags) run(ctx context.Context, streams ui.Streams, args []string) error {
	var hosts []string
	byHost := map[string][]connect.Ref{}
	for _, arg := range args {
		ref, err := connect.ParseRef(arg)
		if err != nil {
			return err
		}
		if byHost[ref.Host] == nil {
			hosts = append(hosts, ref.Host)
		}
		byHost[ref.Host] = append(byHost[ref.Host], ref)
	}
	if f.SavePlan != "" && len(hosts) > 1 {
		return errors.New("--plan saves the plan of one registry; name images of one")
	}
	f.CarryOut.Insecure, f.CarryOut.Jobs = f.Flags.Insecure, f.Flags.Jobs
	var failed []error
	for _, host := range hosts {
		failed = append(failed, f.registry(ctx, streams, host, byHost[host]))
	}
	return worst(failed)
}

func (f *flags) registry(ctx context.Context, streams ui.Streams, host string, refs []connect.Ref) error {
	var repositories []string
	for _, ref := range refs {
		repositories = append(repositories, ref.Repository)
	}
	slices.Sort(repositories)
	inv, err := f.Facts(ctx, streams, host, time.Now(), slices.Compact(repositories)...)
	if err != nil {
		return err
	}
	plan, refused := Make(inv, refs, f.allTags)
	for _, r := range refused {
		fmt.Fprintf(streams.Err, "left alone: %s: %s\n", r.Ref, ui.Plain(r.Reason))
	}
	if len(plan.Remove) > 0 {
		err = f.CarryOut.Do(ctx, streams, plan)
	}
	if err == nil && len(refused) > 0 {
		err = &ui.Exit{Code: ui.Findings}
	}
	return err
}

// worst is the error with the highest exit code.
func worst(failed []error) error {
	var out error
	for _, err := range failed {
		if exit, ok := errors.AsType[*ui.Exit](err); ok && exit.Err == nil && exit.Code == ui.Findings {
			if out == nil {
				out = err
			}
		} else if err != nil {
			return err
		}
	}
	return out
}
