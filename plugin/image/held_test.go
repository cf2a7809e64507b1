package image_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

// A content is read once, however much of it each visitor wants, and in which order.
func TestText(t *testing.T) {
	long := bytes.Repeat([]byte("a text\n"), 50_000)
	binary := append(bytes.Repeat([]byte{'a'}, 500), bytes.Repeat([]byte{0, 1}, 50_000)...)
	late := append(bytes.Repeat([]byte{'a'}, 600), 0)
	huge := bytes.Repeat([]byte("a text\n"), 500_000) // more than is held
	all := func(*image.File) bool { return true }
	text := image.Visitor{Name: "text/1", Wants: all, Read: func(f *image.File, in io.Reader) ([]byte, error) {
		got, err := image.Text(f, in)
		return bytes.Clone(got), err
	}}
	whole := image.Visitor{Name: "whole/1", Wants: all, Read: func(_ *image.File, in io.Reader) ([]byte, error) { return io.ReadAll(in) }}
	for name, c := range map[string]struct{ content, text []byte }{
		"short": {long[:20], long[:20]}, "long": {long, long}, "binary": {binary, nil}, "a zero byte later": {late, late}, "huge": {huge, huge},
	} {
		for _, visitors := range [][]image.Visitor{{text}, {text, imagetest.FirstByte}, {imagetest.FirstByte, text}, {text, whole}, {whole, text}} {
			tar := imagetest.Raw(t, "d/file", c.content)
			w := image.Walker{Hash: true, Visitors: visitors}
			table, err := w.Start().Layer(t.Context(), blob(tar))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := note(table, text); !bytes.Equal(got, c.text) {
				t.Errorf("%s: the text has %d bytes, want %d", name, len(got), len(c.text))
			}
			for _, v := range visitors {
				if got := note(table, v); v.Name == whole.Name && !bytes.Equal(got, c.content) || v.Name == imagetest.FirstByte.Name && string(got) != "a" {
					t.Errorf("%s: %s saw %d bytes", name, v.Name, len(got))
				}
			}
			if table.Files[0].Hash != xxh3.Hash(c.content) {
				t.Errorf("%s: the hash is wrong", name)
			}
			if _, err := w.Start().Layer(t.Context(), blob(tar[:512+len(c.content)-1])); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
				t.Errorf("%s, cut: %v", name, err)
			}
		}
	}
}

func note(table image.Table, of image.Visitor) []byte {
	for _, n := range table.Notes[of.Name] {
		return n.Data
	}
	return nil
}
