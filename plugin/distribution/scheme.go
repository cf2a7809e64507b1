package distribution

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// guard lets nothing go over plain HTTP that isn't allowed to, credentials, tokens
// and redirects included: to this machine always, to others with Insecure alone.
// The library that asks for tokens would try plain HTTP with private addresses, too.
type guard struct {
	next     http.RoundTripper
	host     string // of the registry
	insecure bool

	mu     sync.Mutex
	scheme string // in which the registry has answered
	held   bool   // plain HTTP was wanted and not allowed
}

func newGuard(next http.RoundTripper, host string, insecure bool) *guard {
	if next == nil {
		next = verified(insecure)
	}
	return &guard{next: next, host: host, insecure: insecure, scheme: "https"}
}

// verified is the transport of go-containerregistry, which checks certificates.
func verified(insecure bool) http.RoundTripper {
	base, ok := remote.DefaultTransport.(*http.Transport)
	if !ok {
		return remote.DefaultTransport
	}
	t := base.Clone()
	if insecure {
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // asked for by --insecure
	}
	return t
}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !g.insecure && !isHere(req.URL.Hostname()) {
		if req.Body != nil {
			req.Body.Close()
		}
		g.mu.Lock()
		g.held = true
		g.mu.Unlock()
		return nil, &plainHTTP{req.URL.Host}
	}
	resp, err := g.next.RoundTrip(req)
	if err == nil && req.URL.Host == g.host && req.URL.Path == "/v2/" {
		g.mu.Lock()
		g.scheme = req.URL.Scheme
		g.mu.Unlock()
	}
	return resp, err
}

// speaks is the scheme in which the registry has answered.
func (g *guard) speaks() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.scheme
}

// explain adds to an error what would have helped: the library tells of its try over
// TLS alone.
func (g *guard) explain(err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil && g.held {
		return fmt.Errorf("%w; if it speaks plain HTTP, --insecure allows that", clean(err))
	}
	return err
}

// plainHTTP is a request that wasn't sent.
type plainHTTP struct{ host string }

func (e *plainHTTP) Error() string {
	return fmt.Sprintf("%s would be spoken to over plain HTTP, which only --insecure allows", e.host)
}

// isHere reports a name of this machine.
func isHere(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
