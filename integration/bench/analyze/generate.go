//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// shape is what an image is made of. The same shape makes the same bytes.
type shape struct {
	name      string
	bytes     int64 // of all files' contents
	layers    int
	files     int
	whiteouts int // that delete a file of a lower layer
	opaques   int // folders that hide what lower layers have there
}

// perFolder is how many files a folder has.
const perFolder = 100

// write writes the tar of one layer. Every layer has as many files as the others,
// in folders of its own; whiteouts and opaque folders are about the layer below.
// A file is a slice of text, which gzip halves and more, or of noise, which it
// can't. One of a hundred files has half of the bytes, as in images that people
// build.
func (s shape) write(layer int, pool *pool, out io.Writer) error {
	w := tar.NewWriter(out)
	random := rand.New(rand.NewPCG(uint64(layer), 1))
	files := share(s.files, s.layers, layer)
	budget := s.bytes / int64(s.files)
	for i := range files {
		size := random.Int64N(budget) // half of the average, as the other half goes to the large ones
		if i%perFolder == 0 {
			if err := header(w, tar.TypeDir, folder(layer, i)+"/", 0); err != nil {
				return err
			}
			size = budget * perFolder / 2
		}
		if err := header(w, tar.TypeReg, file(layer, i), size); err != nil {
			return err
		}
		if err := pool.copy(w, random, size); err != nil {
			return err
		}
	}
	if layer > 0 {
		below := share(s.files, s.layers, layer-1)
		for i := range share(s.opaques, s.layers-1, layer-1) {
			if err := header(w, tar.TypeReg, folder(layer-1, i*perFolder%below)+"/.wh..wh..opq", 0); err != nil {
				return err
			}
		}
		for i := range share(s.whiteouts, s.layers-1, layer-1) {
			at := below - 1 - i%below
			if err := header(w, tar.TypeReg, fmt.Sprintf("%s/.wh.%d", folder(layer-1, at), at), 0); err != nil {
				return err
			}
		}
	}
	return w.Close()
}

// share is the part of n that falls to one of so many layers.
func share(n, layers, layer int) int { return n*(layer+1)/layers - n*layer/layers }

func folder(layer, file int) string { return fmt.Sprintf("srv/%d/%d", layer, file/perFolder) }

func file(layer, i int) string { return fmt.Sprintf("%s/%d", folder(layer, i), i) }

func header(w *tar.Writer, kind byte, name string, size int64) error {
	return w.WriteHeader(&tar.Header{Typeflag: kind, Name: name, Mode: 0o755, Size: size, ModTime: time.Unix(1_700_000_000, 0)})
}

// pool is what contents are cut from. gzip looks back 32 KiB, so that it can't tell
// that a pool is used again.
type pool struct{ text, noise []byte }

const poolBytes = 8 << 20

func newPool() *pool {
	random := rand.New(rand.NewPCG(2, 3))
	words := make([]string, 4096)
	for i := range words {
		var word strings.Builder
		for range 2 + random.IntN(9) {
			word.WriteByte("etaoinshrdlucmfw"[random.IntN(16)])
		}
		words[i] = word.String()
	}
	var text bytes.Buffer
	for text.Len() < poolBytes {
		text.WriteString(words[random.IntN(len(words))] + " ")
	}
	noise := make([]byte, poolBytes)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	return &pool{text.Bytes()[:poolBytes], noise}
}

// copy writes a content. One of eight is noise.
func (p *pool) copy(w io.Writer, random *rand.Rand, size int64) error {
	from := p.text
	if random.IntN(8) == 0 {
		from = p.noise
	}
	for size > 0 {
		at := random.Int64N(poolBytes)
		n := min(size, poolBytes-at)
		if _, err := w.Write(from[at : at+n]); err != nil {
			return err
		}
		size -= n
	}
	return nil
}
