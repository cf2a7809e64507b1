//go:build linux

// Package integration_test runs the frontend and the plugin against a real
// BuildKit, a real Docker Engine and a real registry.
package integration_test

import (
	"context"
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// The sandbox of all tests of this package, and the frontend's image in its
// registry, made from this checkout.
var (
	sb          *sandbox.Sandbox
	frontendRef string
)

func TestMain(m *testing.M) {
	// A build waits for networks and disks, too. What -parallel says comes later, and wins.
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	os.Exit(sandbox.RunTests(m, sandbox.Options{}, func(ctx context.Context, started *sandbox.Sandbox) (err error) {
		sb = started
		frontendRef, err = sb.Frontend(ctx)
		return err
	}))
}

// build builds, or fails the test with the log of the step that failed.
func build(t *testing.T, req sandbox.BuildRequest) *sandbox.BuildResult {
	t.Helper()
	result, err := sb.Build(t.Context(), req)
	if err == nil {
		return result
	}
	if result != nil {
		for _, v := range result.Vertices {
			if v.Error != "" {
				t.Errorf("%s: %s\n%s", v.Name, v.Error, v.Log)
			}
		}
	}
	t.Fatal(err)
	return nil
}

// project is a copy of one of the examples, or of one of the oracle's projects,
// to be edited.
func project(t *testing.T, name string) string {
	t.Helper()
	dir, from := t.TempDir(), "../examples/"+name
	if _, err := os.Stat(from); err != nil {
		from = "testdata/" + name
	}
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}
