package prune

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/cli/cli/command"
	cliflags "github.com/docker/cli/cli/flags"
	"github.com/moby/moby/client"

	"github.com/imgmgr/imgmgr/plugin/prune/engine"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// patience is how long an engine of another context may take to answer at all.
const patience = 15 * time.Second

// everyContext prunes the engines of all contexts of the Docker CLI, one after the
// other. One that can't be reached is said, and is no failure of the others.
func (f *flags) everyContext(ctx context.Context, policy *retention.Policy) error {
	if f.plan != "" || f.saveInventory != "" || f.format != "text" {
		return errors.New("--all-contexts makes a plan for each context: run it without --plan, --save-inventory and --format, or name one context with DOCKER_CONTEXT")
	}
	if f.registry+f.layout+f.builder+f.namespace+f.inventory != "" {
		return errors.New("--all-contexts is about Docker Engines: name no other place")
	}
	cli, err := dockerCLI()
	if err != nil {
		return err
	}
	contexts, err := cli.ContextStore().List()
	if err != nil {
		return fmt.Errorf("list the contexts of the Docker CLI: %w", err)
	}
	streams, code := f.streams(), 0
	for _, c := range contexts {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintf(streams.Out, "context %s\n", ui.Plain(c.Name))
		f.context = c.Name
		planning := &planning{policy: policy}
		if err := f.gather(ctx, streams, f.now(), planning); err != nil {
			fmt.Fprintf(streams.Err, "unknown, for it can't be read: %s\n", ui.Plain(err.Error()))
			code = max(code, ui.Findings)
			continue
		}
		err := f.act(ctx, streams, planning.plan)
		exit, coded := errors.AsType[*ui.Exit](err)
		switch {
		case coded:
			code = max(code, exit.Code)
		case err != nil:
			fmt.Fprintf(streams.Err, "context %s: %s\n", ui.Plain(c.Name), ui.Plain(err.Error()))
			code = ui.Failure
		}
	}
	if code != 0 {
		return &ui.Exit{Code: code}
	}
	return nil
}

// openEngine opens the engine that docker talks to, or that of a context.
func openEngine(ctx context.Context, name string) (*engine.Engine, error) {
	cli, err := dockerCLI()
	if err != nil {
		return nil, err
	}
	if name == "" {
		return engine.New(cli.Client()), nil
	}
	opts := cliflags.NewClientOptions()
	opts.Context = name
	api, err := command.NewAPIClientFromFlags(opts, cli.ConfigFile())
	if err != nil {
		return nil, fmt.Errorf("context %s: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := api.Ping(ctx, client.PingOptions{}); err != nil {
		return nil, fmt.Errorf("context %s: %w", name, errors.Join(err, api.Close()))
	}
	return engine.New(api), nil
}
