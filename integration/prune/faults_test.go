//go:build linux

package prune_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/registry"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// fault is something that goes wrong with one request: it answers in its place,
// or spoils the answer.
type fault struct {
	name string
	hit  func(*http.Request) (*http.Response, error)
	// then hits all requests after that one, if it isn't nil.
	then func(*http.Request) (*http.Response, error)
}

func reset(*http.Request) (*http.Response, error) { return nil, syscall.ECONNRESET }

func status(code int) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		resp := answer(req, code, `{"errors":[]}`)
		resp.Header.Set("Retry-After", "0")
		return resp, nil
	}
}

func answer(req *http.Request, code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}
}

// spoil lets the request through and changes its answer.
func spoil(change func(*http.Response, []byte) (io.Reader, error)) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return nil, err
		}
		changed, err := change(resp, body)
		if err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(changed)
		return resp, nil
	}
}

var faults = []fault{
	{"429", status(http.StatusTooManyRequests), nil},
	{"500", status(http.StatusInternalServerError), nil},
	{"503 from now on", status(http.StatusServiceUnavailable), status(http.StatusServiceUnavailable)},
	{"expired token", status(http.StatusUnauthorized), nil},
	{"not found", status(http.StatusNotFound), nil},
	{"reset", reset, nil},
	{"reset from now on", reset, reset},
	{"time-out", func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded }, nil},
	{"lost answer", lost, nil},
	{"lost answer, and nothing more", lost, reset},
	{"cut body", spoil(func(_ *http.Response, body []byte) (io.Reader, error) {
		return io.MultiReader(bytes.NewReader(body[:len(body)/2]), broken{}), nil
	}), nil},
	{"silently cut body", spoil(func(_ *http.Response, body []byte) (io.Reader, error) {
		return bytes.NewReader(body[:len(body)/2]), nil
	}), nil},
	{"wrong digest", spoil(func(resp *http.Response, body []byte) (io.Reader, error) {
		if resp.Header.Get("Docker-Content-Digest") != "" {
			resp.Header.Set("Docker-Content-Digest", "sha256:"+strings.Repeat("0", 64))
		}
		return bytes.NewReader(append(body, ' ')), nil
	}), nil},
}

