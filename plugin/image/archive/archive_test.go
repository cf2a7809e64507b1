package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

// Ways to write an archive, and ways to read it.
var (
	writers = map[string]func(*testing.T, imagetest.Case, io.Writer) error{
		"docker save": writeSaved, "OCI in gzip": writeLayout(compression.GZip), "OCI in zstd": writeLayout(compression.ZStd), "OCI plain": writeLayout(compression.None),
	}
	readers = map[string]func(t *testing.T, file string) image.Source{
		"file": openFile, "stream": openStream, "compressed": openCompressed,
	}
)

func TestConformance(t *testing.T) {
	for written, write := range writers {
		for way, open := range readers {
			t.Run(written+"/"+way, func(t *testing.T) {
				imagetest.Conform(t, func(t *testing.T, c imagetest.Case) image.Source {
					file := filepath.Join(t.TempDir(), "image.tar")
					out, err := os.Create(file)
					if err == nil {
						err = write(t, c, out)
					}
					if err == nil {
						err = out.Close()
					}
					if err != nil {
						t.Fatal(err)
					}
					return open(t, file)
				})
			})
		}
	}
}

// writeSaved writes layers by the names that docker save gave them before
// version 25, uncompressed, with the manifest behind them, and a layer that
// occurs twice as a link.
func writeSaved(t *testing.T, c imagetest.Case, out io.Writer) error {
	img := c.Image(t)
	config, err := img.RawConfigFile()
	if err != nil {
		return err
	}
	w := tar.NewWriter(out)
	add := func(name string, data []byte) {
		if err == nil {
			err = w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg})
		}
		if err == nil {
			_, err = w.Write(data)
		}
	}
	list, first := "", map[string]string{}
	for i, entries := range c.Layers {
		name, data := string(rune('a'+i))+"/layer.tar", imagetest.Tar(t, entries)
		if same, ok := first[string(data)]; ok {
			err = w.WriteHeader(&tar.Header{Name: name, Linkname: "../" + same, Typeflag: tar.TypeSymlink})
		} else {
			first[string(data)] = name
			add(name, data)
		}
		list += `,"` + name + `"`
	}
	add("config.json", config)
	add("manifest.json", []byte(`[{"Config":"config.json","RepoTags":["app:1"],"Layers":[`+list[1:]+`]}]`))
	if err != nil {
		return err
	}
	return w.Close()
}

func writeLayout(how compression.Compression) func(*testing.T, imagetest.Case, io.Writer) error {
	return func(t *testing.T, c imagetest.Case, out io.Writer) error {
		return writeImage(t, c.Image(t, tarball.WithCompression(how)), out)
	}
}

// writeImage writes an OCI layout in a tar.
func writeImage(t testing.TB, img v1.Image, out io.Writer) error {
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = path.AppendImage(img)
	}
	w := tar.NewWriter(out)
	if err == nil {
		err = w.AddFS(os.DirFS(dir))
	}
	if err != nil {
		return err
	}
	return w.Close()
}

func TestTablesOfContents(t *testing.T) {
	imagetest.ConformListed(t, func(t *testing.T, img v1.Image) image.Source {
		file := filepath.Join(t.TempDir(), "image.tar")
		out, err := os.Create(file)
		if err == nil {
			err = writeImage(t, img, out)
		}
		if err == nil {
			err = out.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return openFile(t, file)
	})
}

func openFile(t *testing.T, file string) image.Source {
	src, err := Open(file, "")
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func openStream(t *testing.T, file string) image.Source {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return NewStream(onlyReader{bytes.NewReader(data)}, "-", "")
}

func openCompressed(t *testing.T, file string) image.Source {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	if _, err = gz.Write(data); err == nil {
		err = gz.Close()
	}
	if err == nil {
		err = os.WriteFile(file+".gz", out.Bytes(), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	return openFile(t, file+".gz")
}

type onlyReader struct{ io.Reader }

func TestOtherToolsArchive(t *testing.T) {
	c := imagetest.Cases(t)[0]
	file := filepath.Join(t.TempDir(), "image.tar")
	tag, err := name.NewTag("example.com/app:1")
	if err == nil {
		err = tarball.WriteToFile(file, tag, c.Image(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"", "example.com/app:1"} {
		src, err := Open(file, ref)
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		img, err := src.Read(t.Context(), "", &image.Walker{Hash: true, Visitors: []image.Visitor{imagetest.FirstByte}})
		if err != nil {
			t.Fatal(err)
		}
		if img.Name != "example.com/app:1" {
			t.Errorf("name %q", img.Name)
		}
		c.Check(t, img)
		if img, err = src.Read(t.Context(), "", nil); err != nil || img.Layers[0].Files != nil {
			t.Errorf("without a walker: %v, %v", img, err)
		}
	}
	src, err := Open(file, "other:1")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if _, err := src.Read(t.Context(), "", nil); err == nil {
		t.Error("an image that isn't in the archive was found")
	}
}
