//go:build linux

package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// NewOldRegistry starts Debian's docker-registry, which is distribution 2.8 and
// behaves otherwise in many ways, as NewRegistry starts the newest one.
func (sb *Sandbox) NewOldRegistry(ctx context.Context, dir string) (string, error) {
	program, err := sb.oldRegistry(ctx)
	if err != nil {
		return "", err
	}
	port, err := freePort("0")
	if err != nil {
		return "", fmt.Errorf("starting an old registry: %w", err)
	}
	addr := "127.0.0.1:" + port
	return addr, sb.runRegistry(ctx, program, "old-registry-"+port, addr, dir)
}

// CollectGarbage runs a registry's garbage collection over its folder, which
// NewRegistry or NewOldRegistry was given. Untagged manifests stay.
func (sb *Sandbox) CollectGarbage(ctx context.Context, old bool, dir string) error {
	program := sb.Tool("registry")
	if old {
		var err error
		if program, err = sb.oldRegistry(ctx); err != nil {
			return err
		}
	}
	config, err := os.CreateTemp(sb.run, "gc-*.yaml")
	if err != nil {
		return fmt.Errorf("collecting garbage: %w", err)
	}
	defer config.Close()
	fmt.Fprintf(config, "version: 0.1\nstorage: {filesystem: {rootdirectory: %q}, delete: {enabled: true}}\n", dir)
	_, err = output(exec.CommandContext(ctx, program, "garbage-collect", config.Name()))
	return err
}

// oldRegistry unpacks the program from its package. Installing that would start a
// service of the host.
func (sb *Sandbox) oldRegistry(ctx context.Context) (string, error) {
	dir := filepath.Join(sb.cache, "tools", "docker-registry")
	program := filepath.Join(dir, "usr", "bin", "docker-registry")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	unlock, err := lock(ctx, filepath.Join(sb.cache, "tools", "lock"), sb.log)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	deb, err := os.MkdirTemp(sb.run, "deb-")
	if err != nil {
		return "", fmt.Errorf("unpacking docker-registry: %w", err)
	}
	fetch := exec.CommandContext(ctx, "sh", "-ec", `apt-get download docker-registry || { apt-get update; apt-get download docker-registry; }
dpkg-deb -x docker-registry_*.deb "$1.partial" && mv -T "$1.partial" "$1"`, "sh", dir)
	fetch.Dir = deb
	if out, err := fetch.CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpacking docker-registry: %w\n%s", err, out)
	}
	return program, nil
}
