//go:build linux

package sandbox

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
)

// mirrored are the registries whose images the sandbox's own registry stands
// in for where Docker Hub can't be reached.
func mirrored() []string {
	return []string{"docker.io", "gcr.io", "ghcr.io", "quay.io", "mcr.microsoft.com", "public.ecr.aws"}
}

// startBuildKit starts buildkitd on the slot's state and connects to it.
func (sb *Sandbox) startBuildKit(ctx context.Context) error {
	sb.BuildKitAddr = "unix://" + filepath.Join(sb.run, "buildkitd.sock")
	config := filepath.Join(sb.run, "buildkitd.toml")
	text, err := sb.buildKitConfig()
	if err != nil {
		return err
	}
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return fmt.Errorf("configuring buildkitd: %w", err)
	}
	d, err := sb.startDaemon("buildkitd", nil, sb.Tool("buildkitd"), "--config", config)
	if err != nil {
		return err
	}
	// A gRPC client that finds no socket waits a second before it tries again.
	err = d.ready(ctx, time.Minute, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", strings.TrimPrefix(sb.BuildKitAddr, "unix://"))
		if err != nil {
			return err
		}
		return conn.Close()
	})
	if err != nil {
		return err
	}
	if sb.BuildKit, err = client.New(ctx, sb.BuildKitAddr); err != nil {
		return fmt.Errorf("connecting to buildkitd: %w", err)
	}
	if _, err := sb.BuildKit.ListWorkers(ctx); err != nil {
		return fmt.Errorf("connecting to buildkitd: %w; the end of its log:\n%s", err, d.tail())
	}
	// Slots last, so somebody has to say how big they may get.
	keep := client.WithKeepOpt(0, maxState, maxState, 0)
	if err := sb.BuildKit.Prune(ctx, nil, keep); err != nil {
		return fmt.Errorf("pruning the cache of earlier runs: %w", err)
	}
	return nil
}

// maxState is how much BuildKit state, in bytes, a slot keeps between runs.
const maxState = 10 << 30

// buildKitConfig is buildkitd's configuration: the host's network for RUN, no
// garbage collection, which would make the second of two builds slow at
// random, and mirrors only where stand-ins are needed.
func (sb *Sandbox) buildKitConfig() (string, error) {
	runc, err := findProgram("runc")
	if err != nil {
		return "", fmt.Errorf("configuring buildkitd: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "root = %q\n", sb.slot.path("buildkit"))
	fmt.Fprintf(&b, "insecure-entitlements = [\"network.host\", \"security.insecure\"]\n")
	fmt.Fprintf(&b, "[grpc]\naddress = [%q]\n", sb.BuildKitAddr)
	fmt.Fprintf(&b, "[otel]\nsocketPath = %q\n", filepath.Join(sb.run, "otel.sock"))
	fmt.Fprintf(&b, "[cdi]\ndisabled = true\n")
	fmt.Fprintf(&b, "[worker.containerd]\nenabled = false\n")
	fmt.Fprintf(&b, "[worker.oci]\nenabled = true\ngc = false\nbinary = %q\nnetworkMode = \"host\"\n", runc)
	if sb.cgroup.dir != "" {
		fmt.Fprintf(&b, "defaultCgroupParent = %q\n", sb.cgroup.parent())
	}
	if !sb.Hub {
		for _, host := range mirrored() {
			fmt.Fprintf(&b, "[registry.%q]\nmirrors = [%q]\n", host, sb.Registry)
		}
	}
	fmt.Fprintf(&b, "[registry.%q]\nhttp = true\n", sb.Registry)
	return b.String(), nil
}
