//go:build linux

package registry_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// proxy stands before a registry, counts what is asked, and can answer by itself.
type proxy struct {
	host   string
	answer func(n int, w http.ResponseWriter, r *http.Request) bool // true: it has; n counts from 1
	close  func()                                                   // waits for requests that are under way

	mu       sync.Mutex
	requests []string
}

func newProxy(t *testing.T, to string, answer func(n int, w http.ResponseWriter, r *http.Request) bool) *proxy {
	t.Helper()
	target, err := url.Parse("http://" + to)
	must(t, err)
	p := &proxy{answer: answer}
	forward := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ErrorLog: log.New(io.Discard, "", 0),
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.requests = append(p.requests, r.Method+" "+r.URL.RequestURI())
		n := len(p.requests)
		p.mu.Unlock()
		if p.answer == nil || !p.answer(n, w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(srv.Close)
	p.close = srv.Close
	p.host = strings.TrimPrefix(srv.URL, "http://")
	return p
}

// asked are the requests since the last time, those with one of the methods.
func (p *proxy) asked(methods ...string) (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		for _, m := range methods {
			if strings.HasPrefix(r, m+" ") {
				out = append(out, r)
			}
		}
	}
	p.requests = nil
	return out
}

// fault is something that goes wrong on the way.
type fault struct {
	name string
	do   func(w http.ResponseWriter, r *http.Request)
}

var faults = []fault{
	{"429", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
	}},
	{"500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
	{"cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "{")
		panic(http.ErrAbortHandler)
	}},
	{"reset", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	{"refused for good", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }},
	{"other content", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"schemaVersion":2}`) }},
}
