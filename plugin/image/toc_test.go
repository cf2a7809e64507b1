package image_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

func layerOf(t testing.TB, b image.Blob, w image.Walker) image.Table {
	t.Helper()
	table, err := w.Start().Layer(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func annotated(b image.Blob, annotations map[string]string) image.Blob {
	b.Annotations = annotations
	return b
}

// Every layer of the suite in every format: with the annotations and without.
func TestTablesOfContents(t *testing.T) {
	for _, format := range imagetest.ListedFormats {
		for _, c := range imagetest.Cases(t) {
			for _, entries := range c.Layers {
				data, annotations := format.Layer(t, entries)
				whole := layerOf(t, blob(data), image.Walker{})
				for _, known := range []map[string]string{annotations, nil} {
					imagetest.SameFiles(t, layerOf(t, annotated(seekBlob(data), known), image.Walker{}), whole)
				}
			}
		}
	}
}

// The suite's first case as a layer that skopeo 1.9.3 made of it, by
// `skopeo copy --dest-compress --dest-compress-format zstd:chunked`.
func TestOldSkopeosTableOfContents(t *testing.T) {
	data, err := os.ReadFile("testdata/skopeo-1.9.3.tar.zst")
	if err != nil {
		t.Fatal(err)
	}
	annotations := map[string]string{
		"io.containers.zstd-chunked.manifest-checksum": "sha256:c9be40645d76955e7dbe37be553b506ee62f8ee26265d63b9f7b8f7a164bde77",
		"io.containers.zstd-chunked.manifest-position": "545:469:1516:1",
	}
	whole := layerOf(t, blob(data), image.Walker{})
	if want := imagetest.Cases(t)[0].Layers[0]; len(whole.Files) != len(want) {
		t.Fatalf("%d entries, want %d", len(whole.Files), len(want))
	}
	for _, known := range []map[string]string{annotations, nil} {
		imagetest.SameFiles(t, layerOf(t, annotated(seekBlob(data), known), image.Walker{}), whole)
	}
}

// Contents aren't in a table of contents.
func TestContentsTakeTheWholeLayer(t *testing.T) {
	for _, format := range imagetest.ListedFormats {
		data, annotations := format.Layer(t, imagetest.Layer{{Kind: "file", Path: "d/a", Size: 1000}})
		for _, w := range []image.Walker{{Hash: true}, {Visitors: []image.Visitor{imagetest.FirstByte}}} {
			table := layerOf(t, annotated(seekBlob(data), annotations), w)
			if table.Files[0].Offset == 0 || table.Hashed != w.Hash || len(table.Notes) != len(w.Visitors) {
				t.Errorf("%s: %+v", format.Name, table)
			}
		}
	}
}

// listed is a layer with one file, a, and a table of contents that the test chose.
func listed(t testing.TB, stargz bool, json string) []byte {
	t.Helper()
	plain := imagetest.Tar(t, imagetest.Layer{{Kind: "file", Path: "a", Size: 1000}})
	if stargz {
		out := gzipped(t, plain[:len(plain)-1024])
		at := len(out)
		out = append(out, gzipped(t, imagetest.Raw(t, "stargz.index.json", []byte(json)))...)
		return append(out, stargzFooter(at)...)
	}
	packed := zstandard(t, []byte(json))
	out := zstandard(t, plain)
	at := len(out) + 8
	return append(append(out, skipped(packed)...), skipped(chunkedFooter(uint64(at), uint64(len(packed))))...)
}

func stargzFooter(at int) []byte {
	return []byte("\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x1a\x00SG\x16\x00" + fmt.Sprintf("%016xSTARGZ", at) + "\x01\x00\x00\xff\xff" + strings.Repeat("\x00", 8))
}

func chunkedFooter(at, length uint64) []byte {
	footer := make([]byte, 64)
	binary.LittleEndian.PutUint64(footer, at)
	binary.LittleEndian.PutUint64(footer[8:], length)
	copy(footer[56:], "GNUlInUx")
	return footer
}

func skipped(data []byte) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte("\x50\x2a\x4d\x18"), uint32(len(data))), data...)
}

