package engine

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/flags"
	"github.com/moby/moby/client"
	"github.com/spf13/pflag"
)

// Connect makes a client of the Docker Engine that the docker command would talk
// to: by the global flags that args begin with (--host, --context), by
// DOCKER_HOST or DOCKER_CONTEXT, or the current context. The Docker CLI puts
// its global flags in front of a plugin's arguments. Nothing is sent to the
// engine yet.
func Connect(ctx context.Context, args []string) (client.APIClient, error) {
	options, global := flags.NewClientOptions(), pflag.NewFlagSet("docker", pflag.ContinueOnError)
	options.InstallFlags(global)
	global.SetInterspersed(false) // what comes behind is the plugin's
	global.SetOutput(io.Discard)
	_ = global.Parse(args) // flags of another kind end the global ones
	options.SetDefaultOptions(global)
	cli, err := command.NewDockerCli(command.WithBaseContext(ctx))
	if err == nil {
		err = cli.Initialize(options)
	}
	if err != nil {
		return nil, fmt.Errorf("find the Docker Engine: %w", err)
	}
	return cli.Client(), nil
}

// ConnectHere is Connect for an engine on this machine. The error wraps
// fs.ErrNotExist where the docker command would talk to another machine's, or
// where none listens.
func ConnectHere(ctx context.Context, args []string) (client.APIClient, error) {
	api, err := Connect(ctx, args)
	if err != nil {
		return nil, err
	}
	kind, place, _ := strings.Cut(api.DaemonHost(), "://")
	if kind == "npipe" {
		return api, nil
	}
	if kind != "unix" {
		return nil, fmt.Errorf("the Docker Engine at %s is not on this machine: %w", api.DaemonHost(), fs.ErrNotExist)
	}
	if _, err := os.Stat(place); err != nil {
		return nil, fmt.Errorf("find the Docker Engine: %w", err)
	}
	return api, nil
}
