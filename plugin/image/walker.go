package image

import (
	"cmp"
	"context"
	"io"

	"github.com/opencontainers/go-digest"
)

// Walker says how layers are read. The zero value reads headers only, with
// DefaultLimits and without a cache. It is safe for concurrent use if its parts
// are, and is not changed once it is in use.
type Walker struct {
	// Hash hashes the content of all regular files.
	Hash bool
	// Visitors read contents.
	Visitors []Visitor
	// Cache keeps tables; nil keeps none.
	Cache Cache
	// Limits bound what a hostile image can use up; zero fields are those of
	// DefaultLimits.
	Limits Limits
	// Progress is told, as bytes are read from the source, how many were so far,
	// and of how many; all is 0 where the source doesn't tell beforehand. May be
	// nil. It is called from several goroutines.
	Progress func(read, all int64)
}

// Visitor reads the contents of chosen files of every layer, those that are
// buried too. Its functions are called from several goroutines.
type Visitor struct {
	// Name names the visitor and its version, "packages/1": what it wrote
	// down is cached under that name.
	Name string
	// Wants chooses regular files by their entry alone; Hash isn't known yet.
	Wants func(*File) bool
	// Read reads as much of a content as it likes and writes down what it
	// found, in a form of its own; nil is nothing. An error ends the walk.
	Read func(f *File, content io.Reader) ([]byte, error)
}

// Cache keeps tables of layers by the layer's digest. Both functions are called
// from several goroutines.
type Cache interface {
	// Get returns the table that was put under a digest; false if there is none.
	Get(digest.Digest) (Table, bool)
	// Put keeps a table. It may fail silently: a cache is no storage.
	Put(digest.Digest, Table)
}

// Blob is a layer's bytes: plain tar, gzip or zstd.
type Blob struct {
	// Digest is that of the bytes, under which the table is cached; "" if
	// unknown.
	Digest digest.Digest
	// Verified says that the bytes were held against the digest before they
	// came here. Otherwise that is done as they flow.
	Verified bool
	// Size is the number of bytes, as the source has them; 0 if unknown.
	Size int64
	// Open opens the bytes. If the reader can seek and the tar is plain, no
	// more than needed is read, and so Digest can't be verified.
	Open func(context.Context) (io.ReadCloser, error)
	// Part opens n of the bytes from an offset on, where that is cheaper than to
	// read them all; nil where it isn't. Parts can't be held against Digest, so
	// only those that Annotations vouch for are used, and no table of them is
	// cached. A reader of Open that is an io.ReaderAt needs no Part.
	Part func(ctx context.Context, offset, n int64) (io.ReadCloser, error)
	// Annotations are the descriptor's. They tell of a table of contents.
	Annotations map[string]string
}

// Limits bound what an image may make of us. What goes beyond is an error.
type Limits struct {
	// LayerBytes is the most that one layer may hold, uncompressed.
	LayerBytes int64
	// TableBytes is the most memory that the tables of an image may take.
	TableBytes int64
	// PathBytes is the length of the longest path or link.
	PathBytes int
}

// DefaultLimits allow more than any image has that works: Linux opens no path
// over 4096 bytes, and an entry of a table takes about 200 bytes.
var DefaultLimits = Limits{LayerBytes: 1 << 40, TableBytes: 2 << 30, PathBytes: 4096}

func (l Limits) withDefaults() Limits {
	return Limits{
		LayerBytes: cmp.Or(l.LayerBytes, DefaultLimits.LayerBytes),
		TableBytes: cmp.Or(l.TableBytes, DefaultLimits.TableBytes),
		PathBytes:  cmp.Or(l.PathBytes, DefaultLimits.PathBytes),
	}
}
