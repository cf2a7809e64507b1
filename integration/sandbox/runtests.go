//go:build linux

package sandbox

import (
	"context"
	"fmt"
	"os"
)

// RunTests starts the sandbox of a package's tests, hands it to ready, runs the tests
// (a *testing.M) and stops it. It returns the code to exit with.
func RunTests(m interface{ Run() int }, opts Options, ready func(context.Context, *Sandbox) error) (code int) {
	ctx := context.Background()
	opts.Log = os.Stderr
	sb, err := Start(ctx, opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := sb.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	if err := ready(ctx, sb); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
