package engine

import (
	"context"
	"fmt"
	"io"

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
