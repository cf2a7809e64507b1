package known

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
)

// of is an image of layers by their letters.
func of(name, layers string) Image {
	img := Image{Name: name, ID: digest.FromString(layers)}
	for _, l := range layers {
		img.Chain = append(img.Chain, digest.FromString(string(l)))
	}
	return img
}

func TestBase(t *testing.T) {
	for _, c := range []struct {
		name   string
		known  []Image
		want   string
		layers int
	}{
		{"none", nil, "", 0},
		{"the longest", []Image{of("debian:12", "a"), of("node:20", "ab"), of("alpine", "x")}, "node:20", 2},
		{"not one that shares a part alone", []Image{of("other:1", "abx"), of("debian:12", "a")}, "debian:12", 1},
		{"not itself, nor what is on it", []Image{of("copy:1", "abcd"), of("more:1", "abcde")}, "", 0},
		{"not its own repository's", []Image{of("team/app:deps", "abc"), of("docker.io/team/app@sha256:"+digest.FromString("x").Encoded(), "ab"), of("debian:12", "a")}, "debian:12", 1},
		{"not one without a name", []Image{of("sha256:"+digest.FromString("x").Encoded(), "ab"), of("", "abc")}, "", 0},
		{"not an empty one", []Image{of("scratch:1", "")}, "", 0},
		{"of two the first by name", []Image{of("node:latest", "ab"), of("node:20", "ab")}, "node:20", 2},
	} {
		got, ok := Base(of("team/app:1", "abcd"), c.known)
		if got.Name != c.want || ok != (c.want != "") || len(got.Chain) != c.layers {
			t.Errorf("%s: %q with %d layers, want %q", c.name, got.Name, len(got.Chain), c.want)
		}
	}
}

func TestRemember(t *testing.T) {
	dir := t.TempDir()
	if got := Read(dir); got != nil {
		t.Errorf("%v", got)
	}
	var many []Image
	for i := range most {
		many = append(many, of(fmt.Sprintf("many:%d", i), "a"))
	}
	for _, images := range [][]Image{{of("debian:12", "a")}, {of("debian:12", "b"), of("node:20", "bc")}, {of("node:20", "bc")}} {
		if err := Remember(dir, images...); err != nil {
			t.Fatal(err)
		}
	}
	if got := Read(dir); len(got) != 2 || got[0].ID != digest.FromString("b") || got[1].Name != "node:20" || len(got[1].Chain) != 2 {
		t.Errorf("%v", got)
	}
	if err := Remember(dir, many...); err != nil {
		t.Fatal(err)
	}
	if got := Read(dir); len(got) != most || got[0].Name != "many:0" {
		t.Errorf("%d images, from %s", len(got), got[0].Name)
	}
	if err := os.WriteFile(filepath.Join(dir, file), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Read(dir); got != nil {
		t.Errorf("of a damaged file: %v", got)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v: %v", entries, err)
	}
	if err := Remember(filepath.Join(dir, "gone"), of("a", "a")); err == nil {
		t.Error("remembered in a folder that isn't there")
	}
}
