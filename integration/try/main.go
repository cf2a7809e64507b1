//go:build linux

// Command try shows the main job on a real project: what lint finds, what the
// frontend builds instead, how much faster a rebuild gets, and the SBOM. It is
// what `make try` runs.
//
// Every figure is measured while it runs, on a BuildKit and a registry that
// are private to it and stop with it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "make try:", err)
		os.Exit(2)
	}
}
