//go:build linux

// Package registry_test runs the registry verbs against real registries: distribution 3, and 2.8,
// which deletes otherwise.
package registry_test

import (
	"context"
	"os"
	"testing"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

var sb *sandbox.Sandbox

func TestMain(m *testing.M) {
	os.Exit(sandbox.RunTests(m, sandbox.Options{}, func(_ context.Context, started *sandbox.Sandbox) error {
		sb = started
		return nil
	}))
}
