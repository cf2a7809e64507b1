package engine

import (
	"context"
	"fmt"

	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/flags"
	"github.com/moby/moby/client"
)

// Connect makes a client of the Docker Engine that the docker command would
// talk to: DOCKER_HOST, DOCKER_CONTEXT, or the current context. It doesn't talk
// to the engine yet.
func Connect(ctx context.Context) (client.APIClient, error) {
	cli, err := command.NewDockerCli(command.WithBaseContext(ctx))
	if err == nil {
		err = cli.Initialize(flags.NewClientOptions())
	}
	if err != nil {
		return nil, fmt.Errorf("find the Docker Engine: %w", err)
	}
	return cli.Client(), nil
}