// lost does what was asked, and nobody hears of it.
func lost(req *http.Request) (*http.Response, error) {
	return spoil(func(*http.Response, []byte) (io.Reader, error) { return nil, syscall.ECONNRESET })(req)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// faulty hits the n-th request, from 1, with its fault.
type faulty struct {
	fault fault
	n     int64
	count atomic.Int64
}

func (f *faulty) RoundTrip(req *http.Request) (*http.Response, error) {
	i := f.count.Add(1)
	if i == f.n {
		return f.fault.hit(req)
	}
	if i > f.n && f.fault.then != nil {
		return f.fault.then(req)
	}
	return http.DefaultTransport.RoundTrip(req)
}

// few fills a registry with one of each: many runs are made over it.
func (s seeder) few() {
	s.push(s.image("young", 1, nil, "amd64"), "team/app:feature-1", "team/app:latest")
	s.pushIndex(s.index("stays", 3), "team/app:feature-2")
	old := s.image("old", 20, nil, "amd64")
	size, err := old.Size()
	s.must(err)
	s.sign("team/app", s.push(old, "team/app:feature-3", "team/app:feature-4"), size)
	s.pushIndex(s.index("goes", 30), "team/app:feature-5")
	s.push(s.image("staysamd64", 3, nil, "amd64"), "team/app:release")
}

// Whatever goes wrong with whichever request: what stays is whole, nothing goes
// that the plan doesn't name, the next run finishes, and undo gives all back.
func TestFaultsAtEveryRequest(t *testing.T) {
	onEachKind(t, func(t *testing.T, s seeder) {
		s.few()
		whole := s.inventory()
		p := retention.Make(whole, policy(t))
		for _, fault := range faults {
			at := func(n int64) injector { return &faulty{fault: fault, n: n} }
			s.everyRequest(fault.name, at, func(f injector) { s.planWith(f, p, whole) })
			s.everyRequest(fault.name, at, func(f injector) { s.runWith(f, p, whole) })
		}
	})
}

// injector is a way to a registry on which something happens at one request.
type injector interface {
	http.RoundTripper
	requests() int64 // so far
}

func (f *faulty) requests() int64 { return f.count.Load() }

// everyRequest hits one request after the other, until there is none left.
func (s seeder) everyRequest(name string, at func(n int64) injector, run func(injector)) {
	for n := int64(1); ; n++ {
		f := at(n)
		run(f)
		if s.t.Failed() {
			s.t.Fatalf("%s at request %d", name, n)
		}
		if f.requests() < n {
			if n < 20 {
				s.t.Errorf("%s was shown at %d requests only", name, n)
			}
			return
		}
	}
}

// planWith plans with a fault. A plan that comes out otherwise is carried out, and
// must do no harm either.
func (s seeder) planWith(f injector, good *retention.Plan, whole *retention.Inventory) {
	inv, err := open(s.t, s.host, registry.Options{Transport: f, Workers: 1, Pause: time.Microsecond}).Inventory(s.t.Context(), now)
	if err != nil {
		return // no facts, no plan
	}
	p := retention.Make(inv, policy(s.t))
	if text(s.t, p) == text(s.t, good) {
		return
	}
	for _, r := range inv.Repositories {
		if r.Incomplete != "" && len(p.Remove) > 0 {
			s.t.Errorf("%s is incomplete (%s), and the plan removes %d", r.Name, r.Incomplete, len(p.Remove))
		}
	}
	for _, r := range p.Remove {
		if !slices.ContainsFunc(good.Remove, func(g retention.Removal) bool { return g.Ref == r.Ref }) {
			s.t.Errorf("the fault makes the plan remove %s (%s)", r.Ref, r.Reason)
		}
	}
	if len(p.Remove) > 0 {
		s.runWith(&faulty{}, p, whole)
	}
}

// runWith executes a plan with a fault, looks, and puts everything back.
func (s seeder) runWith(f injector, p *retention.Plan, whole *retention.Inventory) {
	t := s.t
	journal, err := prune.NewJournal(t.TempDir(), now, p)
	s.must(err)
	place := open(t, s.host, registry.Options{Transport: f, Workers: 1, Pause: time.Microsecond})
	if _, err := prune.Execute(t.Context(), place, p, journal, nil); err != nil {
		t.Errorf("execute: %v", err)
	}
	s.must(journal.Close(true))
	s.untouched(p, whole)

	again, dir := execute(t, s.host, p, registry.Options{})
	if len(again.Failed) > 0 {
		t.Errorf("the run without faults failed: %v", again.Failed)
	}
	s.removed(p, again)

	s.giveBack(whole, journal.Dir, dir)
}

// giveBack puts back what several runs removed, and checks that all is as it was.
func (s seeder) giveBack(whole *retention.Inventory, journals ...string) {
	s.t.Helper()
	var entries []prune.Entry
	for _, dir := range journals {
		_, more, err := prune.ReadJournal(dir)
		s.must(err)
		entries = append(entries, more...)
	}
	back, err := prune.Restore(s.t.Context(), open(s.t, s.host, registry.Options{}), entries, nil)
	if err != nil || len(back.Lost)+len(back.Left) > 0 {
		s.t.Errorf("undo: %v, lost %v, left %v", err, back.Lost, back.Left)
	}
	s.untouched(&retention.Plan{}, whole)
}

// untouched checks that all there was is there and whole, but what the plan
// removes. It looks at the registry itself, past the code under test.
func (s seeder) untouched(p *retention.Plan, whole *retention.Inventory) {
	s.t.Helper()
	gone := map[string]bool{}
	for _, r := range p.Remove {
		gone[r.Ref] = true
	}
	look := s.look()
	for _, repo := range whole.Repositories {
		for _, tag := range repo.Tags {
			if gone[s.host+"/"+repo.Name+":"+tag.Name] {
				continue
			}
			if d, err := remote.Head(s.ref(repo.Name+":"+tag.Name), pings); err != nil || d.Digest.String() != tag.Digest {
				s.t.Errorf("%s:%s was to stay: %v", repo.Name, tag.Name, err)
			}
		}
		for _, m := range repo.Manifests {
			if ref := repo.Name + "@" + m.Digest; !gone[s.host+"/"+ref] {
				if err := look.check(ref); err != nil {
					s.t.Errorf("%s was to stay: %v", ref, err)
				}
			}
		}
	}
}

// An interruption is not one of the delete in flight, whichever that is.
func TestInterruptionEndsAfterTheDeleteInFlight(t *testing.T) {
	onEachKind(t, func(t *testing.T, s seeder) {
		s.few()
		whole := s.inventory()
		p := plan(t, s.host, registry.Options{})
		n := int64(1)
		for s.interrupted(n, p, whole) && !t.Failed() {
			n++
		}
		if n < 5 {
			t.Errorf("the run was interrupted at %d deletes only", n-1)
		}
	})
}

// interrupted runs a plan and interrupts it at its n-th delete. It reports whether
// there was any left to do.
func (s seeder) interrupted(n int64, p *retention.Plan, whole *retention.Inventory) bool {
	t := s.t
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	deletes := atomic.Int64{}
	f := roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodDelete && deletes.Add(1) == n {
			interrupt()
		}
		return http.DefaultTransport.RoundTrip(req)
	})
	journal, err := prune.NewJournal(t.TempDir(), now, p)
	s.must(err)
	out, err := prune.Execute(ctx, open(t, s.host, registry.Options{Transport: f}), p, journal, nil)
	s.must(err)
	if out.Stopped && (deletes.Load() != n || int64(len(out.Removed)) != n) || len(out.Failed) > 0 {
		t.Errorf("stopped after %d deletes, want %d; %d removed, failed %v", deletes.Load(), n, len(out.Removed), out.Failed)
	}
	s.must(journal.Close(!out.Stopped))
	s.untouched(p, whole)
	again, dir := execute(t, s.host, p, registry.Options{})
	if len(again.Failed) > 0 || out.Stopped && len(again.Removed) == 0 {
		t.Errorf("interrupted at %d, the next run failed: %v, removed %d", n, again.Failed, len(again.Removed))
	}
	s.removed(p, again)
	s.giveBack(whole, journal.Dir, dir)
	return out.Stopped
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