func tableOf(entries string) string { return `{"version":1,"entries":[` + entries + `]}` }

const entryA = `{"type":"reg","name":"a","size":1000,"mode":420,"modtime":"2023-11-14T22:13:20Z"}`

// A table that can't be believed is no error: the layer is read instead.
func TestLyingTablesOfContents(t *testing.T) {
	small := image.Limits{TableBytes: 10 << 10, PathBytes: 200, LayerBytes: 8 << 20}
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for name, json := range map[string]string{
		"nothing":                     "",
		"no JSON":                     "{",
		"another type":                `[{"version":1}]`,
		"entries that aren't a list":  `{"version":1,"entries":{}}`,
		"an entry that isn't one":     tableOf(`1`),
		"no entries":                  `{"version":1}`,
		"entries twice":               `{"version":1,"entries":[],"entries":[` + entryA + `]}`,
		"another version":             `{"version":2,"entries":[` + entryA + `]}`,
		"cut":                         tableOf(entryA)[:80],
		"a depth":                     `{"version":1,"x":` + deep + `,"entries":[` + entryA + `]}`,
		"a depth in an entry":         tableOf(`{"type":"reg","name":"a","x":` + deep + `}`),
		"a long value":                `{"x":"` + strings.Repeat("x", 5<<20) + `","version":1,"entries":[` + entryA + `]}`,
		"a long entry":                tableOf(`{"type":"reg","name":"a","x":"` + strings.Repeat("x", 5<<20) + `"}`),
		"a long blank":                tableOf(strings.Repeat(" ", 5<<20) + entryA),
		"a bomb":                      tableOf(entryA) + strings.Repeat(" ", 9<<20),
		"many entries":                tableOf(strings.Repeat(`{"type":"dir","name":"d"},`, 1000) + entryA),
		"a long path":                 tableOf(`{"type":"dir","name":"` + strings.Repeat("a/", 150) + `"}`),
		"a way out":                   tableOf(`{"type":"reg","name":"../a"}`),
		"an unknown type":             tableOf(`{"type":"socket","name":"a"}`),
		"the root as a file":          tableOf(`{"type":"reg","name":"/"}`),
		"a whiteout of nothing":       tableOf(`{"type":"reg","name":".wh."}`),
		"a size below 0":              tableOf(`{"type":"reg","name":"a","size":-1}`),
		"a size of all":               tableOf(`{"type":"reg","name":"a","size":9223372036854775807}`),
		"sizes of all":                tableOf(`{"type":"reg","name":"a","size":8000000},{"type":"reg","name":"b","size":9223372036854775807}`),
		"a number that is too large":  tableOf(`{"type":"reg","name":"a","size":9223372036854775808}`),
		"a content behind the end":    tableOf(`{"type":"reg","name":"a","size":1,"offset":1000000}`),
		"a part of nothing":           tableOf(`{"type":"chunk","name":"a","chunkSize":1}`),
		"a part of another file":      tableOf(`{"type":"reg","name":"a","size":9,"chunkSize":5},{"type":"chunk","name":"b","chunkOffset":5,"chunkSize":4}`),
		"a part that is missing":      tableOf(`{"type":"reg","name":"a","size":9,"chunkSize":5},{"type":"reg","name":"b"}`),
		"a last part that is missing": tableOf(`{"type":"reg","name":"a","size":9,"chunkSize":5}`),
		"a part that is too long":     tableOf(`{"type":"reg","name":"a","size":9,"chunkSize":5},{"type":"chunk","name":"a","chunkOffset":5,"chunkSize":5}`),
		"a part of another place":     tableOf(`{"type":"reg","name":"a","size":9,"chunkSize":5},{"type":"chunk","name":"a","chunkOffset":4,"chunkSize":4}`),
		"a time that is none":         tableOf(`{"type":"reg","name":"a","modtime":"now"}`),
		"an attribute that is none":   tableOf(`{"type":"reg","name":"a","xattrs":{"user.a":"%"}}`),
	} {
		for _, stargz := range []bool{false, true} {
			data := listed(t, stargz, json)
			if stargz && len(json) > 8<<20 {
				continue // the table is a file of the layer, which is then too large as well
			}
			walk := (&image.Walker{Limits: small}).Start()
			// What it was charged for the table is given back, however often.
			for range 20 {
				table, err := walk.Layer(t.Context(), seekBlob(data))
				if err != nil {
					t.Errorf("%s (eStargz: %v): %v", name, stargz, err)
					break
				}
				if len(table.Files) == 0 || table.Files[0].Path != "a" || table.Files[0].Offset == 0 {
					t.Errorf("%s (eStargz: %v): the table was believed: %+v", name, stargz, table.Files)
					break
				}
			}
		}
	}
	for _, stargz := range []bool{false, true} {
		table := layerOf(t, seekBlob(listed(t, stargz, tableOf(entryA))), image.Walker{Limits: small})
		if f := table.Files[0]; f.Offset != 0 || f.Size != 1000 || f.ModTime != 1_700_000_000 {
			t.Errorf("an honest one wasn't believed: %+v", table.Files)
		}
	}
}

