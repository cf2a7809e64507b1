//go:build linux

package main

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"
)

// proxy stands before a registry.
type proxy struct {
	host   string
	server *http.Server

	mu    sync.Mutex
	pause time.Duration
	seen  counts
}

// counts are the requests since the last look.
type counts struct {
	all, writes int
	heads       int             // of tags
	tagged      map[string]bool // tags that were asked for
	digests     map[string]int  // how often each was fetched
}

func newProxy(registry string) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	to := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: registry}) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}
	p := &proxy{host: listener.Addr().String()}
	p.take()
	p.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		time.Sleep(p.count(req))
		to.ServeHTTP(w, req)
	})}
	go p.server.Serve(listener)
	return p, nil
}

func (p *proxy) close() { p.server.Close() }

// count counts a request, and returns how long it has to wait.
func (p *proxy) count(req *http.Request) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen.all++
	name := path.Base(req.URL.Path)
	switch {
	case req.Method != http.MethodGet && req.Method != http.MethodHead:
		p.seen.writes++
	case strings.HasPrefix(name, "sha256:") && !strings.Contains(req.URL.Path, "/referrers/"):
		if req.Method == http.MethodGet {
			p.seen.digests[req.URL.Path]++
		}
	case strings.Contains(req.URL.Path, "/manifests/"):
		p.seen.tagged[req.URL.Path] = true
		if req.Method == http.MethodHead {
			p.seen.heads++
		}
	}
	return p.pause
}

// delay makes each request wait.
func (p *proxy) delay(pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pause = pause
}

// take returns what was counted, and begins anew.
func (p *proxy) take() counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.seen
	p.seen = counts{tagged: map[string]bool{}, digests: map[string]int{}}
	return was
}

func (c counts) tags() int { return len(c.tagged) }

func (c counts) perTag() float64 { return float64(c.all) / float64(c.tags()) }

func (c counts) headsPerTag() float64 { return float64(c.heads) / float64(c.tags()) }

func (c counts) twice() (n int) {
	for _, times := range c.digests {
		if times > 1 {
			n++
		}
	}
	return n
}
