package distribution

import (
	"net/http"
	"testing"
	"time"
)

func TestPatience(t *testing.T) {
	r, err := Open("registry.example.com", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[string]time.Duration{"7": 7 * time.Second, "99999": maxPatience, "": 500 * time.Millisecond, "soon": 500 * time.Millisecond} {
		resp := &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {after}}}
		if wait, again := r.patience(refused(resp, nil), 500*time.Millisecond); !again || wait != want {
			t.Errorf("Retry-After %q: waits %v (%v), want %v", after, wait, again, want)
		}
	}
	g := newGate(16)
	for range 2 {
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		g.leave(true)
	}
	if g.limit != 4 {
		t.Errorf("two refusals leave %d of 16 requests at a time, want 4", g.limit)
	}
}
