//go:build linux

package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// builder is the name of the buildx builder that is the sandbox's buildkitd.
const builder = "sandbox"

// setUpBuildx makes a DOCKER_CONFIG with buildx as a plugin and the sandbox's
// BuildKit as a builder.
func (sb *Sandbox) setUpBuildx(ctx context.Context) error {
	sb.DockerConfig = filepath.Join(sb.run, "docker-config")
	plugins := filepath.Join(sb.DockerConfig, "cli-plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return fmt.Errorf("setting up buildx: %w", err)
	}
	if err := os.Symlink(sb.Tool("buildx"), filepath.Join(plugins, "docker-buildx")); err != nil {
		return fmt.Errorf("setting up buildx: %w", err)
	}
	_, err := sb.Buildx(ctx, "", "create", "--name", builder, "--driver", "remote", sb.BuildKitAddr)
	return err
}

// Env is the environment for a program that is to use the sandbox and nothing
// else: DOCKER_CONFIG, DOCKER_HOST, BUILDKIT_HOST and BUILDX_BUILDER are the
// sandbox's.
func (sb *Sandbox) Env() []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "DOCKER_") || strings.HasPrefix(kv, "BUILDX_") || strings.HasPrefix(kv, "BUILDKIT_")
	})
	engine := sb.Engine
	if engine == "" {
		engine = "unix://" + filepath.Join(sb.run, "docker.sock") // nobody listens: never the host's own
	}
	return append(env,
		"DOCKER_CONFIG="+sb.DockerConfig,
		"DOCKER_HOST="+engine,
		"BUILDKIT_HOST="+sb.BuildKitAddr,
		"BUILDX_BUILDER="+builder,
	)
}

// Buildx runs buildx in dir with the sandbox's BuildKit as its builder and
// returns its standard output; the error has its standard error. It needs no
// docker CLI.
func (sb *Sandbox) Buildx(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, sb.Tool("buildx"), args...)
	cmd.Dir = dir
	cmd.Env = sb.Env()
	return output(cmd)
}
