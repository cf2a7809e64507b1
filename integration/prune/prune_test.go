//go:build linux

package prune_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/registry"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// counter counts requests by method.
type counter struct {
	reads, writes atomic.Int64
}

func (c *counter) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		c.reads.Add(1)
	} else {
		c.writes.Add(1)
	}
	return http.DefaultTransport.RoundTrip(req)
}

func open(t *testing.T, host string, opts registry.Options) *registry.Registry {
	t.Helper()
	opts.Pause = time.Millisecond
	r, err := registry.Open(host, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// plan reads the registry and plans.
func plan(t *testing.T, host string, opts registry.Options) *retention.Plan {
	t.Helper()
	inv, err := open(t, host, opts).Inventory(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range inv.Repositories {
		for j := range inv.Repositories[i].Manifests {
			inv.Repositories[i].Manifests[j].FirstSeen = now.Add(-2 * time.Hour)
		}
	}
	return retention.Make(inv, policy(t))
}

// execute carries a plan out, with a journal of its own.
func execute(t *testing.T, host string, p *retention.Plan, opts registry.Options) (*prune.Outcome, string) {
	t.Helper()
	journal, err := prune.NewJournal(t.TempDir(), now, p)
	if err != nil {
		t.Fatal(err)
	}
	out, err := prune.Execute(t.Context(), open(t, host, opts), p, journal, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.Close(true); err != nil {
		t.Fatal(err)
	}
	return out, journal.Dir
}

// memory is a folder that nothing waits for: registries sync every file.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "imgmgr-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// isolated keeps this machine's credentials out of a test.
func isolated(t *testing.T) { t.Setenv("DOCKER_CONFIG", t.TempDir()) }

func text(t *testing.T, p *retention.Plan) string {
	t.Helper()
	var b strings.Builder
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// keptWhole pulls all that a plan keeps.
func (s seeder) keptWhole(p *retention.Plan) {
	s.t.Helper()
	look := s.look()
	for _, k := range slices.Concat(p.Keep, p.Unknown) {
		if err := look.check(k.Ref); err != nil {
			s.t.Errorf("%s was to stay (%s): %v", k.Ref, k.Reason, err)
		}
	}
}

// blobBytes is what a registry's folder holds of content.
func blobBytes(t *testing.T, dir string) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "docker/registry/v2/blobs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "data" {
			return err
		}
		info, err := d.Info()
		sum += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// A whole life: plan, remove, collect garbage; what was promised is what is seen.
func TestPruneOfARegistry(t *testing.T) {
	isolated(t)
	for _, kind := range append(slices.Clone(kinds), zot) {
		t.Run(kind.name, func(t *testing.T) {
			dir := memory(t)
			host, err := kind.start(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			s := seeder{t, host}
			s.seed()

			requests := &counter{}
			cache := t.TempDir()
			p := plan(t, host, registry.Options{Transport: requests, Cache: cache})
			if n := requests.writes.Load(); n != 0 {
				t.Errorf("a plan sent %d requests that change something", n)
			}
			if one := plan(t, host, registry.Options{Workers: 1}); text(t, one) != text(t, p) {
				t.Error("the plan of one worker differs from that of sixteen")
			}
			warm := &counter{}
			if again := plan(t, host, registry.Options{Transport: warm, Cache: cache}); text(t, again) != text(t, p) || warm.reads.Load() >= requests.reads.Load()*2/3 {
				t.Errorf("a plan from the cache took %d requests, the first %d, and is equal: %v", warm.reads.Load(), requests.reads.Load(), text(t, again) == text(t, p))
			}
			if len(p.Remove) < 20 || len(p.Stopped) > 0 {
				t.Fatalf("the plan shows too little:\n%s", text(t, p))
			}
			s.decided(p)
			s.ruled(p)
			var before int64
			if kind.name != zot.name { // which collects by itself, what is an hour old
				before = blobBytes(t, dir)
			}
			out, _ := execute(t, host, p, registry.Options{})
			if len(out.Failed) > 0 || len(out.Gone) > 0 {
				t.Errorf("failed: %v, gone: %v", out.Failed, out.Gone)
			}
			for _, skip := range out.Skipped {
				if !kind.old || skip.Kind != retention.KindTag {
					t.Errorf("skipped %s: %s", skip.Ref, skip.Reason)
				}
			}
			if kind.old && len(out.Skipped) == 0 {
				t.Error("2.8 can't delete tags by themselves, and nothing was said")
			}
			s.removed(p, out)
			s.keptWhole(p)
			if kind.name == zot.name {
				return
			}
			if err := sb.CollectGarbage(t.Context(), kind.old, dir); err != nil {
				t.Fatal(err)
			}
			if freed := before - blobBytes(t, dir); freed != p.FreesBytes || out.Freed != freed {
				t.Errorf("%d bytes were freed, the plan promised %d, the run %d", freed, p.FreesBytes, out.Freed)
			}
		})
	}
}

// ruled checks that a referrer goes with its subject, or stays with it, and that no
// rule has counted it.
func (s seeder) ruled(p *retention.Plan) {
	s.t.Helper()
	stays, goes := 0, 0
	for _, k := range slices.Concat(p.Keep, p.Unknown) {
		if strings.HasPrefix(k.Reason, "refers to ") {
			stays++
		}
	}
	for _, r := range p.Remove {
		if strings.HasPrefix(r.Reason, "refers to ") && r.Kind != retention.KindTag {
			goes++
		}
	}
	if stays == 0 || goes < 4 { // the SBOM and the signature of two images go, those of a third stay
		s.t.Errorf("%d referrers stay with their subject, and %d go:\n%s", stays, goes, text(s.t, p))
	}
}

// decided checks that a plan says of each tag there is what becomes of it and why,
// that what isn't known stays, and that a brake would have held.
func (s seeder) decided(p *retention.Plan) {
	s.t.Helper()
	inv := s.inventory()
	reasons := map[string]string{}
	for _, r := range p.Remove {
		reasons[r.Ref] = r.Reason
	}
	for _, k := range slices.Concat(p.Keep, p.Unknown) {
		reasons[k.Ref] = k.Reason
	}
	for _, repo := range inv.Repositories {
		for _, tag := range repo.Tags {
			if ref := s.host + "/" + repo.Name + ":" + tag.Name; reasons[ref] == "" {
				s.t.Errorf("%s has no reason", ref)
			}
		}
	}
	if !slices.ContainsFunc(p.Unknown, func(k retention.Kept) bool { return strings.HasSuffix(k.Ref, ":feature-undated") }) {
		s.t.Errorf("what has no date is not unknown: %v", p.Unknown)
	}
	careful := policy(s.t)
	careful.Limits.Share = 0.1
	if held := retention.Make(inv, careful); len(held.Remove) > 0 || len(held.Stopped) != len(inv.Repositories) {
		s.t.Errorf("a tenth may go; the plan removes %v, and stops at %v", held.Remove, held.Stopped)
	}
}

// removed checks that what was to go is gone, but what was skipped.
func (s seeder) removed(p *retention.Plan, out *prune.Outcome) {
	s.t.Helper()
	skipped := map[string]bool{}
	for _, skip := range slices.Concat(out.Skipped, out.Failed) {
		skipped[skip.Ref] = true
		if skip.Kind != retention.KindTag { // its tags stay with it
			skipped[skip.Digest] = true
		}
	}
	for _, r := range p.Remove {
		_, err := remote.Head(s.ref(strings.TrimPrefix(r.Ref, s.host+"/")), pings)
		if gone := isNotFound(err); gone == (skipped[r.Ref] || skipped[r.Digest]) {
			s.t.Errorf("%s: gone is %v (%v), skipped %v", r.Ref, gone, err, !gone)
		}
	}
}

func TestUndoGivesAllBack(t *testing.T) {
	andOnZot(t, func(t *testing.T, s seeder) {
		s.seed()
		before, err := open(t, s.host, registry.Options{}).Inventory(t.Context(), now)
		if err != nil {
			t.Fatal(err)
		}
		p := plan(t, s.host, registry.Options{})
		_, dir := execute(t, s.host, p, registry.Options{})
		// One tag is used for something else meanwhile.
		s.push(s.image("newer", 0, nil, "amd64"), "team/app:feature-a")
		_, entries, err := prune.ReadJournal(dir)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // again, as after an interruption
			back, err := prune.Restore(t.Context(), open(t, s.host, registry.Options{}), entries, nil)
			if err != nil || len(back.Lost) > 0 || len(back.Left) != 1 || back.Left[0].Ref != s.host+"/team/app:feature-a" {
				t.Errorf("restored with %v, left %v, lost %v", err, back.Left, back.Lost)
			}
		}
		for _, repo := range before.Repositories {
			for _, tag := range repo.Tags {
				now, err := remote.Head(s.ref(repo.Name+":"+tag.Name), pings)
				if err != nil || now.Digest.String() != tag.Digest && tag.Name != "feature-a" {
					t.Errorf("%s:%s is not what it was: %v", repo.Name, tag.Name, err)
				}
			}
			for _, m := range repo.Manifests {
				if err := s.check(repo.Name + "@" + m.Digest); err != nil {
					t.Errorf("%s@%s: %v", repo.Name, m.Digest, err)
				}
			}
		}
	})
}

// What changes between plan and run stays, with all that it needs.
func TestWhatChangedSinceThePlanStays(t *testing.T) {
	onEachKind(t, func(t *testing.T, s seeder) {
		s.seed()
		p := plan(t, s.host, registry.Options{})
		// A rollback: a tag that stays leads to an image that was to go.
		s.pushIndex(s.index("release5", 100), "team/app:latest")
		// An image that was to go is promoted.
		s.push(s.image("feature7", 35, map[string]string{"environment": "development"}, "amd64"), "team/app:production")
		// A tag that was to go is something new.
		s.push(s.image("new", 0, nil, "amd64"), "team/app:feature-4")
		// Somebody signs an image that was to go.
		size, err := s.image("feature5", 25, map[string]string{"environment": "development"}, "amd64").Size()
		s.must(err)
		s.sign("team/app", s.digest(s.image("feature5", 25, map[string]string{"environment": "development"}, "amd64")), size)

		// Somebody describes another one.
		img := s.image("feature2", 10, map[string]string{"environment": "development"}, "amd64")
		size, err = img.Size()
		s.must(err)
		s.describe("team/app", s.digest(img), size)

		// A new index, signed, over a part that was to go.
		part := s.image("release4amd64", 80, nil, "amd64")
		over := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: part})
		s.sign("team/app", s.pushIndex(over, "team/app:zz-new"), 100)

		out, _ := execute(t, s.host, p, registry.Options{})
		for _, ref := range []string{"team/app:zz-new", "team/app:latest", "team/app:v1.5.0", "team/app:production", "team/app:feature-7", "team/app:feature-4", "team/app:feature-5", "team/app:feature-2"} {
			if err := s.check(ref); err != nil {
				t.Errorf("%s: %v", ref, err)
			}
		}
		if len(out.Failed) > 0 || len(out.Skipped) < 6 {
			t.Errorf("failed: %v, skipped: %v", out.Failed, out.Skipped)
		}
		for _, r := range out.Removed {
			if _, err := remote.Head(s.ref(strings.TrimPrefix(r.Ref, s.host+"/")), pings); !isNotFound(err) {
				t.Errorf("%s was removed, and is there: %v", r.Ref, err)
			}
		}
	})
}
