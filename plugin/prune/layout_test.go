package prune_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	ggcr "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/layout"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// layoutFolder is a layout with two images on one base layer, an index of two platforms
// under two names, and what nothing leads to: a manifest and a blob.
func layoutFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	path, err := ggcr.Write(dir, empty.Index)
	must(err)
	base, err := random.Layer(5000, "application/vnd.oci.image.layer.v1.tar")
	must(err)
	image := func(days int) v1.Image {
		own, err := random.Image(1000, 1)
		must(err)
		own, err = mutate.AppendLayers(own, base)
		must(err)
		own, err = mutate.CreatedAt(own, v1.Time{Time: time.Now().AddDate(0, 0, -days)})
		must(err)
		return own
	}
	named := func(key, name string) ggcr.Option { return ggcr.WithAnnotations(map[string]string{key: name}) }
	const ref = "org.opencontainers.image.ref.name"
	must(path.AppendImage(image(40), named(ref, "old")))
	must(path.AppendImage(image(1), named(ref, "new")))
	index := v1.ImageIndex(empty.Index)
	for range 2 {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image(50), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}})
	}
	must(path.AppendIndex(index, named("io.containerd.image.name", "registry.example.com/app:1")))
	must(path.AppendIndex(index, named(ref, "second-name")))
	lost := image(60)
	must(path.AppendImage(lost))
	digest, err := partial.Descriptor(lost)
	must(err)
	must(path.RemoveDescriptors(func(d v1.Descriptor) bool { return d.Digest == digest.Digest }))
	must(path.WriteBlob(v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("a", 64)}, blobFile(t, strings.Repeat("x", 700))))
	return dir
}

func blobFile(t *testing.T, text string) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "blob")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// disk is what the blobs of a layout take.
func disk(t *testing.T, dir string) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestPruneOfALayout(t *testing.T) {
	for name, c := range map[string]struct {
		policy  string
		removed int      // images and blobs
		left    []string // tags
	}{
		"what nothing leads to": {`rules: [{name: lost, select: {untagged: true, repository: "<none>"}, remove: true}]`, 2, []string{"new", "old", "second-name", "1"}},
		"by age":                {`rules: [{name: old, select: {tag: old}, max_age: 30d}]`, 1, []string{"new", "second-name", "1"}},
		"one name of two":       {`rules: [{name: second, select: {tag: second-name}, remove: true}]`, 3, []string{"new", "old", "1"}},
		"both names":            {`rules: [{name: index, select: {tag: ["second-name", "1"]}, remove: true}]`, 6, []string{"new", "old"}},
		"all that is old":       {`rules: [{name: old, max_age: 30d}]`, 8, []string{"new"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := layoutFolder(t)
			l, err := layout.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			inv, err := l.Inventory(t.Context(), time.Now().Add(2*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			policy, err := retention.ParsePolicy("p.yaml", []byte("version: 1\nlimits: {share: 100%, keep_last: false}\nkeep_bases: false\n"+c.policy))
			if err != nil {
				t.Fatal(err)
			}
			p := retention.Make(inv, policy)
			images := slices.DeleteFunc(slices.Clone(p.Remove), func(r retention.Removal) bool { return r.Kind == retention.KindTag })
			if len(images) != c.removed {
				t.Errorf("%d images go, want %d: %v", len(images), c.removed, images)
			}
			before := disk(t, dir)
			journal, err := prune.NewJournal(t.TempDir(), time.Now(), p)
			if err != nil {
				t.Fatal(err)
			}
			out, err := prune.Execute(t.Context(), l, p, journal, nil)
			if err != nil || len(out.Failed)+len(out.Skipped) > 0 {
				t.Fatalf("%+v, %v", out, err)
			}
			if freed := before - disk(t, dir); freed != p.FreesBytes || freed == 0 && name != "one name of two" {
				t.Errorf("%d bytes were promised, and %d are gone", p.FreesBytes, freed)
			}
			var left []string
			for _, repo := range []string{"layout", "registry.example.com/app"} {
				tags, err := l.Tags(t.Context(), repo)
				if err != nil {
					t.Fatal(err)
				}
				for tag := range tags {
					left = append(left, tag)
				}
			}
			slices.Sort(left)
			slices.Sort(c.left)
			if !slices.Equal(left, c.left) {
				t.Errorf("left are %v, want %v", left, c.left)
			}
			whole(t, dir)
		})
	}
}

// whole pulls every image that is left.
func whole(t *testing.T, dir string) {
	t.Helper()
	path, err := ggcr.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	index, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range manifest.Manifests {
		if d.MediaType.IsIndex() {
			child, err := index.ImageIndex(d.Digest)
			if err != nil {
				t.Fatal(err)
			}
			m, err := child.IndexManifest()
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range m.Manifests {
				complete(t, child, d.Digest)
			}
			continue
		}
		complete(t, index, d.Digest)
	}
}

func complete(t *testing.T, index v1.ImageIndex, digest v1.Hash) {
	t.Helper()
	img, err := index.Image(digest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := img.ConfigFile(); err != nil {
		t.Error(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Error(err)
	}
	for _, l := range layers {
		if _, err := l.Uncompressed(); err != nil {
			t.Error(err)
		}
	}
}

// An entry of a type that nobody knows may need anything.
func TestUnknownEntriesOfALayoutKeepAll(t *testing.T) {
	dir := layoutFolder(t)
	path := filepath.Join(dir, "index.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	odd := `"manifests": [{"mediaType":"application/x","size":700,"digest":"sha256:` + strings.Repeat("a", 64) + `"},`
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), `"manifests": [`, odd, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := layout.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := l.Inventory(t.Context(), time.Now().Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range inv.Repositories {
		if r.Name == layout.Unnamed && r.Incomplete == "" {
			t.Errorf("%+v", r)
		}
	}
	if err := l.DeleteManifest(t.Context(), "layout", "sha256:"+strings.Repeat("b", 64)); err == nil {
		t.Error("something was deleted, though an entry may need it")
	}
}
