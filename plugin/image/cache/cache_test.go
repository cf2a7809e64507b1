package cache

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/opencontainers/go-digest"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

// reads walks a layer with the cache and reports how often it was opened.
func reads(t *testing.T, c *Cache, tar []byte, w image.Walker) (image.Table, int) {
	t.Helper()
	opened := 0
	w.Cache = c
	table, err := w.Start().Layer(t.Context(), image.Blob{Digest: digest.FromBytes(tar), Open: func(context.Context) (io.ReadCloser, error) {
		opened++
		return io.NopCloser(bytes.NewReader(tar)), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return table, opened
}

func TestLayersAreReadOnce(t *testing.T) {
	for _, kase := range imagetest.Cases(t) {
		for i, layer := range kase.Layers {
			c, err := Open(t.TempDir(), DefaultBytes)
			if err != nil {
				t.Fatal(err)
			}
			tar := imagetest.Tar(t, layer)
			all := image.Walker{Hash: true, Visitors: []image.Visitor{imagetest.FirstByte}}
			fresh, n := reads(t, c, tar, all)
			if n != 1 {
				t.Fatalf("opened %d times with an empty cache", n)
			}
			kept, n := reads(t, c, tar, all)
			if n != 0 || !cmp.Equal(fresh, kept, cmpopts.EquateEmpty()) {
				t.Errorf("%s, layer %d: opened %d times; got\n%+v, kept\n%+v", kase.Name, i, n, fresh, kept)
			}
			if _, n := reads(t, c, tar, image.Walker{}); n != 0 {
				t.Errorf("%s, layer %d: opened again for less", kase.Name, i)
			}
		}
	}
}

func TestLayersAreReadAgainForMore(t *testing.T) {
	c, err := Open(t.TempDir(), DefaultBytes)
	if err != nil {
		t.Fatal(err)
	}
	tar := imagetest.Tar(t, imagetest.Layer{{Kind: "file", Path: "d/a", Size: 3}})
	if table, n := reads(t, c, tar, image.Walker{}); n != 1 || table.Hashed {
		t.Fatalf("opened %d times, hashed %v", n, table.Hashed)
	}
	if table, n := reads(t, c, tar, image.Walker{Hash: true}); n != 1 || !table.Hashed {
		t.Fatalf("for hashes: opened %d times, hashed %v", n, table.Hashed)
	}
	table, n := reads(t, c, tar, image.Walker{Visitors: []image.Visitor{imagetest.FirstByte}})
	if n != 1 || !table.Hashed || len(table.Notes[imagetest.FirstByte.Name]) != 1 {
		t.Fatalf("for a visitor: opened %d times, hashed %v, notes %v", n, table.Hashed, table.Notes)
	}
}

func TestDamagedTablesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	c, err := Open(dir, DefaultBytes)
	if err != nil {
		t.Fatal(err)
	}
	tar := imagetest.Tar(t, imagetest.Layer{{Kind: "file", Path: "a", Size: 3}})
	reads(t, c, tar, image.Walker{})
	if err := os.WriteFile(c.path(digest.FromBytes(tar)), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, n := reads(t, c, tar, image.Walker{}); n != 1 {
		t.Errorf("opened %d times", n)
	}
}

func TestWhatWasUsedLastStays(t *testing.T) {
	dir := t.TempDir()
	c, err := Open(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	key := func(i int) digest.Digest { return digest.FromString(strconv.Itoa(i)) }
	for i := range 3 {
		c.Put(key(i), image.Table{Tar: int64(100 + i)})
		old := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(c.path(key(i)), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := c.Get(key(0)); !ok {
		t.Fatal("the first table isn't there")
	}
	entries, err := os.ReadDir(filepath.Join(dir, version))
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Size()
	}
	c.bytes = sum - 1
	c.prune()
	for i, want := range []bool{true, false, true} {
		if _, ok := c.Get(key(i)); ok != want {
			t.Errorf("table %d is there: %v, want %v", i, ok, want)
		}
	}
}
