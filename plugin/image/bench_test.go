package image_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

// some is a layer of 2,000 files with 40 MB, that compresses as sources do.
func some(b *testing.B) []byte {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var layer imagetest.Layer
	for i := range 2000 {
		layer = append(layer, imagetest.Entry{Kind: "file", Path: fmt.Sprintf("usr/lib/%x/%x", random.Uint64(), i), Size: 20_000, Mode: 0o644})
	}
	plain := imagetest.Tar(b, layer)
	for i := range plain { // noise, but not in headers
		if plain[i] == '\n' && random.IntN(4) == 0 {
			plain[i] = byte(random.Uint32())
		}
	}
	return gzipped(b, plain)
}

// What reading a layer costs can be held against what inflating it costs.
func BenchmarkInflate(b *testing.B) {
	data := some(b)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		plain, err := image.Decompress(bufio.NewReaderSize(bytes.NewReader(data), 256<<10))
		if err == nil {
			_, err = io.Copy(io.Discard, plain)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHeaders(b *testing.B) { benchmarkWalk(b, image.Walker{}) }
func BenchmarkHashes(b *testing.B)  { benchmarkWalk(b, image.Walker{Hash: true}) }

func benchmarkWalk(b *testing.B, w image.Walker) {
	data := some(b)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := w.Start().Layer(b.Context(), blob(data)); err != nil {
			b.Fatal(err)
		}
	}
}

// 100 layers of 10,000 entries, which overwrite and delete each other's.
func BenchmarkStack(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var layers []*image.Layer
	for range 100 {
		l := &image.Layer{}
		for range 10_000 {
			f := image.File{Path: fmt.Sprintf("d%d/e%d/f%d", random.IntN(50), random.IntN(50), random.IntN(200)), Size: 1}
			if random.IntN(30) == 0 {
				f.Type = image.Whiteout
			}
			l.Files = append(l.Files, f)
		}
		layers = append(layers, l)
	}
	for b.Loop() {
		image.Stack(layers)
	}
}
