package analyze

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imgmgr/imgmgr/plugin/analyze/budget"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// asked is a registry that notes which blobs it was asked for.
type asked struct {
	mu    sync.Mutex
	blobs []string
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if _, digest, ok := strings.Cut(r.URL.Path, "/blobs/sha256:"); ok && r.Method == http.MethodGet {
		a.mu.Lock()
		a.blobs = append(a.blobs, "sha256:"+digest)
		a.mu.Unlock()
	}
	next.ServeHTTP(w, r)
}

// of are those of the digests that were asked for since the last time.
func (a *asked) of(digests []string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for _, d := range a.blobs {
		if slices.Contains(digests, d) {
			out = append(out, d)
		}
	}
	a.blobs = nil
	return out
}

// Whoever reads a layer first reads it for all: for another image on the same base, for
// a comparison, for a budget, for a quick look, for another format.
func TestALayerIsFetchedOnceForAllUses(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	requests, handler := &asked{}, registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { requests.ServeHTTP(w, r, handler) }))
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")
	base := imagetest.Layer{file("base/a", 5000), file("base/b", 70_000)}
	layers := map[string][]string{}
	for tag, own := range map[string]imagetest.Layer{"one": {file("one", 100)}, "two": {gone("base/a"), file("two", 200)}} {
		img := imagetest.Case{Layers: []imagetest.Layer{base, own}}.Image(t)
		layers[tag] = digests(t, img)
		ref, err := name.ParseReference(host + "/app:" + tag)
		if err = errors.Join(err, remote.Write(ref, img)); err != nil {
			t.Fatal(err)
		}
	}
	one, two := "registry:"+host+"/app:one", "registry:"+host+"/app:two"
	all := slices.Concat(layers["one"], layers["two"])
	for _, use := range []struct {
		name  string
		o     Options
		fetch []string
	}{
		{"the first image", Options{Image: one}, layers["one"]},
		{"the same image again", Options{Image: one, Format: JSON}, nil},
		{"another image on its base", Options{Image: two}, layers["two"][1:]},
		{"a comparison", Options{Image: two, Compare: one}, nil},
		{"a limit", Options{Image: one, Limits: budget.Limits{MaxSize: "1GB"}, Format: SARIF}, nil},
		{"a quick look", Options{Image: two, Quick: true}, nil},
		{"an update", Options{Image: two, From: one, Base: one, Format: HTML}, nil},
		{"without the cache", Options{Image: one, NoCache: true}, layers["one"]},
	} {
		if err := Run(t.Context(), ui.Streams{Out: ui.Output{Writer: &bytes.Buffer{}}, Err: ui.Output{Writer: &bytes.Buffer{}}}, use.o); err != nil {
			t.Fatalf("%s: %v", use.name, err)
		}
		got := requests.of(all)
		slices.Sort(got)
		if want := slices.Sorted(slices.Values(use.fetch)); !slices.Equal(got, want) {
			t.Errorf("%s fetched the layers %q, want %q", use.name, got, want)
		}
	}
}

// digests are those of an image's layers.
func digests(t *testing.T, img v1.Image) []string {
	t.Helper()
	manifest, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range manifest.Layers {
		out = append(out, l.Digest.String())
	}
	return out
}