// What the manifest says of a table has to be true.
func TestAnnotationsOfTables(t *testing.T) {
	const (
		stargz   = "containerd.io/snapshot/stargz/toc.digest"
		position = "io.github.containers.zstd-chunked.manifest-position"
		checksum = "io.github.containers.zstd-chunked.manifest-checksum"
	)
	json := tableOf(entryA)
	gz, zst := listed(t, true, json), listed(t, false, json)
	packed := zstandard(t, []byte(json))
	at := fmt.Sprintf("%d:%d:%d:1", bytes.Index(zst, packed), len(packed), len(json))
	good, other := digest.FromBytes(packed).String(), digest.FromString("other").String()
	for _, c := range []struct {
		name        string
		data        []byte
		annotations map[string]string
		believed    bool
	}{
		{"eStargz", gz, map[string]string{stargz: digest.FromString(json).String()}, true},
		{"eStargz of another digest", gz, map[string]string{stargz: other}, false},
		{"eStargz of no digest", gz, map[string]string{stargz: "sha256:../../etc"}, false},
		{"zstd", zst, map[string]string{position: at, checksum: good}, true},
		{"zstd of another digest", zst, map[string]string{position: at, checksum: other}, false},
		{"zstd without a digest", zst, map[string]string{position: "1:1:1:1"}, true}, // by its footer
		{"zstd without a place", zst, map[string]string{checksum: good}, true},
		{"zstd without a place, of another digest", zst, map[string]string{checksum: other}, false},
		{"zstd elsewhere", zst, map[string]string{position: "1:5:5:1", checksum: good}, false},
		{"zstd outside", zst, map[string]string{position: "1:9223372036854775807:1:1", checksum: good}, false},
		{"zstd before the start", zst, map[string]string{position: "-5:10:1:1", checksum: good}, false},
		{"zstd nowhere", zst, map[string]string{position: "here", checksum: good}, false},
	} {
		table := layerOf(t, annotated(seekBlob(c.data), c.annotations), image.Walker{})
		if believed := table.Files[0].Offset == 0; believed != c.believed {
			t.Errorf("%s: believed %v, want %v", c.name, believed, c.believed)
		}
	}
}

// Footers may say anything.
func TestLyingFooters(t *testing.T) {
	honest := listed(t, false, tableOf(entryA))
	gz := listed(t, true, tableOf(entryA))
	gz = gz[:len(gz)-51]
	for _, at := range []string{"0000000000000000", "7fffffffffffffff", "ffffffffffffffff", "-000000000000001", "0000000000000001", fmt.Sprintf("%016x", len(gz)), "zzzzzzzzzzzzzzzz"} {
		footer := bytes.Replace(stargzFooter(0), []byte("0000000000000000"), []byte(at), 1)
		if table := layerOf(t, seekBlob(append(bytes.Clone(gz), footer...)), image.Walker{}); table.Files[0].Offset == 0 {
			t.Errorf("a table at %s was found", at)
		}
	}
	for _, footer := range [][]byte{
		chunkedFooter(0, 10), chunkedFooter(1<<63, 1<<63), chunkedFooter(1<<63-1, 1<<63-1), chunkedFooter(8, 1<<40), chunkedFooter(8, 0),
		chunkedFooter(8, 5)[:40], []byte("GNUlInUx"), bytes.Repeat([]byte("GNUlInUx"), 5),
	} {
		data := append(bytes.Clone(honest[:len(honest)-72]), skipped(footer)...)
		if table := layerOf(t, seekBlob(data), image.Walker{}); table.Files[0].Offset == 0 {
			t.Errorf("a table by the footer %x was found", footer)
		}
	}
}

