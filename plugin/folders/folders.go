// Package folders says where imgmgr keeps what is the user's.
// Source: XDG Base Directory Specification 0.8.
package folders

import (
	"fmt"
	"os"
	"path/filepath"
)

// Cache is for what can be had again: $XDG_CACHE_HOME/imgmgr, or the system's own
// folder for caches. It need not be there.
func Cache() (string, error) {
	if dir, err := os.UserCacheDir(); err == nil {
		return filepath.Join(dir, "imgmgr"), nil
	}
	// A relative $XDG_CACHE_HOME is an error to Go, and nothing to the specification.
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	return filepath.Join(home, ".cache", "imgmgr"), nil
}

// Registries is where manifests and configurations are kept; "" where the user has
// no cache, so that they are read each time.
func Registries() string {
	dir, err := Cache()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "registry")
}

// State is for what must not be lost: $XDG_STATE_HOME/imgmgr. It need not be there.
func State() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "imgmgr"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the state folder: %w", err)
	}
	return filepath.Join(home, ".local", "state", "imgmgr"), nil
}
