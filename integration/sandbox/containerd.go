//go:build linux

package sandbox

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// StartContainerd starts a containerd of the sandbox's own, unless it runs
// already, and returns the path of its socket. It ends with the sandbox. It runs
// no containers.
func (sb *Sandbox) StartContainerd(ctx context.Context) (string, error) {
	socket := filepath.Join(sb.run, "containerd.sock")
	if _, err := os.Stat(socket); err == nil {
		return socket, nil
	}
	if err := require(ctx, []program{{"containerd", "containerd"}}, sb.log); err != nil {
		return "", err
	}
	containerd, err := findProgram("containerd")
	if err != nil {
		return "", fmt.Errorf("starting containerd: %w", err)
	}
	config := filepath.Join(sb.run, "containerd.toml")
	// A file of our own: the host's must not be read.
	toml := "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n"
	if err := os.WriteFile(config, []byte(toml), 0o644); err != nil {
		return "", fmt.Errorf("configuring containerd: %w", err)
	}
	d, err := sb.startDaemon("containerd", nil, containerd, "--config", config, "--address", socket, "--root", filepath.Join(sb.run, "containerd-root"), "--state", filepath.Join(sb.run, "containerd"))
	if err != nil {
		return "", err
	}
	return socket, d.ready(ctx, time.Minute, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}
