//go:build linux

package registry_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

// blobSize is that of a layer of which each seventh is a good while on the way.
const blobSize = 8 << 20

// heavy pushes an image with one large layer.
func heavy(t *testing.T, reference string) (layer v1.Hash, size int64) {
	t.Helper()
	img, err := random.Image(blobSize, 1)
	must(t, err)
	push(t, img, reference)
	layers, err := img.Layers()
	must(t, err)
	layer, err = layers[0].Digest()
	must(t, err)
	size, err = layers[0].Size()
	must(t, err)
	return layer, size
}

// cutter answers requests for a layer, or its upload, so many times with what is wrong.
type cutter struct {
	layer v1.Hash
	times int
	wrong func(w http.ResponseWriter, r *http.Request)

	mu     sync.Mutex
	ranges []string // of the requests for the layer
	puts   int
}

func (c *cutter) answer(_ int, w http.ResponseWriter, r *http.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/blobs/"+c.layer.String()):
		c.ranges = append(c.ranges, r.Header.Get("Range"))
	case r.Method == http.MethodPut && r.URL.Query().Get("digest") == c.layer.String():
		c.puts++
	default:
		return false
	}
	if c.times == 0 {
		return false
	}
	c.times--
	c.wrong(w, r)
	return true
}

// from is the start of each range that was asked for.
func (c *cutter) from(t *testing.T) (starts []int64) {
	t.Helper()
	for _, text := range c.ranges {
		start := int64(0)
		if text != "" {
			_, err := fmt.Sscanf(text, "bytes=%d-", &start)
			must(t, err)
		}
		starts = append(starts, start)
	}
	return starts
}

// part passes a request on, and the first bytes of what comes back; then the
// connection is cut.
func part(host string, bytes int64) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		got := upstream(host, r, http.NoBody)
		defer got.Body.Close()
		w.Header().Set("Content-Length", got.Header.Get("Content-Length"))
		w.WriteHeader(got.StatusCode)
		if _, err := io.CopyN(w, got.Body, bytes); err == nil {
			w.(http.Flusher).Flush() //nolint:forcetypeassert // the server's own is one
		}
		panic(http.ErrAbortHandler)
	}
}

// upstream asks the registry itself.
func upstream(host string, r *http.Request, body io.Reader) *http.Response {
	req, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, "http://"+host+r.URL.RequestURI(), body)
	if err != nil {
		panic(err)
	}
	req.Header = r.Header.Clone()
	req.ContentLength = r.ContentLength
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return resp
}

// A download that is cut goes on where it was: each further request begins where the
// bytes before ended, and the copy is whole. That may happen more often than a request
// is tried, as long as it comes nearer each time.
func TestSyncResumesADownload(t *testing.T) {
	for kind := range distributions {
		t.Run(kinds[kind].name, func(t *testing.T) {
			u, host, to := newUser(t), start(t, kind), start(t, kind)
			layer, size := heavy(t, host+"/team/app:1")
			c := &cutter{layer: layer, times: 6, wrong: part(host, size/7)}
			from := newProxy(t, host, c.answer)
			contains(t, u.run(0, "sync", from.host+"/team/app", to+"/team/app"), "1 tag: 1 copied")
			whole(t, to+"/team/app:1")
			starts := c.from(t)
			if len(starts) != 7 || starts[0] != 0 || !slices.IsSorted(starts) || starts[1] == 0 || starts[1] > size/7 || starts[6] <= size/7 {
				t.Errorf("cut after %d bytes each time, it went on at %v of %d", size/7, starts, size)
			}

			// A registry that can't skip sends all, and what is there already is not used
			// twice.
			whatever := newProxy(t, host, nil)
			first := &cutter{layer: layer, times: 1, wrong: part(host, size/2)}
			whatever.answer = func(n int, w http.ResponseWriter, r *http.Request) bool {
				answered := first.answer(n, w, r)
				r.Header.Del("Range")
				return answered
			}
			u.run(0, "sync", whatever.host+"/team/app", to+"/team/all")
			whole(t, to+"/team/all:1")
			if starts := first.from(t); len(starts) != 2 || starts[1] == 0 {
				t.Errorf("it asked for the ranges from %v", starts)
			}
		})
	}
}

// An upload that is cut is made again: nothing of the first is left in the copy.
func TestSyncRedoesAnUpload(t *testing.T) {
	for kind := range distributions {
		t.Run(kinds[kind].name, func(t *testing.T) {
			u, from, host := newUser(t), start(t, kind), start(t, kind)
			layer, size := heavy(t, from+"/team/app:1")
			for name, wrong := range map[string]func(http.ResponseWriter, *http.Request){
				"cut": func(_ http.ResponseWriter, r *http.Request) {
					half, err := io.ReadAll(io.LimitReader(r.Body, size/2))
					must(t, err)
					// The registry gets a half, too, and then no more.
					req := r.Clone(context.WithoutCancel(r.Context()))
					req.ContentLength = size
					if resp, err := http.DefaultTransport.RoundTrip(aimed(req, host, io.MultiReader(bytes.NewReader(half), broken{}))); err == nil {
						resp.Body.Close()
						t.Errorf("half an upload got the status %d", resp.StatusCode)
					}
					panic(http.ErrAbortHandler)
				},
				"answer": func(_ http.ResponseWriter, r *http.Request) {
					upstream(host, r, r.Body).Body.Close()
					panic(http.ErrAbortHandler)
				},
				"patience": func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", "1")
					w.WriteHeader(http.StatusTooManyRequests)
				},
			} {
				c := &cutter{layer: layer, times: 2, wrong: wrong}
				to := newProxy(t, host, c.answer)
				contains(t, u.run(0, "sync", from+"/team/app", to.host+"/"+name+"/app"), "1 tag: 1 copied")
				whole(t, host+"/"+name+"/app:1")
				if c.puts != 3 {
					t.Errorf("%s: after two uploads that failed there were %d in all", name, c.puts)
				}
			}
		})
	}
}

