package image_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	"github.com/zeebo/xxh3"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

func blob(data []byte) image.Blob {
	return image.Blob{Size: int64(len(data)), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

// seekBlob is a blob whose reader can seek.
func seekBlob(data []byte) image.Blob {
	return image.Blob{Size: int64(len(data)), Open: func(context.Context) (io.ReadCloser, error) {
		return seekCloser{bytes.NewReader(data)}, nil
	}}
}

type seekCloser struct{ *bytes.Reader }

func (seekCloser) Close() error { return nil }

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

func files(n int, size int64) imagetest.Layer {
	var out imagetest.Layer
	for i := range n {
		out = append(out, imagetest.Entry{Kind: "file", Path: fmt.Sprintf("d/%d", i), Size: size})
	}
	return out
}

// raw is a tar with one entry, as the header says it.
func raw(t testing.TB, h tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&h); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), make([]byte, 1024)...)
}

// Whatever is wrong with a layer is an error that says so, and soon.
func TestHostileLayers(t *testing.T) {
	plain := imagetest.Tar(t, files(20, 5000))
	small := image.Limits{LayerBytes: 1 << 20, TableBytes: 100 << 10, PathBytes: 200}
	bomb := imagetest.Tar(t, files(1, 2<<20))
	for name, c := range map[string]struct {
		blob image.Blob
		want string
	}{
		"cut tar":             {blob(plain[:len(plain)/2]), "unexpected EOF"},
		"cut tar, seeking":    {seekBlob(plain[:len(plain)/2]), "unexpected EOF"},
		"cut gzip":            {blob(gzipped(t, plain)[:200]), "unexpected EOF"},
		"cut zstd":            {blob(zstandard(t, plain)[:100]), "unexpected EOF"},
		"cut magic":           {blob(gzipped(t, plain)[:2]), "EOF"},
		"broken gzip":         {blob(broken(gzipped(t, plain))), "gzip"},
		"not a tar":           {blob(bytes.Repeat([]byte("no tar "), 100)), "invalid tar header"},
		"gzip bomb":           {blob(gzipped(t, bomb)), "decompression bomb"},
		"zstd bomb":           {blob(zstandard(t, bomb)), "decompression bomb"},
		"bomb behind the end": {blob(gzipped(t, append(imagetest.Tar(t, nil), make([]byte, 2<<20)...))), "decompression bomb"},
		"sparse giant":        {blob(imagetest.Tar(t, imagetest.Layer{{Kind: "file", Path: "s", Size: 5 << 20, Sparse: 10}})), "decompression bomb"},
		"seeking giant":       {seekBlob(raw(t, tar.Header{Name: "a", Size: 1 << 50, Format: tar.FormatGNU})), "decompression bomb"},
		"many entries":        {blob(imagetest.Tar(t, files(1000, 0))), "more entries"},
		"long path":           {blob(raw(t, tar.Header{Name: strings.Repeat("a/", 150)})), "longer than 200 bytes"},
		"long link":           {blob(raw(t, tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: strings.Repeat("a/", 150)})), "longer than 200 bytes"},
		"way out":             {blob(raw(t, tar.Header{Name: "../../etc/passwd"})), "leads out of the image"},
		"way out by a detour": {blob(raw(t, tar.Header{Name: "a/../../b"})), "leads out of the image"},
		"whiteout of nothing": {blob(raw(t, tar.Header{Name: "a/.wh."})), "without a name"},
		"whiteout of above":   {blob(raw(t, tar.Header{Name: "a/.wh..."})), "without a name"},
		"file as the root":    {blob(raw(t, tar.Header{Name: ".", Typeflag: tar.TypeReg})), "root folder"},
		"unknown type":        {blob(raw(t, tar.Header{Name: "a", Typeflag: 'Z'})), "its type"},
		"long attributes":     {blob(raw(t, tar.Header{Name: "a", PAXRecords: map[string]string{"SCHILY.xattr.user.a": strings.Repeat("a", 200<<10)}})), "more entries"},
		"giant header":        {seekBlob(append(resized(t, 'x', 2<<20), make([]byte, 3<<20)...)), "header field too long"},
		"giant name":          {seekBlob(append(resized(t, 'L', 2<<20), make([]byte, 3<<20)...)), "header field too long"},
		"size below zero":     {blob(resized(t, '0', -1)), "invalid tar header"},
		"size of all":         {seekBlob(resized(t, '0', 1<<62)), "decompression bomb"},
		"sizes of all":        {seekBlob(slices.Concat(plain[:512+5120], resized(t, '0', 1<<63-1))), "decompression bomb"},
		"wrong digest":        {digested(blob(plain), digest.FromString("other")), "damaged"},
		"no digest at all":    {digested(blob(plain), "sha256:../../etc"), "digest"},
	} {
		t.Run(name, func(t *testing.T) {
			w := image.Walker{Hash: true, Limits: small}
			_, err := w.Start().Layer(t.Context(), c.blob)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want an error with %q", err, c.want)
			}
			if err != nil && len(err.Error()) > 500 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

// resized is a tar of an entry that says how long it is, in GNU's numbers of base 256.
func resized(t *testing.T, kind byte, size int64) []byte {
	t.Helper()
	out := raw(t, tar.Header{Name: "a", Format: tar.FormatGNU})
	out[156] = kind
	field := out[124:136]
	clear(field)
	binary.BigEndian.PutUint64(field[4:], uint64(size))
	if field[0] = 0x80; size < 0 {
		copy(field, "\xff\xff\xff\xff")
	}
	sum := 8 * int(' ')
	for i, b := range out[:512] {
		if i < 148 || i >= 156 {
			sum += int(b)
		}
	}
	copy(out[148:], fmt.Sprintf("%06o\x00 ", sum))
	return out
}

// broken changes a byte of gzip's checksum.
func broken(data []byte) []byte {
	out := bytes.Clone(data)
	out[len(out)-8]++
	return out
}

func digested(b image.Blob, d digest.Digest) image.Blob {
	b.Digest = d
	return b
}

// Limits are about an image, not only about a layer.
func TestManyLayersAreBounded(t *testing.T) {
	w := image.Walker{Limits: image.Limits{TableBytes: 100 << 10}}
	blobs := make([]image.Blob, 100)
	for i := range blobs {
		blobs[i] = blob(imagetest.Tar(t, files(50, 0)))
	}
	if _, err := w.Start().Layers(t.Context(), blobs[:2]); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Start().Layers(t.Context(), blobs); err == nil {
		t.Error("100 layers with 50 entries each fit into 100 KiB")
	}
}

func TestHeadersAloneAreReadByJumping(t *testing.T) {
	data := imagetest.Tar(t, files(3, 1<<20))
	read := 0
	b := image.Blob{Open: func(context.Context) (io.ReadCloser, error) {
		return &counting{seekCloser{bytes.NewReader(data)}, &read}, nil
	}}
	table, err := (&image.Walker{}).Start().Layer(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Files) != 3 || table.Tar != int64(len(data)) || read > 1<<16 {
		t.Errorf("%d files, a tar of %d bytes, %d bytes read", len(table.Files), table.Tar, read)
	}
	for _, f := range table.Files {
		if got := data[f.Offset : f.Offset+4]; string(got) != f.Path+"\n" {
			t.Errorf("at the offset of %s is %q", f.Path, got)
		}
	}
}

type counting struct {
	seekCloser
	read *int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.seekCloser.Read(p)
	*c.read += n
	return n, err
}

func TestVisitorsShareAContent(t *testing.T) {
	const size = 1 << 20
	layer := files(1, size)
	content := layer[0].Content()
	all := image.Visitor{Name: "all/1", Wants: func(*image.File) bool { return true }, Read: func(_ *image.File, in io.Reader) ([]byte, error) {
		return io.ReadAll(in)
	}}
	w := image.Walker{Hash: true, Visitors: []image.Visitor{imagetest.FirstByte, all}}
	table, err := w.Start().Layer(t.Context(), blob(imagetest.Tar(t, layer)))
	if err != nil {
		t.Fatal(err)
	}
	if got := table.Notes["all/1"][0].Data; !bytes.Equal(got, content) {
		t.Errorf("the visitor saw %d bytes, want %d", len(got), size)
	}
	if got := table.Notes[imagetest.FirstByte.Name][0].Data; string(got) != "d" {
		t.Errorf("the other visitor saw %q", got)
	}
	if table.Files[0].Hash != xxh3.Hash(content) {
		t.Error("the hash is wrong")
	}
	wrong := image.Visitor{Name: "wrong/1", Wants: all.Wants, Read: func(*image.File, io.Reader) ([]byte, error) { return nil, errors.New("no luck") }}
	for _, visitors := range [][]image.Visitor{{wrong}, {all, wrong}, {wrong, all}} {
		w := image.Walker{Visitors: visitors}
		if _, err := w.Start().Layer(t.Context(), blob(imagetest.Tar(t, files(1, size)))); err == nil || !strings.Contains(err.Error(), "no luck") {
			t.Errorf("a visitor's error became %v", err)
		}
	}
}

func TestALayerThatOccursTwiceIsReadOnce(t *testing.T) {
	data := imagetest.Tar(t, files(2, 10))
	var opened atomic.Int64
	b := image.Blob{Digest: digest.FromBytes(data), Open: func(context.Context) (io.ReadCloser, error) {
		opened.Add(1)
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
	var progress atomic.Int64
	w := image.Walker{Progress: func(read, _ int64) { progress.Store(read) }}
	tables, err := w.Start().Layers(t.Context(), []image.Blob{b, b})
	if err != nil {
		t.Fatal(err)
	}
	if opened.Load() != 1 || len(tables[1].Files) != 2 {
		t.Errorf("opened %d times, the second table has %d files", opened.Load(), len(tables[1].Files))
	}
	if progress.Load() != int64(len(data)) {
		t.Errorf("progress told of %d bytes, want %d", progress.Load(), len(data))
	}
}

func TestReadingStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, b := range []image.Blob{blob(imagetest.Tar(t, files(2, 10))), seekBlob(imagetest.Tar(t, files(2, 10)))} {
		if _, err := (&image.Walker{}).Start().Layers(ctx, []image.Blob{b}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
	}
}

// No bytes make the walker fail other than with an error, or use more memory
// than its limits allow.
func FuzzLayer(f *testing.F) {
	for i, c := range imagetest.Cases(f) {
		for _, layer := range c.Layers {
			data := imagetest.Tar(f, layer)
			f.Add(data, []byte{})
			f.Add(gzipped(f, data), data)
			f.Add(zstandard(f, data), data)
			if i > 0 {
				continue
			}
			for _, format := range imagetest.ListedFormats {
				listed, _ := format.Layer(f, layer)
				f.Add(listed, data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, lower, upper []byte) {
		limits := image.Limits{LayerBytes: 16 << 20, TableBytes: 1 << 20}
		w := image.Walker{Hash: true, Visitors: []image.Visitor{imagetest.FirstByte}, Limits: limits}
		var layers []*image.Layer
		for _, b := range []image.Blob{blob(lower), seekBlob(lower), blob(upper)} {
			table, err := w.Start().Layer(t.Context(), b)
			if err != nil {
				continue
			}
			layers = append(layers, &image.Layer{Table: table})
		}
		// Headers alone, by a table of contents where there is one.
		if table, err := (&image.Walker{Limits: limits}).Start().Layer(t.Context(), seekBlob(lower)); err == nil {
			layers = append(layers, &image.Layer{Table: table})
		}
		stacked := image.Stack(layers)
		var shipped, live, dead int64
		for i, fates := range stacked.Fates {
			for j, fate := range fates {
				size := layers[i].Files[j].Size
				shipped += size
				if fate.State == image.Live {
					live += size
				} else {
					dead += size
				}
			}
		}
		var seen int64
		contents := map[*image.File]bool{}
		for e := range stacked.All() {
			if strings.HasPrefix(e.Path, "../") || strings.HasPrefix(e.Path, "/") {
				t.Errorf("path %q", e.Path)
			}
			if e.Content != nil && !contents[e.Content] {
				contents[e.Content] = true
				seen += e.Content.Size
			}
		}
		if seen != live || shipped != live+dead {
			t.Errorf("shipped %d, live %d, dead %d; the tree has %d", shipped, live, dead, seen)
		}
	})
}
