package image

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// What compressed layers begin with. Media types are not asked: some tools
// write the wrong ones.
var (
	magicGzip = []byte{0x1f, 0x8b}
	magicZstd = []byte{0x28, 0xb5, 0x2f, 0xfd}
	magicSkip = []byte{0x2a, 0x4d, 0x18} // after one of 0x50 to 0x5f: a zstd frame to skip
)

// zstdWindow is the largest window that a decoder keeps in memory. 128 MiB is
// what zstd --long uses.
const zstdWindow = 128 << 20

// isPlain looks at the first bytes of a file and goes back.
func isPlain(in io.ReadSeeker) (bool, error) {
	start := make([]byte, 4)
	n, err := io.ReadFull(in, start)
	if err != nil && n == 0 {
		return true, nil // empty: the tar reader has the say
	}
	_, err = in.Seek(0, io.SeekStart)
	return !Compressed(start[:n]), err
}

// Compressed reports whether bytes that start like this are of gzip or zstd. Four
// bytes are enough.
func Compressed(start []byte) bool {
	return bytes.HasPrefix(start, magicGzip) || isZstd(start)
}

func isZstd(start []byte) bool {
	return bytes.HasPrefix(start, magicZstd) ||
		len(start) >= 4 && start[0]&0xf0 == 0x50 && bytes.Equal(start[1:4], magicSkip)
}

// Decompress returns the plain bytes of a stream that may be compressed with gzip
// or zstd. Closing it gives back the decompressor, not the stream.
func Decompress(in *bufio.Reader) (io.ReadCloser, error) {
	start, err := in.Peek(4)
	switch {
	case bytes.HasPrefix(start, magicGzip):
		return gzip.NewReader(in)
	case isZstd(start):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	}
	return io.NopCloser(in), nil
}
