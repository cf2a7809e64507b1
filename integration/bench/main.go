//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var opts options
	names := flag.String("projects", "", "measure only these projects, by comma")
	flag.IntVar(&opts.rounds, "runs", 3, "measure each project so many times")
	flag.Parse()
	opts.projects = strings.FieldsFunc(*names, func(r rune) bool { return r == ',' || r == ' ' })
	if err := run(ctx, opts, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "make bench-rebuild:", err)
		os.Exit(2)
	}
}
