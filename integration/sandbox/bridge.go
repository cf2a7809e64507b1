//go:build linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// addBridge makes the network that an engine puts the containers of a build in
// which ask for none: SBOM scanners, to which BuildKit gives no other. Nothing
// leads out of it. It has the slot's name, so that one which a killed process has
// left is taken over, and its addresses are those of RFC 2544, which no network in
// use has.
func (sb *Sandbox) addBridge(ctx context.Context) (string, error) {
	name := "imgmgr" + strconv.Itoa(sb.slot.n)
	_ = ip(ctx, "link", "delete", name)
	err := errors.Join(
		ip(ctx, "link", "add", name, "type", "bridge"),
		ip(ctx, "address", "add", fmt.Sprintf("198.18.%d.1/24", sb.slot.n), "dev", name),
		ip(ctx, "link", "set", name, "up"))
	if err != nil {
		return "", fmt.Errorf("make a bridge for the engine: %w", err)
	}
	sb.bridge = name
	return name, nil
}

func (sb *Sandbox) removeBridge() error {
	if sb.bridge == "" {
		return nil
	}
	return ip(context.Background(), "link", "delete", sb.bridge)
}

func ip(ctx context.Context, args ...string) error {
	if text, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(text)))
	}
	return nil
}