// From afar, only what the manifest vouches for is read, and nothing of it is cached.
func TestPartsFromAfar(t *testing.T) {
	for _, format := range imagetest.ListedFormats {
		data, annotations := format.Layer(t, files(300, 5000))
		whole := layerOf(t, blob(data), image.Walker{})
		read := int64(0)
		b := blob(data)
		b.Digest = digest.FromBytes(data)
		b.Part = func(_ context.Context, offset, n int64) (io.ReadCloser, error) {
			read += n
			return io.NopCloser(bytes.NewReader(data[offset : offset+n])), nil
		}
		cache := &memory{}
		var progress, all int64
		w := image.Walker{Cache: cache, Progress: func(n, of int64) { progress, all = n, of }}
		tables, err := w.Start().Layers(t.Context(), []image.Blob{annotated(b, annotations)})
		if err != nil {
			t.Fatal(err)
		}
		imagetest.SameFiles(t, tables[0], whole)
		if read == 0 || read > int64(len(data))/2 {
			t.Errorf("%s: %d of %d bytes read", format.Name, read, len(data))
		}
		if progress != read || all < progress {
			t.Errorf("%s: progress told of %d of %d bytes, and %d were read", format.Name, progress, all, read)
		}
		if len(cache.puts) > 0 {
			t.Errorf("%s: a table that nothing was held against was cached", format.Name)
		}
		read = 0
		if table := layerOf(t, b, w); read != 0 || table.Files[0].Offset == 0 {
			t.Errorf("%s: %d bytes read without an annotation", format.Name, read)
		}
		b.Part = func(context.Context, int64, int64) (io.ReadCloser, error) { return nil, io.ErrNoProgress }
		if table := layerOf(t, annotated(b, annotations), w); table.Files[0].Offset == 0 {
			t.Errorf("%s: a table of parts that nobody gives out", format.Name)
		}
	}
}

// memory is a cache that keeps nothing.
type memory struct{ puts []digest.Digest }

func (*memory) Get(digest.Digest) (image.Table, bool) { return image.Table{}, false }
func (m *memory) Put(d digest.Digest, _ image.Table)  { m.puts = append(m.puts, d) }

// No table of contents makes the reading of a good layer fail.
func FuzzTableOfContents(f *testing.F) {
	f.Add([]byte(tableOf(entryA)), "", true)
	f.Add([]byte(tableOf(`{"type":"reg","name":"a","size":9,"chunkSize":5},{"type":"chunk","name":"a","chunkOffset":5,"chunkSize":4}`)), "", false)
	f.Add([]byte(tableOf(`{"type":"symlink","name":"l","linkName":"../../x","xattrs":{"a":"Yg=="}}`)), "1:2:3:4", false)
	f.Add([]byte(tableOf(`{"type":"char","name":"dev/x","devMajor":-1,"uid":99999999999}`)), "sha256:00", true)
	f.Fuzz(func(t *testing.T, json []byte, annotation string, stargz bool) {
		b := seekBlob(listed(t, stargz, string(json)))
		if annotation != "" {
			b.Annotations = map[string]string{
				"containerd.io/snapshot/stargz/toc.digest":            annotation,
				"io.github.containers.zstd-chunked.manifest-position": annotation,
				"io.github.containers.zstd-chunked.manifest-checksum": annotation,
			}
		}
		table := layerOf(t, b, image.Walker{Limits: image.Limits{LayerBytes: 16 << 20, TableBytes: 1 << 20}})
		for _, file := range table.Files {
			if strings.HasPrefix(file.Path, "../") || strings.HasPrefix(file.Path, "/") || file.Size < 0 || file.Size > 16<<20 {
				t.Errorf("%+v", file)
			}
		}
	})
}
