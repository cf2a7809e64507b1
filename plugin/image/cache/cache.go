// Package cache keeps the tables of layers on disk, by the layer's digest, so
// that a layer is read once for all images and all commands.
package cache

import (
	"cmp"
	"encoding/gob"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// DefaultBytes is how much the tables may take on disk. 100,000 files take
// about 3 MB.
const DefaultBytes = 512 << 20

// version is part of the folder's name. It changes with image.Table.
const version = "layers-2"

// Cache is a folder of tables. It may be used by several processes at a time.
type Cache struct {
	dir   string
	bytes int64
}

var _ image.Cache = (*Cache)(nil)

// Open makes a cache in a folder, which is made if need be. It holds so many
// bytes; what wasn't used for longest makes room for new tables.
func Open(dir string, bytes int64) (*Cache, error) {
	c := &Cache{dir: filepath.Join(dir, version), bytes: bytes}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the cache folder: %w", err)
	}
	return c, nil
}

func (c *Cache) path(d digest.Digest) string {
	return filepath.Join(c.dir, d.Algorithm().String()+"-"+d.Encoded())
}

// Get returns a table. One that can't be read isn't there.
func (c *Cache) Get(d digest.Digest) (image.Table, bool) {
	if d.Validate() != nil {
		return image.Table{}, false
	}
	file, err := os.Open(c.path(d))
	if err != nil {
		return image.Table{}, false
	}
	defer file.Close()
	plain, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return image.Table{}, false
	}
	defer plain.Close()
	var t image.Table
	if err := gob.NewDecoder(plain).Decode(&t); err != nil {
		return image.Table{}, false
	}
	if t.Files == nil {
		t.Files = []image.File{} // read, and empty
	}
	now := time.Now()
	_ = os.Chtimes(file.Name(), now, now) // when it was used last; a guess is good enough
	return t, true
}

// Put keeps a table if it can.
func (c *Cache) Put(d digest.Digest, t image.Table) {
	if d.Validate() != nil {
		return
	}
	file, err := os.CreateTemp(c.dir, "new-*")
	if err != nil {
		return
	}
	err = write(file, t)
	if err == nil {
		err = os.Rename(file.Name(), c.path(d))
	}
	if err != nil {
		_ = os.Remove(file.Name()) // prune finds it if it stays
		return
	}
	c.prune()
}

func write(file *os.File, t image.Table) error {
	defer file.Close()
	packed, err := zstd.NewWriter(file, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	if err := gob.NewEncoder(packed).Encode(t); err != nil {
		return err
	}
	if err := packed.Close(); err != nil {
		return err
	}
	return file.Close()
}

// prune removes what wasn't used for longest until the rest fits.
func (c *Cache) prune() {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	var infos []fs.FileInfo
	var sum int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			infos = append(infos, info)
			sum += info.Size()
		}
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, info := range infos {
		if sum <= c.bytes {
			return
		}
		if os.Remove(filepath.Join(c.dir, info.Name())) == nil {
			sum -= info.Size()
		}
	}
}
