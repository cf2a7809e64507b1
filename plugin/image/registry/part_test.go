package registry

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

func pushed(t *testing.T, host string, img v1.Image) *Source {
	t.Helper()
	ref, err := name.ParseReference(host + "/case:1")
	if err == nil {
		err = remote.Write(ref, img)
	}
	if err != nil {
		t.Fatal(err)
	}
	src, err := Open(ref.String())
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestTablesOfContents(t *testing.T) {
	s := imagetest.NewServer(t)
	imagetest.ConformListed(t, func(t *testing.T, img v1.Image) image.Source { return pushed(t, s.Host, img) })
}

// proxy stands before a registry and counts the bytes of blobs that it gives out.
func proxy(t *testing.T, host string, ask func(*http.Request)) (string, *atomic.Int64) {
	t.Helper()
	sent := &atomic.Int64{}
	front := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ask(r)
		if strings.Contains(r.URL.Path, "/blobs/") {
			w = counted{w, sent}
		}
		front.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), sent
}

type counted struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

// A quick look at a layer with a table of contents fetches a small part of it, and the
// whole from a registry that gives out no parts.
func TestATableOfContentsIsAllThatIsFetched(t *testing.T) {
	s := imagetest.NewServer(t)
	noise := make([]byte, 3<<20)
	random := rand.NewChaCha8([32]byte{})
	if _, err := random.Read(noise); err != nil {
		t.Fatal(err)
	}
	for _, format := range imagetest.ListedFormats {
		img := format.ImageOf(t, imagetest.Raw(t, "noise", noise))
		src := pushed(t, s.Host, img)
		config, errs := img.RawConfigFile()
		whole, err := src.Read(t.Context(), "", &image.Walker{Hash: true})
		if err := errors.Join(errs, err); err != nil {
			t.Fatal(err)
		}
		size := whole.Layers[0].Compressed
		for _, parts := range []bool{true, false} {
			host, sent := proxy(t, s.Host, func(r *http.Request) {
				if !parts {
					r.Header.Del("Range")
				}
			})
			src, err := Open(host + "/case:1")
			if err != nil {
				t.Fatal(err)
			}
			quick, err := src.Read(t.Context(), "", &image.Walker{})
			if err != nil {
				t.Fatal(err)
			}
			if parts {
				imagetest.SameFiles(t, quick.Layers[0].Table, whole.Layers[0].Table)
			}
			n := sent.Load() - int64(len(config))
			t.Logf("%s, parts are given out: %v: %d of the layer's %d bytes were fetched", format.Name, parts, n, size)
			if parts && n > size/10 || !parts && n < size {
				t.Errorf("%s, parts are given out: %v: %d of the layer's %d bytes were fetched", format.Name, parts, n, size)
			}
		}
	}
}
