//go:build linux

package sandbox

import (
	"context"
	"os"
)

// browsers are the programs that can open a page without a screen; the first is
// what Debian has.
var browsers = []string{"chromium-headless-shell", "chromium", "google-chrome"}

// Browser is the path of a Chromium. As root on a Debian, it is installed where
// there is none.
func Browser(ctx context.Context) (string, error) {
	for _, name := range browsers {
		if path, err := findProgram(name); err == nil {
			return path, nil
		}
	}
	if err := require(ctx, []program{{browsers[0], browsers[0]}}, logger(os.Stderr)); err != nil {
		return "", err
	}
	return findProgram(browsers[0])
}
