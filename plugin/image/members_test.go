package image_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

// Bytes that are held against a digest need no other checksum; all others do.
func TestCompressedLayersAreCheckedOnce(t *testing.T) {
	plain := imagetest.Tar(t, files(20, 5000))
	whole := gzipped(t, plain)
	// Tools put several members into a file, and empty ones; a tar's entries may go across.
	several := slices.Concat(gzipped(t, plain[:700]), gzipped(t, nil), gzipped(t, nil), gzipped(t, plain[700:]))
	const digestLies = "damaged"
	for _, c := range []struct {
		name       string
		data       []byte
		held, bare string // what the error says, with and without a digest; "" is none
		lying      string // with another's digest
	}{
		{"gzip", whole, "", "", digestLies},
		{"several members", several, "", "", digestLies},
		{"zstd", zstandard(t, plain), "", "", digestLies},
		{"checksum lies", broken(whole), "", "invalid checksum", digestLies},
		{"checksum of an inner member lies", slices.Concat(broken(gzipped(t, plain[:700])), gzipped(t, plain[700:])), "", "invalid checksum", digestLies},
		{"checksum of zstd lies", changed(zstandard(t, plain), -1), "", "CRC check failed", digestLies},
		{"length lies", changed(whole, -1), "invalid checksum", "invalid checksum", "invalid checksum"},
		{"content changed", changed(gzippedAt(t, gzip.NoCompression, plain), 600), "", "invalid checksum", digestLies},
		{"trailer cut", whole[:len(whole)-3], "unexpected EOF", "unexpected EOF", "unexpected EOF"},
		{"trailer missing", whole[:len(whole)-8], "unexpected EOF", "unexpected EOF", "unexpected EOF"},
		{"cut", whole[:200], "unexpected EOF", "unexpected EOF", "unexpected EOF"},
		{"next member cut", several[:len(several)-200], "unexpected EOF", "unexpected EOF", "unexpected EOF"},
		{"next header cut", slices.Concat(whole, whole[:5]), "unexpected EOF", "unexpected EOF", "unexpected EOF"},
		{"something else behind it", slices.Concat(whole, []byte("something else")), "invalid header", "invalid header", "invalid header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tables []image.Table
			for _, way := range []struct {
				digest digest.Digest
				want   string
			}{{digest.FromBytes(c.data), c.held}, {"", c.bare}, {digest.FromString("other"), c.lying}} {
				table, err := (&image.Walker{Hash: true}).Start().Layer(t.Context(), digested(blob(c.data), way.digest))
				switch {
				case way.want == "" && err != nil, way.want != "" && (err == nil || !strings.Contains(err.Error(), way.want)):
					t.Errorf("digest %q: %v; want an error with %q", way.digest, err, way.want)
				case err == nil:
					tables = append(tables, table)
				}
			}
			for _, table := range tables {
				if len(table.Files) != 20 || table.Tar != int64(len(plain)) || fmt.Sprint(table) != fmt.Sprint(tables[0]) {
					t.Errorf("%d files in a tar of %d bytes", len(table.Files), table.Tar)
				}
			}
		})
	}
}

// changed has another byte; places below zero are counted from the end.
func changed(data []byte, at int) []byte {
	out := bytes.Clone(data)
	out[(at+len(out))%len(out)]++
	return out
}
