//go:build linux

package prune_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/registry"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// disk is a small file system of its own, in memory.
type disk struct {
	t   *testing.T
	dir string
}

func newDisk(t *testing.T) disk {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Fatalf("mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return disk{t, dir}
}

// fill leaves no byte free.
func (d disk) fill() {
	d.t.Helper()
	file, err := os.OpenFile(filepath.Join(d.dir, "filler"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer file.Close()
	for err == nil {
		_, err = file.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatal(err)
	}
}

// wide fills a registry with images whose manifests take more than a page of a disk
// each, so that on a full one not one of them can be written down.
func (s seeder) wide() {
	for i := range 6 {
		word := fmt.Sprint("wide-", i)
		img, ok := mutate.Annotations(s.image(word, float64(10+i), nil, "amd64"), map[string]string{"note": strings.Repeat("x", 5000)}).(v1.Image)
		if !ok {
			s.t.Fatal("an image with annotations is no image")
		}
		s.push(img, "team/app:feature-"+word)
	}
	s.push(s.image("young", 1, nil, "amd64"), "team/app:feature-young", "team/app:latest")
	s.pushIndex(s.index("stays", 3), "team/app:v1.0.0")
}

// The disk of the journal gets full before each delete in turn: that one and all
// others are not made, what was deleted is written down, the next run finishes, and
// undo gives all back.
func TestNothingIsDeletedWithoutAJournal(t *testing.T) {
	onEachKind(t, func(t *testing.T, s seeder) {
		s.wide()
		whole := s.inventory()
		p := plan(t, s.host, registry.Options{})
		deletes := len(slices.DeleteFunc(slices.Clone(p.Remove), func(r retention.Removal) bool { return r.Kind == retention.KindTag }))
		if deletes < 5 {
			t.Fatalf("the plan shows too little:\n%s", text(t, p))
		}
		for n := range deletes {
			s.fullAfter(n, p, whole)
		}
	})
}

// fullAfter runs a plan whose journal has no place for more than n manifests.
func (s seeder) fullAfter(n int, p *retention.Plan, whole *retention.Inventory) {
	t := s.t
	small := newDisk(t)
	journal, err := prune.NewJournal(small.dir, now, p)
	s.must(err)
	requests := &counter{}
	if n == 0 {
		small.fill()
	}
	out, err := prune.Execute(t.Context(), open(t, s.host, registry.Options{Transport: requests}), p, journal, func(int, int) {
		if requests.writes.Load() == int64(n) {
			small.fill()
		}
	})
	if !errors.Is(err, syscall.ENOSPC) || requests.writes.Load() != int64(n) || len(out.Removed) != n {
		t.Errorf("full after %d: error %v, %d deletes, removed %v", n, err, requests.writes.Load(), out.Removed)
	}
	s.must(journal.Close(false))
	s.untouched(p, whole)
	again, dir := execute(t, s.host, p, registry.Options{})
	if len(again.Failed) > 0 || len(again.Removed) == 0 {
		t.Errorf("full after %d: the next run failed: %v, removed %d", n, again.Failed, len(again.Removed))
	}
	s.removed(p, again)
	s.giveBack(whole, journal.Dir, dir)
}
