//go:build linux

package prune_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/buildkit"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// faultyCache is a BuildKit of which the n-th call fails, from 1: before it is done,
// or after.
type faultyCache struct {
	buildkit.API
	n      int
	after  bool
	calls  int
	prunes int
}

var errConnection = errors.New("the connection is closed")

func (c *faultyCache) DiskUsage(ctx context.Context, opts ...client.DiskUsageOption) ([]*client.UsageInfo, error) {
	if c.calls++; c.calls == c.n {
		return nil, errConnection
	}
	return c.API.DiskUsage(ctx, opts...)
}

func (c *faultyCache) Prune(ctx context.Context, ch chan client.UsageInfo, opts ...client.PruneOption) error {
	c.prunes++
	if c.calls++; c.calls != c.n {
		return c.API.Prune(ctx, ch, opts...)
	}
	if c.after {
		return errors.Join(errConnection, c.API.Prune(ctx, make(chan client.UsageInfo, 100), opts...))
	}
	return errConnection
}

// Each promise on a real cache.
func TestPromisesOnABuildCache(t *testing.T) {
	isolated(t)
	word := "promise-" + strings.ToLower(time.Now().Format("150405.000000"))
	policy, err := retention.ParsePolicy("cache.yaml", []byte("version: 1\nage: used\nlimits: {share: 100%}\nrules: [{name: old, select: {label: {description: '/.*"+word+"/'}}, max_age: 1d}]"))
	if err != nil {
		t.Fatal(err)
	}
	b := &builds{t, word, policy, time.Now().Add(48 * time.Hour)} // nothing is too young then
	b.build()
	watched := &faultyCache{API: sb.BuildKit}
	p := b.plan(watched)
	if again := b.plan(watched); watched.prunes > 0 || text(t, p) != text(t, again) {
		t.Errorf("a plan changed something %d times; the second is the same: %v", watched.prunes, text(t, p) == text(t, again))
	}
	if len(p.Remove) != 3 {
		t.Fatalf("the plan removes %+v", p.Remove)
	}
	b.fullDisk(p)
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			api := &faultyCache{API: sb.BuildKit, n: n, after: after}
			b.fails(api)
			if api.calls < n || t.Failed() {
				if n < 6 {
					t.Errorf("only %d calls failed", n-1)
				}
				break
			}
		}
	}
}

// builds are those whose records a policy removes.
type builds struct {
	t      *testing.T
	word   string
	policy *retention.Policy
	now    time.Time
}

// build makes three records, each built on the one before.
func (b *builds) build() {
	b.t.Helper()
	dir, dockerfile := b.t.TempDir(), "FROM busybox\n"
	for _, name := range []string{"one", "two", "three"} {
		dockerfile += "RUN echo " + name + " > /" + name + " # " + b.word + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		b.t.Fatal(err)
	}
	if _, err := sb.Buildx(b.t.Context(), dir, "build", "--provenance=false", "."); err != nil {
		b.t.Fatal(err)
	}
}

func (b *builds) plan(api buildkit.API) *retention.Plan {
	b.t.Helper()
	inv, err := buildkit.New(api, "sandbox").Inventory(b.t.Context(), b.now)
	if err != nil {
		b.t.Fatal(err)
	}
	return retention.Make(inv, b.policy)
}

func (b *builds) execute(api buildkit.API, p *retention.Plan) *prune.Outcome {
	b.t.Helper()
	journal, err := prune.NewJournal(b.t.TempDir(), b.now, p)
	if err != nil {
		b.t.Fatal(err)
	}
	out, err := prune.Execute(b.t.Context(), buildkit.New(api, "sandbox"), p, journal, nil)
	if err = errors.Join(err, journal.Close(true)); err != nil {
		b.t.Fatal(err)
	}
	return out
}

// fullDisk has no place for a journal: nothing goes.
func (b *builds) fullDisk(p *retention.Plan) {
	small := newDisk(b.t)
	journal, err := prune.NewJournal(small.dir, b.now, p)
	if err != nil {
		b.t.Fatal(err)
	}
	small.fill()
	api := &faultyCache{API: sb.BuildKit}
	if _, err := prune.Execute(b.t.Context(), buildkit.New(api, "sandbox"), p, journal, nil); !errors.Is(err, syscall.ENOSPC) || api.prunes > 0 {
		b.t.Errorf("on a full disk: error %v, %d removals", err, api.prunes)
	}
	if err := journal.Close(false); err != nil {
		b.t.Error(err)
	}
}

// fails removes all, through a BuildKit that fails once, and again through one that
// doesn't; then it builds all anew.
func (b *builds) fails(api *faultyCache) {
	p := b.plan(sb.BuildKit)
	b.execute(api, p)
	if again := b.execute(sb.BuildKit, p); len(again.Failed)+len(again.Skipped) > 0 {
		b.t.Errorf("call %d failed, and then: failed %v, skipped %v", api.n, again.Failed, again.Skipped)
	}
	left := b.plan(sb.BuildKit)
	if len(left.Remove) > 0 {
		b.t.Errorf("call %d failed, and the next run left %v", api.n, left.Remove)
	}
	for _, k := range p.Keep {
		if !slices.ContainsFunc(left.Keep, func(l retention.Kept) bool { return l.Digest == k.Digest }) {
			b.t.Errorf("call %d failed, and %s is gone, which was to stay: %s", api.n, k.Ref, k.Reason)
		}
	}
	b.build()
}
