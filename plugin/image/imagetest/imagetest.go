// Package imagetest is the correctness suite for image sources: images in
// words, in cases.txt, with what is true of them, derived by hand. It is for
// tests only.
package imagetest

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/imgmgr/imgmgr/plugin/image"
)

//go:embed cases.txt
var text string

// Case is one image, and what is true of it.
type Case struct {
	Name   string
	Layers []Layer
	Truth  Truth
	// NoEngine says why no Docker Engine takes the image; "" for most.
	NoEngine string
}

// Layer is one layer's entries in the order of its tar.
type Layer []Entry

// Entry is one entry of a layer, as cases.txt has it.
type Entry struct {
	Kind     string // "file", "dir", …
	Path     string
	Target   string // of links
	Size     int64
	Sparse   int64 // bytes of data in a sparse file; 0 for all others
	Mode     int64
	UID, GID int
	Xattr    [2]string // name and value
	content  string    // what the content is made from; "" is Path
}

// Truth is what cases.txt says of an image. Sizes are in bytes.
type Truth struct {
	Shipped, Live, Overwritten, Deleted int64
	Gone                                map[string]int // "0:path" to the layer that buried it
	Tree                                []string       // folders with a slash
}

// Cases are all cases.
func Cases(t testing.TB) []Case {
	t.Helper()
	var cases []Case
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		var err error
		if words[0] == "case" {
			cases = append(cases, Case{Name: strings.Join(words[1:], " "), Truth: Truth{Gone: map[string]int{}}})
		} else {
			err = cases[len(cases)-1].add(words, strings.HasPrefix(line, " "))
		}
		if err != nil {
			t.Fatalf("cases.txt:%d: %v", i+1, err)
		}
	}
	return cases
}

func (c *Case) add(words []string, inLayer bool) (err error) {
	if inLayer {
		e, err := parseEntry(words)
		last := len(c.Layers) - 1
		c.Layers[last] = append(c.Layers[last], e)
		return err
	}
	switch words[0] {
	case "no":
		c.NoEngine = strings.Join(words[2:], " ")
	case "layer":
		c.Layers = append(c.Layers, Layer{})
	case "shipped":
		c.Truth.Shipped, err = strconv.ParseInt(words[1], 10, 64)
	case "live":
		c.Truth.Live, err = strconv.ParseInt(words[1], 10, 64)
	case "overwritten":
		c.Truth.Overwritten, err = strconv.ParseInt(words[1], 10, 64)
	case "deleted":
		c.Truth.Deleted, err = strconv.ParseInt(words[1], 10, 64)
	case "gone":
		c.Truth.Gone[unescape(words[1])], err = strconv.Atoi(words[3])
	case "tree":
		for _, path := range words[1:] {
			c.Truth.Tree = append(c.Truth.Tree, unescape(path))
		}
	default:
		err = fmt.Errorf("unknown word %q", words[0])
	}
	return err
}

func unescape(path string) string { return strings.ReplaceAll(path, "%20", " ") }

func parseEntry(words []string) (Entry, error) {
	e := Entry{Kind: words[0], Path: unescape(words[1]), Mode: 0o644}
	settings := words[2:]
	var err error
	switch e.Kind {
	case "file":
		e.Size, err = strconv.ParseInt(words[2], 10, 64)
		settings = words[3:]
	case "link", "symlink":
		e.Target = words[2]
		settings = words[3:]
	case "dir":
		e.Mode = 0o755
	}
	for _, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		if err == nil {
			err = e.set(key, value)
		}
	}
	return e, err
}

func (e *Entry) set(key, value string) (err error) {
	switch key {
	case "content":
		e.content = value
	case "mode":
		e.Mode, err = strconv.ParseInt(value, 8, 64)
	case "uid":
		e.UID, err = strconv.Atoi(value)
	case "gid":
		e.GID, err = strconv.Atoi(value)
	case "sparse":
		e.Sparse, err = strconv.ParseInt(value, 10, 64)
	case "xattr":
		e.Xattr[0], e.Xattr[1], _ = strings.Cut(value, "=")
	default:
		err = fmt.Errorf("unknown setting %q", key)
	}
	return err
}

// Image is the case as an image for linux/amd64, whose layers are compressed as
// the options say: with gzip where there are none. Its history tells the number
// of each layer, and one step without a layer before each.
func (c Case) Image(t testing.TB, opts ...tarball.LayerOption) v1.Image {
	t.Helper()
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}})
	for i, entries := range c.Layers {
		var layer v1.Layer
		if err == nil {
			tar := Tar(t, entries)
			layer, err = tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(tar)), nil }, opts...)
		}
		if err == nil {
			img, err = mutate.Append(img,
				mutate.Addendum{History: v1.History{CreatedBy: "ENV LAYER=" + strconv.Itoa(i), EmptyLayer: true}},
				mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "COPY layer " + strconv.Itoa(i)}})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Conform holds a source against all cases. The function makes a source of the
// one image that a case is, or nil where it has seen that there can't be one.
func Conform(t *testing.T, source func(*testing.T, Case) image.Source) {
	for _, c := range Cases(t) {
		t.Run(strings.ReplaceAll(c.Name, " ", "-"), func(t *testing.T) {
			src := source(t, c)
			if src == nil {
				return
			}
			img, err := src.Read(t.Context(), "linux/amd64", &image.Walker{Hash: true, Visitors: []image.Visitor{FirstByte}})
			if err != nil {
				t.Fatal(err)
			}
			c.Check(t, img)
			if src.String() == "" {
				t.Error("the source has no name")
			}
			if err := src.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// FirstByte is a visitor that writes down the first byte of each file below d.
var FirstByte = image.Visitor{
	Name:  "first byte/1",
	Wants: func(f *image.File) bool { return strings.HasPrefix(f.Path, "d/") },
	Read: func(_ *image.File, content io.Reader) ([]byte, error) {
		first := make([]byte, 1)
		_, err := io.ReadFull(content, first)
		return first, err
	},
}
