package distribution

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A registry at a private address that answers over plain HTTP alone.
func TestPlainHTTPIsAskedFor(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	plain := 0
	answer := roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Scheme != "http" {
			return nil, errors.New("http: server gave HTTP response to HTTPS client")
		}
		plain++
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"tags":["a"]}`)), Request: r}, nil
	})
	for _, insecure := range []bool{false, true} {
		r, err := Open("10.1.2.3:5000", Options{Transport: answer, Insecure: insecure, Pause: 1})
		if err != nil {
			t.Fatal(err)
		}
		tags, err := r.Tags(t.Context(), "app")
		if insecure {
			if err != nil || len(tags) != 1 {
				t.Errorf("with Insecure: %v, %v", tags, err)
			}
		} else if plain > 0 || err == nil || !strings.Contains(err.Error(), "--insecure") {
			t.Errorf("%d requests over plain HTTP, error %v", plain, err)
		}
	}
}

// A registry on this machine may speak either.
func TestTLSOnThisMachine(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"tags":["a"]}`) }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	for _, insecure := range []bool{false, true} {
		r, err := Open(strings.TrimPrefix(srv.URL, "https://"), Options{Insecure: insecure, Pause: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Tags(t.Context(), "app"); (err == nil) != insecure {
			t.Errorf("an unknown certificate with Insecure %v: %v", insecure, err)
		}
	}
}
