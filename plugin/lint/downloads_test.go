package lint

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/imgmgr/imgmgr/lint/facts"
)

// TestDownloads fetches from a server of the test's own: a file once, and nothing
// that fails or is too large.
func TestDownloads(t *testing.T) {
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		switch r.URL.Path {
		case "/tool":
			io.WriteString(w, "hello\n")
		case "/moved":
			http.Redirect(w, r, "/tool", http.StatusFound)
		case "/large":
			w.Write(make([]byte, 1001))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	d := NewDownloads()
	d.limit = 1000
	const want = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
	for _, path := range []string{"/tool", "/tool", "/moved"} {
		if got, err := d.Digest(t.Context(), server.URL+path); got != want || err != nil {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if asked["/tool"] != 2 || asked["/moved"] != 1 {
		t.Errorf("the server was asked %v", asked)
	}
	for _, url := range []string{server.URL + "/large", server.URL + "/nothing", "http://127.0.0.1:1/", "http://[::bad"} {
		if got, err := d.Digest(t.Context(), url); got != "" || !errors.Is(err, facts.ErrUnknown) {
			t.Errorf("%s: %q, %v", url, got, err)
		}
	}
}
