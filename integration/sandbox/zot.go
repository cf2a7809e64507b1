//go:build linux

package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// NewZot starts zot, which has the referrers API and no part of distribution's code,
// as NewRegistry starts distribution. It is built from source, on the first call.
func (sb *Sandbox) NewZot(ctx context.Context, dir string) (string, error) {
	tools, err := buildTools(ctx, sb.cache, filepath.Join(sb.module, "integration", "tools", "zot"), sb.log)
	if err != nil {
		return "", err
	}
	port, err := freePort("0")
	if err != nil {
		return "", fmt.Errorf("starting zot: %w", err)
	}
	name := "zot-" + port
	config := filepath.Join(sb.run, name+".json")
	text, err := json.Marshal(map[string]any{
		"distSpecVersion": "1.1.0-dev",
		"storage":         map[string]any{"rootDirectory": dir},
		"http":            map[string]any{"address": "127.0.0.1", "port": port},
		"log":             map[string]any{"level": "warn"},
	})
	if err != nil {
		return "", fmt.Errorf("configuring zot: %w", err)
	}
	if err := os.WriteFile(config, text, 0o644); err != nil {
		return "", fmt.Errorf("configuring zot: %w", err)
	}
	addr := "127.0.0.1:" + port
	d, err := sb.startDaemon(name, nil, filepath.Join(tools, "zot"), "serve", config)
	if err != nil {
		return "", err
	}
	return addr, d.answers(ctx, addr)
}