// aimed is a request for another host.
func aimed(r *http.Request, host string, body io.Reader) *http.Request {
	r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", host
	r.Body = io.NopCloser(body)
	return r
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Content that isn't what its digest says, also where only the end of it came from
// somebody else: once, it is read again; each time, no tag leads to it.
func TestSyncVerifiesWhatItResumes(t *testing.T) {
	for kind := range distributions {
		t.Run(kinds[kind].name, func(t *testing.T) {
			u, host, to := newUser(t), start(t, kind), start(t, kind)
			layer, size := heavy(t, host+"/team/app:1")
			first := true
			spoilt := func(w http.ResponseWriter, r *http.Request) {
				if first = !first; !first {
					part(host, size/2)(w, r)
				}
				var from int64
				if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err != nil {
					t.Errorf("it asked for the range %q", r.Header.Get("Range"))
				}
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, size-1, size))
				w.WriteHeader(http.StatusPartialContent)
				if _, err := w.Write(make([]byte, size-from)); err != nil {
					t.Error(err)
				}
			}
			once := newProxy(t, host, (&cutter{layer: layer, times: 2, wrong: spoilt}).answer)
			u.run(0, "sync", once.host+"/team/app", to+"/once/app")
			whole(t, to+"/once/app:1")

			always := newProxy(t, host, (&cutter{layer: layer, times: 1 << 30, wrong: spoilt}).answer)
			contains(t, u.run(2, "sync", always.host+"/team/app", to+"/always/app"), "the content has another digest", "1 failed")
			contains(t, u.run(2, "ls", to+"/always/app"), "has no images")
			u.run(0, "sync", host+"/team/app", to+"/always/app")
			whole(t, to+"/always/app:1")
		})
	}
}

// A run that is interrupted, at each of its uploads in turn, is finished by the next,
// which sends no blob again that has arrived.
func TestSyncGoesOnAfterAnInterruption(t *testing.T) {
	for kind := range distributions {
		t.Run(kinds[kind].name, func(t *testing.T) {
			u, from, host := newUser(t), start(t, kind), start(t, kind)
			signed := fill(t, from+"/team/app")
			for n := 1; ; n++ {
				ctx, interrupt := context.WithCancel(t.Context())
				u1 := &uploads{host: host, last: n, reached: interrupt}
				broken, name := newProxy(t, host, u1.answer), fmt.Sprintf("run/%d", n)
				out, code := u.tryIn(ctx, "sync", "--quiet", from+"/team/app", broken.host+"/"+name)
				broken.close()
				if ctx.Err() != nil && code == 0 {
					t.Errorf("interrupted at upload %d, it says nothing:\n%s", n, out)
				}
				interrupt()
				u2 := &uploads{host: host}
				u.run(0, "sync", "--quiet", from+"/team/app", newProxy(t, host, u2.answer).host+"/"+name)
				equal(t, from+"/team/app", host+"/"+name, signed)
				for _, digest := range u2.arrived {
					if slices.Contains(u1.arrived, digest) {
						t.Errorf("interrupted at upload %d, %s was sent again", n, digest)
					}
				}
				if u1.count < n || t.Failed() {
					if n < 8 {
						t.Errorf("it was interrupted at %d uploads only", n-1)
					}
					break
				}
			}
		})
	}
}

// uploads passes blobs on to a registry, but the last, and knows which have arrived.
type uploads struct {
	host    string
	last    int // 0: none
	reached func()

	mu      sync.Mutex
	count   int
	arrived []string
}

func (u *uploads) answer(_ int, w http.ResponseWriter, r *http.Request) bool {
	digest := r.URL.Query().Get("digest")
	if r.Method != http.MethodPut || digest == "" {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count++; u.count == u.last {
		u.reached()
		panic(http.ErrAbortHandler)
	}
	resp := upstream(u.host, r, r.Body)
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusCreated {
		u.arrived = append(u.arrived, digest)
	}
	w.WriteHeader(resp.StatusCode)
	return true
}

// uploadsOf are the digests that were uploaded, of the requests of a proxy.
func uploadsOf(t *testing.T, requests []string) (digests []string) {
	t.Helper()
	for _, r := range requests {
		_, uri, _ := strings.Cut(r, " ")
		u, err := url.Parse(uri)
		must(t, err)
		if digest := u.Query().Get("digest"); digest != "" {
			digests = append(digests, digest)
		}
	}
	return digests
}
