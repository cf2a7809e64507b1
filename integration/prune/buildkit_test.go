//go:build linux

package prune_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/buildkit"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// A real cache: a record goes when nothing kept is built on it, the bytes promised
// are those that BuildKit's own records lose, and what a build uses stays.
func TestPruneOfABuildCache(t *testing.T) {
	isolated(t)
	word := "cache-" + strings.ToLower(time.Now().Format("150405.000000"))
	dockerfile := "FROM busybox\nRUN head -c 300000 /dev/urandom > /one # " + word + "\nRUN head -c 200000 /dev/urandom > /two # " + word + "\n"
	build := func(text string) error {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
			return err
		}
		_, err := sb.Buildx(t.Context(), dir, "build", "--provenance=false", ".")
		return err
	}
	if err := build(dockerfile); err != nil {
		t.Fatal(err)
	}
	cache := buildkit.New(sb.BuildKit, "sandbox")
	plan := func(description string) (*retention.Inventory, *retention.Plan) {
		t.Helper()
		inv, err := cache.Inventory(t.Context(), time.Now().Add(48*time.Hour)) // nothing is too young then
		if err != nil {
			t.Fatal(err)
		}
		policy, err := retention.ParsePolicy("cache.yaml", []byte("version: 1\nage: used\nrules: [{name: old, select: {label: {description: '"+description+"'}}, max_age: 1d}]"))
		if err != nil {
			t.Fatal(err)
		}
		return inv, retention.Make(inv, policy)
	}
	if _, p := plan("/.*one # " + word + "/"); len(p.Remove) != 0 {
		t.Errorf("the step below another one goes: %v", p.Remove)
	}
	before, p := plan("/.* # " + word + "/")
	if len(p.Remove) != 2 || !strings.Contains(p.Remove[0].Title, "/two") || p.FreesBytes < 500000 || !p.Final || p.AtMost {
		t.Fatalf("the plan is %+v", p)
	}
	journal, err := prune.NewJournal(t.TempDir(), time.Now(), p)
	if err != nil {
		t.Fatal(err)
	}
	out, err := prune.Execute(t.Context(), cache, p, journal, nil)
	if err != nil || len(out.Removed) != 2 || len(out.Failed)+len(out.Skipped) > 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	after, _ := plan("nothing")
	if freed := size(before) - size(after); freed != p.FreesBytes {
		t.Errorf("%d bytes were promised, and %d are gone", p.FreesBytes, freed)
	}
	t.Run("in use", func(t *testing.T) { cacheInUse(t, cache, word, build) })
}

func size(inv *retention.Inventory) (sum int64) {
	for _, m := range inv.Repositories[0].Manifests {
		sum += m.Blobs[0].Bytes
	}
	return sum
}

// cacheInUse looks at the records while a build runs.
func cacheInUse(t *testing.T, cache *buildkit.Cache, word string, build func(string) error) {
	done := make(chan error, 1)
	go func() { done <- build("FROM busybox\nRUN sleep 8 # busy " + word + "\n") }()
	for {
		select {
		case err := <-done:
			t.Fatalf("the build ended before a record of it was seen: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		inv, err := cache.Inventory(context.WithoutCancel(t.Context()), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		all := inv.Repositories[0].Manifests
		i := slices.IndexFunc(all, func(m retention.Manifest) bool { return m.Pinned != "" && strings.Contains(m.Title, "busy "+word) })
		if i < 0 {
			continue
		}
		if err := cache.DeleteManifest(t.Context(), buildkit.Repository, all[i].Digest); err == nil {
			t.Error("a record that a build uses was removed")
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		return
	}
}
