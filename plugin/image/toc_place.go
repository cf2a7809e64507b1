package image

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// place is where in a layer its table of contents is, compressed.
type place struct {
	offset, length int64
	zstd           bool
	// digest is that of the JSON in eStargz, and that of the compressed bytes in
	// zstd:chunked; "" where the manifest doesn't have it.
	digest digest.Digest
}

// Annotations of a layer's descriptor that tell of its table. stargz-snapshotter and
// older versions of podman write those of zstd:chunked without "github", and its
// footer's magic with a small n.
const (
	estargzDigest = "containerd.io/snapshot/stargz/toc.digest"
	chunkedPlace  = "zstd-chunked.manifest-position" // offset:length:uncompressed length:type
	chunkedDigest = "zstd-chunked.manifest-checksum"
)

// chunkedOwners are before the names of zstd:chunked.
var chunkedOwners = []string{"io.github.containers.", "io.containers."}

// chunked finds an annotation of zstd:chunked.
func chunked(annotations map[string]string, name string) string {
	for _, owner := range chunkedOwners {
		if value := annotations[owner+name]; value != "" {
			return value
		}
	}
	return ""
}

// place finds a table of contents by the manifest's annotations, or by the layer's
// last bytes, if it is to probe them.
func (r *reader) place(ctx context.Context, b Blob, open part, probe bool, progress func(int64)) (place, bool) {
	if where := chunked(b.Annotations, chunkedPlace); where != "" {
		p := place{zstd: true, digest: digest.Digest(chunked(b.Annotations, chunkedDigest))}
		parts := strings.Split(where, ":")
		for i, into := range []*int64{&p.offset, &p.length} {
			if i < len(parts) {
				*into, _ = strconv.ParseInt(parts[i], 10, 64) // 0 isn't inside
			}
		}
		// What the manifest doesn't vouch for has to be found in the layer itself.
		if p.digest != "" {
			return p, p.inside(b.Size)
		}
	}
	if b.Annotations[estargzDigest] == "" && !probe {
		return place{}, false
	}
	n := min(b.Size, lastBytes)
	if n <= 0 {
		return place{}, false
	}
	end, err := open(ctx, b.Size-n, n)
	if err != nil {
		return place{}, false
	}
	defer end.Close()
	last, err := io.ReadAll(&source{ctx: ctx, in: io.LimitReader(end, n), progress: progress})
	if err != nil || int64(len(last)) != n {
		return place{}, false
	}
	if p, ok := estargzPlace(last, b.Size); ok {
		p.digest = digest.Digest(b.Annotations[estargzDigest])
		return p, p.inside(b.Size)
	}
	p, ok := chunkedFooter(last)
	p.digest = digest.Digest(chunked(b.Annotations, chunkedDigest))
	return p, ok && p.inside(b.Size)
}

// inside tells whether a place lies in a layer of so many bytes.
func (p place) inside(size int64) bool {
	return p.offset > 0 && p.length > 0 && p.offset < size && p.length <= size-p.offset
}

// lastBytes are enough for either footer.
const lastBytes = 72

// estargzPlace reads the footer of eStargz: an empty gzip stream with a field that has
// the place where the table begins, and which ends where the footer begins.
func estargzPlace(last []byte, size int64) (place, bool) {
	const footer, before, hex = 51, 16, 16 // bytes: of all, before the number, of the number
	if len(last) < footer {
		return place{}, false
	}
	last = last[len(last)-footer:]
	if !bytes.HasPrefix(last, magicGzip) || string(last[10:before]) != "\x1a\x00SG\x16\x00" || string(last[before+hex:before+hex+6]) != "STARGZ" {
		return place{}, false
	}
	offset, err := strconv.ParseInt(string(last[before:before+hex]), 16, 64)
	return place{offset: offset, length: size - footer - offset}, err == nil
}

// chunkedFooter reads the footer of zstd:chunked: a frame that decoders skip, with
// numbers and a magic at the end. Versions of it have 5, 7 and 8 numbers of 64 bits; the
// first two are the same.
func chunkedFooter(last []byte) (place, bool) {
	const header, number = 8, 8
	if !bytes.EqualFold(last[max(0, len(last)-number):], []byte("GNUlInUx")) {
		return place{}, false
	}
	for _, numbers := range []int{5, 7, 8} {
		at := len(last) - header - numbers*number
		if at < 0 || !isZstd(last[at:]) || int(binary.LittleEndian.Uint32(last[at+4:])) != numbers*number {
			continue
		}
		first := last[at+header:]
		return place{
			offset: int64(binary.LittleEndian.Uint64(first)), length: int64(binary.LittleEndian.Uint64(first[number:])), zstd: true,
		}, true
	}
	return place{}, false
}
