//go:build linux

package prune_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/client"

	"github.com/imgmgr/imgmgr/plugin/prune/engine"
)

// daemon is an engine behind a proxy.
type daemon struct {
	seeder
	host    string
	archive string
	began   time.Time
	fresh   v1.Image

	// answer stands before the engine, and says whether it has answered.
	answer func(http.ResponseWriter, *http.Request) bool
	proxy  string
	api    *client.Client
	place  *engine.Engine
}

func newDaemon(t *testing.T, host string) *daemon {
	d := &daemon{seeder: seeder{t, ""}, host: host, archive: filepath.Join(t.TempDir(), "images.tar"), began: time.Now()}
	images := map[name.Reference]v1.Image{}
	for word, days := range map[string]int{"old": 40, "older": 50, "oldest": 60, "new": 0, "base": 1} {
		img, err := mutate.CreatedAt(d.image("promise "+word, 0, map[string]string{"test": "promises"}, "amd64"), v1.Time{Time: d.began.AddDate(0, 0, -days)})
		d.must(err)
		tag, err := name.NewTag("promises/app:" + word)
		d.must(err)
		images[tag] = img
	}
	d.must(tarball.MultiRefWriteToFile(d.archive, images))
	t.Cleanup(func() { d.tidy() })
	d.tidy() // of what other tests and runs left, each image of which would cost requests
	d.docker("load", "--input", d.archive)

	forward := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "engine"}) },
		Transport: &http.Transport{DialContext: d.dial},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.answer(w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	proxy.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(proxy.Close)
	d.answer = func(http.ResponseWriter, *http.Request) bool { return false }
	d.proxy = strings.Replace(proxy.URL, "http://", "tcp://", 1)
	api, err := client.New(client.WithHost(d.proxy))
	d.must(err)
	t.Cleanup(func() { d.must(api.Close()) })
	d.api, d.place = api, engine.New(api)
	return d
}

func (d *daemon) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "unix", strings.TrimPrefix(d.host, "unix://"))
}

func (d *daemon) docker(args ...string) string {
	d.t.Helper()
	out, err := sb.DockerAt(context.WithoutCancel(d.t.Context()), d.host, "", args...)
	d.must(err)
	return out
}

func (d *daemon) tidy() {
	d.docker("image", "prune", "--all", "--force")
}

// send asks the engine itself.
func (d *daemon) send(r *http.Request) {
	again := r.Clone(context.WithoutCancel(r.Context()))
	again.RequestURI, again.URL.Scheme, again.URL.Host = "", "http", "engine"
	resp, err := (&http.Transport{DialContext: d.dial, DisableKeepAlives: true}).RoundTrip(again)
	if err != nil {
		d.t.Error(err)
		return
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		d.t.Error(err)
	}
}
