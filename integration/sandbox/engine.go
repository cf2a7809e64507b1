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
// already: the machine's, which is Debian's 20.10 or newer. It pulls through the
// sandbox's registry where Docker Hub can't be reached.
//
// The engine has no bridge and makes no firewall rules, which would be the host's:
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
	sb.Engine, err = sb.runEngine(ctx, "engine", nil, "none", dockerd)
	return err
}

// StartNewestEngine starts the newest Docker Engine beside the other one, unless
// it runs already. It is built from source, with its containerd, and has images in
// containerd's store, which 20.10 doesn't know. It has a bridge that leads nowhere,
// for the scanners of its SBOMs.
func (sb *Sandbox) StartNewestEngine(ctx context.Context) error {
	if sb.NewestEngine != "" {
		return nil
	}
	if err := require(ctx, sb.needs(true), sb.log); err != nil { // docker, and runc
		return err
	}
	dir, err := buildTools(ctx, sb.cache, filepath.Join(sb.module, "integration", "tools", "engine"), sb.log)
	if err != nil {
		return err
	}
	bridge, err := sb.addBridge(ctx)
	if err != nil {
		return err
	}
	// dockerd starts the containerd that it finds first.
	path := "PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH")
	sb.NewestEngine, err = sb.runEngine(ctx, "newest-engine", []string{path}, bridge, filepath.Join(dir, "dockerd"))
	return err
}

// runEngine starts a dockerd, with its state in the slot under the name, and
// returns its address.
func (sb *Sandbox) runEngine(ctx context.Context, name string, env []string, bridge, dockerd string) (string, error) {
	run := filepath.Join(sb.run, name)
	if err := os.MkdirAll(run, 0o755); err != nil {
		return "", fmt.Errorf("starting the %s: %w", name, err)
	}
	// A file of our own: the host's must not be read.
	config := filepath.Join(run, "daemon.json")
	if err := os.WriteFile(config, []byte("{}\n"), 0o644); err != nil {
		return "", fmt.Errorf("configuring the %s: %w", name, err)
	}
	socket := filepath.Join(run, "docker.sock")
	args := []string{dockerd,
		"--host", "unix://" + socket,
		"--data-root", sb.slot.path(name),
		"--exec-root", filepath.Join(run, "exec"),
		"--pidfile", filepath.Join(run, "docker.pid"),
		"--config-file", config,
		"--bridge", bridge, "--iptables=false", "--ip6tables=false", "--ip-forward=false",
		"--insecure-registry", sb.Registry,
	}
	if !sb.Hub {
		args = append(args, "--registry-mirror", "http://"+sb.Registry)
	}
	if sb.cgroup.dir != "" {
		args = append(args, "--cgroup-parent", sb.cgroup.parent())
	}
	d, err := sb.startDaemon(name, env, args...)
	if err != nil {
		return "", err
	}
	host := "unix://" + socket
	err = d.ready(ctx, time.Minute, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		if err != nil {
			return err
		}
		conn.Close()
		_, err = sb.DockerAt(ctx, host, "", "version", "--format", "{{.Server.Version}}")
		return err
	})
	if err != nil {
		return "", err
	}
	return host, nil
}

// Docker runs the docker CLI in dir against the sandbox's Docker Engine and
// returns its standard output; the error has its standard error. Builds that
// name no builder go to the Engine.
func (sb *Sandbox) Docker(ctx context.Context, dir string, args ...string) (string, error) {
	if sb.Engine == "" {
		return "", fmt.Errorf("docker %s: the Docker Engine is not running: call StartEngine first", strings.Join(args, " "))
	}
	return sb.DockerAt(ctx, sb.Engine, dir, args...)
}

// DockerAt is Docker against the engine at an address.
func (sb *Sandbox) DockerAt(ctx context.Context, host, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Dir = dir
	cmd.Env = append(sb.Env(), "BUILDX_BUILDER=default", "DOCKER_HOST="+host)
	return output(cmd)
}
