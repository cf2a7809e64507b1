//go:build linux

package prune_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/registry"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// moving does something to the registry before it lets the n-th request, from 1,
// through.
type moving struct {
	n     int64
	move  func()
	count atomic.Int64
	// hit is the request that was overtaken.
	hit *http.Request
}

func (m *moving) requests() int64 { return m.count.Load() }

func (m *moving) RoundTrip(req *http.Request) (*http.Response, error) {
	if m.count.Add(1) == m.n {
		m.hit = req
		m.move()
	}
	return http.DefaultTransport.RoundTrip(req)
}

// Somebody pushes in the middle of it, before each request in turn: a tag that was
// to go leads to something new. That stays whole, so does all that was to stay, and
// the next plan finds the rest.
func TestTagMovesAtEveryRequest(t *testing.T) {
	onEachKind(t, func(t *testing.T, s seeder) {
		s.few()
		fresh := s.image("pushed meanwhile", 0, nil, "amd64")
		at := func(n int64) injector {
			return &moving{n: n, move: func() { s.push(fresh, "team/app:feature-4") }}
		}
		s.everyRequest("a push while planning", at, func(f injector) {
			inv, err := open(t, s.host, registry.Options{Transport: f, Workers: 1}).Inventory(t.Context(), now)
			s.must(err)
			s.overtaken(&faulty{}, retention.Make(inv, policy(t)), f.requests() >= f.(*moving).n)
		})
		p := plan(t, s.host, registry.Options{})
		s.everyRequest("a push while removing", at, func(f injector) { s.overtaken(f, p, true) })
	})
}

// overtaken executes a plan while feature-4 moves, or after it has, and looks.
func (s seeder) overtaken(f injector, p *retention.Plan, moved bool) {
	t := s.t
	journal, err := prune.NewJournal(t.TempDir(), now, p)
	s.must(err)
	out, err := prune.Execute(t.Context(), open(t, s.host, registry.Options{Transport: f, Workers: 1}), p, journal, nil)
	s.must(err)
	s.must(journal.Close(true))
	if len(out.Failed) > 0 {
		t.Errorf("a moved tag made it fail: %v", out.Failed)
	}
	if m, ok := f.(*moving); ok {
		moved = m.hit != nil
	}
	s.keptWhole(p)
	if moved {
		if d, err := remote.Head(s.ref("team/app:feature-4"), pings); err != nil || d.Digest != s.digest(s.image("pushed meanwhile", 0, nil, "amd64")) {
			t.Errorf("what was pushed to feature-4 is gone: %v, %v", d, err)
		} else if err := s.check("team/app:feature-4"); err != nil {
			t.Errorf("what was pushed to feature-4 is not whole: %v", err)
		}
	}
	again, _ := execute(t, s.host, plan(t, s.host, registry.Options{}), registry.Options{})
	if len(again.Failed)+len(again.Skipped) > 0 {
		t.Errorf("the next run: failed %v, skipped %v", again.Failed, again.Skipped)
	}
	if left := plan(t, s.host, registry.Options{}); len(left.Remove) > 0 {
		t.Errorf("the next run left %v", left.Remove)
	}
	s.few()
}

// expiring is a way to a registry for those alone who have the one token that is
// good, which is given to everybody. At the n-th request, from 1, it isn't good any
// more.
type expiring struct {
	n     int64
	count atomic.Int64
}

func (e *expiring) requests() int64 { return e.count.Load() }

func (e *expiring) token() string { return fmt.Sprint("token-", e.count.Load() >= e.n) }

func (e *expiring) RoundTrip(req *http.Request) (*http.Response, error) {
	switch {
	case req.URL.Scheme == "https": // of which the registry speaks none
		return http.DefaultTransport.RoundTrip(req)
	case req.URL.Path == "/token":
		return answer(req, http.StatusOK, fmt.Sprintf(`{"token":%q,"expires_in":300}`, e.token())), nil
	}
	e.count.Add(1)
	if req.Header.Get("Authorization") == "Bearer "+e.token() {
		return http.DefaultTransport.RoundTrip(req)
	}
	refused := answer(req, http.StatusUnauthorized, `{"errors":[]}`)
	refused.Header.Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, req.URL.Host))
	return refused, nil
}

// A token that expires is renewed, at whichever request that is: the plan is the
// same, and the run is done to its end.
func TestTokenExpiresAtEveryRequest(t *testing.T) {
	onEachKind(t, func(t *testing.T, s seeder) {
		s.few()
		whole := s.inventory()
		p := retention.Make(whole, policy(t))
		at := func(n int64) injector { return &expiring{n: n} }
		s.everyRequest("an expired token while planning", at, func(f injector) {
			inv, err := open(t, s.host, registry.Options{Transport: f, Workers: 1}).Inventory(t.Context(), now)
			s.must(err)
			if again := retention.Make(inv, policy(t)); text(t, again) != text(t, p) {
				t.Errorf("the plan is another one:\n%s", text(t, again))
			}
		})
		s.everyRequest("an expired token while removing", at, func(f injector) {
			out, dir := execute(t, s.host, p, registry.Options{Transport: f, Workers: 1})
			if len(out.Failed)+len(out.Skipped)+len(out.Gone) > 0 {
				t.Errorf("failed: %v, skipped: %v, gone: %v", out.Failed, out.Skipped, out.Gone)
			}
			s.removed(p, out)
			s.untouched(p, whole)
			s.giveBack(whole, dir)
		})
	})
}
