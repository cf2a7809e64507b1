//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var opts options
	flag.StringVar(&opts.run, "run", ".+", "run only the tests that this regular expression matches, and write no page")
	flag.Parse()
	ok, err := run(ctx, opts, os.Stdout, os.Stderr)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "make upstream-suite:", err)
		os.Exit(2)
	case !ok:
		os.Exit(1)
	}
}
