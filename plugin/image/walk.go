package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
)

// Walk is the reading of one image's layers. Its functions may be called from
// several goroutines. A nil Walk reads nothing.
type Walk struct {
	walker Walker
	used   atomic.Int64 // memory of all tables, held against Limits.TableBytes

	read, all atomic.Int64 // bytes, for Walker.Progress
}

// Start begins to read an image.
func (w *Walker) Start() *Walk {
	if w == nil {
		return nil
	}
	walk := &Walk{walker: *w}
	walk.walker.Limits = w.Limits.withDefaults()
	return walk
}

// Layers reads layers side by side, the largest first, since inflating one
// can't be shared out. A layer that occurs twice is read once. The tables are
// in the order of the blobs.
func (w *Walk) Layers(ctx context.Context, blobs []Blob) ([]Table, error) {
	tables := make([]Table, len(blobs))
	if w == nil {
		return tables, nil
	}
	order := make([]int, 0, len(blobs))
	first := map[digest.Digest]int{}
	for i, b := range blobs {
		if _, seen := first[b.Digest]; seen {
			continue
		}
		if b.Digest != "" {
			first[b.Digest] = i
		}
		order = append(order, i)
		w.all.Add(b.Size)
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(blobs[j].Size, blobs[i].Size) })
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, i := range order {
		group.Go(func() error {
			table, spared, err := w.layer(ctx, blobs[i])
			if err != nil {
				return fmt.Errorf("layer %d of %d: %w", i+1, len(blobs), err)
			}
			w.all.Add(-spared)
			tables[i] = table
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, b := range blobs {
		if b.Digest != "" {
			tables[i] = tables[first[b.Digest]]
		}
	}
	return tables, nil
}

// Layer reads one layer, or takes its table from the cache.
func (w *Walk) Layer(ctx context.Context, b Blob) (Table, error) {
	if w == nil {
		return Table{}, nil
	}
	table, _, err := w.layer(ctx, b)
	return table, err
}

// layer reads a layer, or as much of it as has to be. Spared are the bytes that
// didn't have to.
func (w *Walk) layer(ctx context.Context, b Blob) (_ Table, spared int64, err error) {
	known, ok := w.cached(b)
	if ok && w.complete(known) {
		return known, b.Size, w.charge(known)
	}
	r := &reader{walk: w, visitors: w.missing(known), hash: w.walker.Hash || known.Hashed}
	if table, read, ok := r.listed(ctx, b, b.Part, false); ok {
		return table, b.Size - read, nil
	}
	stream, err := b.Open(ctx)
	if err != nil {
		return Table{}, 0, fmt.Errorf("open %s: %w", name(b), err)
	}
	defer stream.Close()
	if table, read, ok := r.listed(ctx, b, partsOf(stream), true); ok {
		w.keep(b, table, b.Verified)
		return table, b.Size - read, nil
	}
	table, verified, err := r.read(ctx, b, stream)
	if err != nil {
		return Table{}, 0, fmt.Errorf("read %s: %w", name(b), err)
	}
	maps.Copy(table.Notes, known.Notes)
	w.keep(b, table, verified)
	return table, 0, nil
}

// keep puts a table into the cache, if its bytes have the digest.
func (w *Walk) keep(b Blob, t Table, verified bool) {
	if w.walker.Cache != nil && b.Digest != "" && verified {
		w.walker.Cache.Put(b.Digest, t)
	}
}

// progress counts bytes that were read.
func (w *Walk) progress(n int64) {
	read := w.read.Add(n)
	if w.walker.Progress != nil {
		w.walker.Progress(read, w.all.Load())
	}
}

// cached looks a layer up. A table of our own making is within the limits, or
// is refused when it is charged.
func (w *Walk) cached(b Blob) (Table, bool) {
	if w.walker.Cache == nil || b.Digest == "" {
		return Table{}, false
	}
	return w.walker.Cache.Get(b.Digest)
}

// complete reports whether a table has all that the walker is asked for.
func (w *Walk) complete(t Table) bool {
	return len(w.missing(t)) == 0 && (t.Hashed || !w.walker.Hash)
}

// missing are the visitors that haven't seen a layer.
func (w *Walk) missing(t Table) []Visitor {
	var out []Visitor
	for _, v := range w.walker.Visitors {
		if _, seen := t.Notes[v.Name]; !seen {
			out = append(out, v)
		}
	}
	return out
}

// charge counts a whole table against the memory that the image may take.
func (w *Walk) charge(t Table) error {
	var sum int64
	for i := range t.Files {
		sum += weight(&t.Files[i])
	}
	for _, notes := range t.Notes {
		for _, n := range notes {
			sum += int64(len(n.Data))
		}
	}
	return w.use(sum)
}

var errTooMany = errors.New("the image has more entries than this program takes")

// use takes n bytes of the memory that the image's tables may take.
func (w *Walk) use(n int64) error {
	if w.used.Add(n) > w.walker.Limits.TableBytes {
		return fmt.Errorf("%w: their names and attributes need over %d bytes of memory", errTooMany, w.walker.Limits.TableBytes)
	}
	return nil
}

// weight is about what an entry takes in memory, in bytes.
func weight(f *File) int64 {
	n := 136 + len(f.Path) + len(f.Link)
	for key, value := range f.Xattrs {
		n += 64 + len(key) + len(value)
	}
	return int64(n)
}

func name(b Blob) string {
	if b.Digest == "" {
		return "its tar"
	}
	return b.Digest.String()
}
