package cache

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
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
	c.bytes = size(t, dir) - 1
	c.prune()
	for i, want := range []bool{true, false, true} {
		if _, ok := c.Get(key(i)); ok != want {
			t.Errorf("table %d is there: %v, want %v", i, ok, want)
		}
	}
}

// The folder never holds more than it may, however much is put into it.
func TestTheCacheIsBounded(t *testing.T) {
	dir := t.TempDir()
	const most = 50_000
	c, err := Open(dir, most)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 100 {
		table := image.Table{}
		for range random.IntN(200) {
			table.Files = append(table.Files, image.File{Path: strconv.FormatUint(random.Uint64(), 36), Hash: random.Uint64()})
		}
		if i == 50 { // larger than the whole cache
			table.Notes = map[string][]image.Note{"a/1": {{Data: noise(random, 2*most)}}}
		}
		c.Put(digest.FromString(strconv.Itoa(i)), table)
		if sum := size(t, dir); sum > most || i == 20 && sum < most/2 {
			t.Errorf("after table %d, the cache has %d bytes, of %d that it may", i, sum, most)
		}
	}
}

func noise(random *rand.Rand, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(random.Uint32())
	}
	return out
}

// size is what all files below a folder take.
func size(t *testing.T, dir string) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		sum += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// A digest that is none leads to no file, in the folder or outside.
func TestDigestsThatAreNone(t *testing.T) {
	dir := t.TempDir()
	c, err := Open(filepath.Join(dir, "cache"), DefaultBytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []digest.Digest{"", "sha256:", "sha256:../../evil", "../../evil", "sha256:/etc/passwd", "md5:d41d8cd98f00b204e9800998ecf8427e"} {
		c.Put(d, image.Table{Tar: 1})
		if _, ok := c.Get(d); ok {
			t.Errorf("%q is in the cache", d)
		}
	}
	if n := size(t, dir); n != 0 {
		t.Errorf("%d bytes were written", n)
	}
}

// Several processes may use the cache at a time.
func TestTheCacheIsShared(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			c, err := Open(dir, 3000)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range 50 {
				key := digest.FromString(strconv.Itoa(i % 10))
				c.Put(key, image.Table{Tar: int64(i%10 + 1), Files: []image.File{{Path: strconv.Itoa(worker)}}})
				if table, ok := c.Get(key); ok && table.Tar != int64(i%10+1) {
					t.Errorf("under the key of %d is the table of %d", i%10, table.Tar)
				}
			}
		})
	}
	group.Wait()
}
