package imagetest

import (
	"bytes"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/containerd/stargz-snapshotter/estargz/zstdchunked"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
	"go.podman.io/storage/pkg/chunked/compressor"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// Listed is a format of layers that has a table of contents, as the tools of those
// who defined it write it.
type Listed struct {
	Name      string
	MediaType types.MediaType
	// Pack makes a layer of a tar.
	Pack func(testing.TB, []byte) ([]byte, map[string]string)
}

// ListedFormats are all such formats: that of nerdctl and BuildKit, that of podman, and
// the first one's own writer of the other's.
var ListedFormats = []Listed{
	{"eStargz", types.OCILayer, packStargz},
	{"zstd-chunked", types.OCILayerZStd, packChunked},
	{"zstd-chunked by stargz-snapshotter", types.OCILayerZStd, packStargzChunked},
}

func packStargz(t testing.TB, tar []byte) ([]byte, map[string]string) {
	t.Helper()
	out, toc := stargz(t, tar)
	return out, map[string]string{estargz.TOCJSONDigestAnnotation: toc}
}

func packStargzChunked(t testing.TB, tar []byte) ([]byte, map[string]string) {
	t.Helper()
	annotations := map[string]string{}
	out, _ := stargz(t, tar, estargz.WithCompression(&bothWays{Compressor: &zstdchunked.Compressor{CompressionLevel: zstd.SpeedFastest, Metadata: annotations}}))
	return out, annotations
}

type bothWays struct {
	*zstdchunked.Compressor
	zstdchunked.Decompressor
}

// stargz packs with chunks that are small enough for files to have several.
func stargz(t testing.TB, tar []byte, opts ...estargz.Option) (_ []byte, toc string) {
	t.Helper()
	blob, err := estargz.Build(io.NewSectionReader(bytes.NewReader(tar), 0, int64(len(tar))), append(opts, estargz.WithChunkSize(max(300, len(tar)/50)), estargz.WithParallelism(1))...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(blob)
	if err == nil {
		err = blob.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out, blob.TOCDigest().String()
}

func packChunked(t testing.TB, tar []byte) ([]byte, map[string]string) {
	t.Helper()
	var out bytes.Buffer
	annotations := map[string]string{}
	fast := 1
	w, err := compressor.ZstdCompressor(&out, annotations, &fast)
	if err == nil {
		_, err = w.Write(tar)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), annotations
}

// Layer is a layer in the format, and the annotations of its descriptor. Entries that
// not all tools take are changed.
func (l Listed) Layer(t testing.TB, entries Layer) ([]byte, map[string]string) {
	t.Helper()
	return l.Pack(t, Tar(t, packable(entries)))
}

// Image is an image of the case's layers.
func (l Listed) Image(t testing.TB, c Case) v1.Image {
	t.Helper()
	tars := make([][]byte, len(c.Layers))
	for i, entries := range c.Layers {
		tars[i] = Tar(t, packable(entries))
	}
	return l.ImageOf(t, tars...)
}

// ImageOf is an image of layers.
func (l Listed) ImageOf(t testing.TB, tars ...[]byte) v1.Image {
	t.Helper()
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}})
	for _, tar := range tars {
		blob, annotations := l.Pack(t, tar)
		var layer v1.Layer
		if err == nil {
			layer, err = tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(blob)), nil }, tarball.WithMediaType(l.MediaType))
		}
		if err == nil {
			img, err = mutate.Append(img, mutate.Addendum{Layer: layer, Annotations: annotations, MediaType: l.MediaType})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// packable are the entries that all of the tools take: sparse files become usual ones,
// and of those that occur twice the last one stays.
func packable(entries Layer) Layer {
	type place struct{ mark, path string }
	last := map[place]int{}
	key := func(e Entry) place {
		if e.Kind == "whiteout" || e.Kind == "opaque" {
			return place{e.Kind, e.Path}
		}
		return place{"", e.Path}
	}
	for i, e := range entries {
		last[key(e)] = i
	}
	var out Layer
	for i, e := range entries {
		if e.Sparse = 0; last[key(e)] == i {
			out = append(out, e)
		}
	}
	return out
}

// ConformListed holds tables that a source makes of tables of contents against those
// of whole layers, of all cases in all formats. The function makes a source of an image.
func ConformListed(t *testing.T, source func(*testing.T, v1.Image) image.Source) {
	for _, format := range ListedFormats {
		for _, c := range Cases(t) {
			t.Run(strings.ReplaceAll(format.Name+"/"+c.Name, " ", "-"), func(t *testing.T) {
				src := source(t, format.Image(t, c))
				defer src.Close()
				whole, err := src.Read(t.Context(), "linux/amd64", &image.Walker{Hash: true})
				if err != nil {
					t.Fatal(err)
				}
				listed, err := src.Read(t.Context(), "linux/amd64", &image.Walker{})
				if err != nil {
					t.Fatal(err)
				}
				for i := range whole.Layers {
					SameFiles(t, listed.Layers[i].Table, whole.Layers[i].Table)
				}
			})
		}
	}
}

// SameFiles holds a table that was made of a table of contents against that of the
// whole layer. Its files have no offset: that shows that it is one.
func SameFiles(t testing.TB, listed, whole image.Table) {
	t.Helper()
	for _, f := range listed.Files {
		if f.Offset != 0 {
			t.Errorf("%s: the table wasn't made of a table of contents", f.Path)
		}
	}
	if listed.Tar > whole.Tar || listed.Tar == 0 && len(listed.Files) > 0 {
		t.Errorf("a tar of at least %d bytes, and it has %d", listed.Tar, whole.Tar)
	}
	// The table itself isn't listed, and in some layers it is a file.
	if n := len(whole.Files); n > 0 && whole.Files[n-1].Path == estargz.TOCTarName {
		whole.Files = whole.Files[:n-1]
	}
	if d := cmp.Diff(plain(whole.Files), plain(listed.Files)); d != "" {
		t.Errorf("the layer (-) has other files than its table of contents (+):\n%s", d)
	}
}

// plain are files without what a table of contents doesn't have.
func plain(files []image.File) []image.File {
	out := make([]image.File, len(files))
	for i, f := range files {
		f.Offset, f.Hash, f.Xattrs = 0, 0, maps.Clone(f.Xattrs)
		out[i] = f
	}
	return out
}
