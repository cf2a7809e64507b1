//go:build linux

package sandbox

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// StartEngine starts a Docker Engine of the sandbox's own, unless it runs
// already. It pulls through the sandbox's registry where Docker Hub can't be
// reached.
//
// The engine makes no bridge and no firewall rules, which would be the host's:
// builds and containers that need a network ask for `--network host`.
func (sb *Sandbox) StartEngine(ctx context.Context) error {
	if sb.Engine != "" {
		return nil
	}
	if err := require(ctx, sb.needs(true), sb.log); err != nil {
		return err
	}
	dockerd, err := findProgram("dockerd")
	if err != nil {
		return fmt.Errorf("starting the Docker Engine: %w", err)
	}
	// A file of our own: the host's must not be read.
	config := filepath.Join(sb.run, "daemon.json")
	if err := os.WriteFile(config, []byte("{}\n"), 0o644); err != nil {
		return fmt.Errorf("configuring the Docker Engine: %w", err)
	}
	socket := filepath.Join(sb.run, "docker.sock")
	args := []string{dockerd,
		"--host", "unix://" + socket,
		"--data-root", sb.slot.path("engine"),
		"--exec-root", filepath.Join(sb.run, "docker"),
		"--pidfile", filepath.Join(sb.run, "docker.pid"),
		"--config-file", config,
		"--bridge", "none", "--iptables=false", "--ip6tables=false",
		"--insecure-registry", sb.Registry,
	}
	if !sb.Hub {
		args = append(args, "--registry-mirror", "http://"+sb.Registry)
	}
	if sb.cgroup.dir != "" {
		args = append(args, "--cgroup-parent", sb.cgroup.parent())
	}
	d, err := sb.startDaemon("dockerd", nil, args...)
	if err != nil {
		return err
	}
	err = d.ready(ctx, time.Minute, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		if err != nil {
			return err
		}
		conn.Close()
		cmd := exec.CommandContext(ctx, "docker", "--host", "unix://"+socket, "version", "--format", "{{.Server.Version}}")
		cmd.Env = sb.Env()
		_, err = output(cmd)
		return err
	})
	if err != nil {
		return err
	}
	sb.Engine = "unix://" + socket
	return nil
}

// Docker runs the docker CLI in dir against the sandbox's Docker Engine and
// returns its standard output; the error has its standard error. Builds that
// name no builder go to the Engine.
func (sb *Sandbox) Docker(ctx context.Context, dir string, args ...string) (string, error) {
	if sb.Engine == "" {
		return "", fmt.Errorf("docker %s: the Docker Engine is not running: call StartEngine first", strings.Join(args, " "))
	}
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Dir = dir
	cmd.Env = append(sb.Env(), "BUILDX_BUILDER=default")
	return output(cmd)
}
