//go:build linux

// Package registry_test runs the registry verbs against real registries: distribution 3, and 2.8,
// which deletes otherwise.
package registry_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

var sb *sandbox.Sandbox

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	var err error
	if sb, err = sandbox.Start(context.Background(), sandbox.Options{Log: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := sb.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}
