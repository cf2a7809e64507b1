//go:build linux

package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// buildTools builds what the tool lines of a go.mod name, which is in the folder
// src, and returns the folder with the binaries. The folder's name says what they
// were made of, so a change of go.mod builds anew and nothing ever goes stale.
func buildTools(ctx context.Context, cache, src string, log func(string, ...any)) (string, error) {
	key, err := toolsKey(src)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "tools", key)
	if isDir(dir) {
		return dir, nil
	}
	unlock, err := lock(ctx, filepath.Join(cache, "tools", "lock"), log)
	if err != nil {
		return "", err
	}
	defer unlock()
	if isDir(dir) {
		return dir, nil
	}
	log("building the tools of %s (minutes, once)", src)
	partial := dir + ".partial"
	// The tag is for zot, which would need C's GPG library without it.
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags=containers_image_openpgp", "-o", partial+"/", "tool")
	cmd.Dir = src
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the tools of %s: %w\n%s", src, err, out)
	}
	if err := os.Rename(partial, dir); err != nil {
		return "", fmt.Errorf("putting the tools into the cache: %w", err)
	}
	return dir, nil
}

// toolsKey digests what decides what the binaries are.
func toolsKey(src string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.GOARCH)
	for _, name := range []string{"go.mod", "go.sum"} {
		b, err := os.ReadFile(filepath.Join(src, name))
		if err != nil {
			return "", fmt.Errorf("reading which tools to build: %w", err)
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// isDir tells whether path is a folder.
func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// output runs a program and returns its standard output without the line's
// end. The error has what the program wrote to standard error.
func output(cmd *exec.Cmd) (string, error) {
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimRight(string(out), "\n"), nil
}
