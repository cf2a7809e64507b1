package archive

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/cache"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

// files makes an archive of files; "-> " makes a symbolic link.
func files(t testing.TB, list ...[2]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range list {
		h := &tar.Header{Name: f[0], Mode: 0o644, Size: int64(len(f[1])), Typeflag: tar.TypeReg}
		if target, ok := strings.CutPrefix(f[1], "-> "); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target, 0
		}
		err := w.WriteHeader(h)
		if err == nil && h.Size > 0 {
			_, err = w.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const (
	configOfOne = `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:1"]}}`
	manifestOf  = `[{"Config":"c","RepoTags":["a:1"],"Layers":["l"]}]`
)

func TestHostileArchives(t *testing.T) {
	layer := string(imagetest.Tar(t, imagetest.Layer{{Kind: "file", Path: "a", Size: 1}}))
	index := func(manifests string) [2]string {
		return [2]string{"index.json", `{"schemaVersion":2,"manifests":[` + manifests + `]}`}
	}
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"nothing":                 {nil, "no image"},
		"no tar":                  {[]byte(strings.Repeat("no tar ", 200)), "not a tar archive"},
		"cut":                     {files(t, [2]string{"l", layer})[:700], "damaged"},
		"empty manifest":          {files(t, [2]string{"manifest.json", "[]"}), "no image in it"},
		"no JSON":                 {files(t, [2]string{"manifest.json", "{"}), "manifest.json"},
		"no configuration":        {files(t, [2]string{"manifest.json", manifestOf}, [2]string{"l", layer}), "c isn't in the archive"},
		"no layer":                {files(t, [2]string{"manifest.json", manifestOf}, [2]string{"c", configOfOne}), "l isn't in the archive"},
		"layers that don't match": {files(t, [2]string{"manifest.json", manifestOf}, [2]string{"c", `{"rootfs":{"diff_ids":[]}}`}, [2]string{"l", layer}), "its configuration lists 0"},
		"links in a circle":       {files(t, [2]string{"manifest.json", manifestOf}, [2]string{"c", configOfOne}, [2]string{"l", "-> m"}, [2]string{"m", "-> l"}), ""},
		"a link out":              {files(t, [2]string{"manifest.json", manifestOf}, [2]string{"c", configOfOne}, [2]string{"l", "-> ../../../etc/passwd"}), "isn't in the archive"},
		"no digest":               {files(t, index(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:../../x","size":1}`)), "digest"},
		"a digest that lies":      {files(t, index(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:`+strings.Repeat("0", 64)+`","size":1}`), [2]string{"blobs/sha256/" + strings.Repeat("0", 64), "{}"}), "another digest"},
		"a name twice":            {files(t, [2]string{"manifest.json", manifestOf}, [2]string{"c", configOfOne}, [2]string{"l", layer}, [2]string{"l", "-> gone"}), "isn't in the archive"},
		"two images":              {files(t, [2]string{"manifest.json", `[{"RepoTags":["a:1"]},{"RepoTags":["b:1"]}]`}), "choose one of a:1, b:1"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "a.tar")
			if err := os.WriteFile(file, c.archive, 0o666); err != nil {
				t.Fatal(err)
			}
			src, err := Open(file, "")
			if err == nil {
				defer src.Close()
				_, err = src.Read(t.Context(), "", &image.Walker{})
			}
			_, streamed := NewStream(bytes.NewReader(c.archive), "-", "").Read(t.Context(), "", &image.Walker{})
			for how, err := range map[string]error{"file": err, "stream": streamed} {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: %v; want an error with %q", how, err, c.want)
				}
			}
		})
	}
}

// Whatever is in an archive, nothing is written but tables in the cache.
func TestNothingIsWrittenOutsideTheCache(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("TMPDIR", dir)
	tables, err := cache.Open(filepath.Join(dir, "cache"), cache.DefaultBytes)
	if err != nil {
		t.Fatal(err)
	}
	escape := imagetest.Tar(t, imagetest.Layer{
		{Kind: "symlink", Path: "out", Target: "../../../../" + dir}, {Kind: "file", Path: "out/evil", Size: 9}, {Kind: "link", Path: "evil", Target: "../../evil"},
		{Kind: "file", Path: "/" + dir + "/evil", Size: 9}, {Kind: "whiteout", Path: "cache"},
	})
	var whole bytes.Buffer
	if err := writeImage(t, imagetest.Cases(t)[0].Image(t), &whole); err != nil {
		t.Fatal(err)
	}
	for name, archive := range map[string][]byte{
		"a layer with links out": files(t, [2]string{"manifest.json", manifestOf}, [2]string{"c", configOfOne}, [2]string{"l", string(escape)}),
		"names with links out":   files(t, [2]string{"manifest.json", strings.Replace(manifestOf, `"l"`, `"../../evil"`, 1)}, [2]string{"c", configOfOne}, [2]string{"../../evil", string(escape)}),
		"a whole image":          whole.Bytes(),
	} {
		for _, w := range []*image.Walker{{Cache: tables}, {Cache: tables, Hash: true}} {
			if _, err := NewStream(bytes.NewReader(archive), "-", "").Read(t.Context(), "", w); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(path, filepath.Join(dir, "cache")+"/") && !strings.Contains(path, t.Name()) {
			t.Errorf("%s was written", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// No archive makes a reading fail other than with an error, and a file is read as the
// same archive in a stream is.
func FuzzArchive(f *testing.F) {
	layer := imagetest.Tar(f, imagetest.Layer{{Kind: "file", Path: "a", Size: 1}})
	f.Add(files(f, [2]string{"l", string(layer)}, [2]string{"c", configOfOne}, [2]string{"manifest.json", manifestOf}))
	f.Add(files(f, [2]string{"m", string(layer)}, [2]string{"l", "-> m"}, [2]string{"c", configOfOne}, [2]string{"manifest.json", manifestOf}))
	f.Add(files(f, [2]string{"index.json", `{"schemaVersion":2,"manifests":[{"digest":"sha256:00","size":1}]}`}))
	c := imagetest.Cases(f)[0]
	images := []v1.Image{c.Image(f)}
	for _, format := range imagetest.ListedFormats {
		images = append(images, format.Image(f, c))
	}
	for _, img := range images {
		var out bytes.Buffer
		if err := writeImage(f, img, &out); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := image.Limits{LayerBytes: 16 << 20, TableBytes: 1 << 20}
		img, err := NewStream(bytes.NewReader(data), "-", "").Read(t.Context(), "", &image.Walker{Hash: true, Limits: limits})
		if (img == nil) == (err == nil) {
			t.Errorf("image %v, error %v", img, err)
		}
		if err == nil {
			image.Stack(img.Layers)
		}
		name := filepath.Join(t.TempDir(), "a.tar")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := Open(name, "")
		if err != nil {
			return
		}
		defer file.Close()
		for _, w := range []*image.Walker{{Limits: limits}, {Hash: true, Limits: limits}} {
			again, err := file.Read(t.Context(), "", w)
			if (again == nil) == (err == nil) {
				t.Errorf("image %v, error %v", again, err)
			}
			if err == nil && img != nil && w.Hash && !cmp.Equal(tablesOf(img), tablesOf(again), cmpopts.EquateEmpty()) {
				t.Errorf("the stream has %+v, the file %+v", tablesOf(img), tablesOf(again))
			}
		}
	})
}

func tablesOf(img *image.Image) []image.Table {
	var out []image.Table
	for _, l := range img.Layers {
		out = append(out, l.Table)
	}
	return out
}
