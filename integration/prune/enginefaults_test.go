//go:build linux

package prune_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/client"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/engine"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// Each promise on an engine with its own store of images, and on one with
// containerd's.
func TestPromisesOnAnEngine(t *testing.T) {
	isolated(t)
	for name, host := range engines(t) {
		t.Run(name, func(t *testing.T) {
			d := newDaemon(t, host)
			t.Run("a plan writes nothing, and is the same again", d.plansQuietly)
			if name == "classic" { // newer ones don't speak it
				t.Run("it speaks API 1.40", d.oldAPI)
			}
			t.Run("what can't be read spares all", d.readsWithFaults)
			t.Run("a run with faults is finished by the next", d.runsWithFaults)
			t.Run("nothing is deleted without a journal", d.fullDisk)
			t.Run("a tag that moved stays", d.movedTag)
			t.Run("the bytes promised are the bytes freed", d.bytes)
			t.Run("undo says that it can't", d.undo)
		})
	}
}

// plan is that of two hours on, when nothing is a minute old, for the images of this
// test alone.
func (d *daemon) plan() (*retention.Plan, error) { return d.planWith("80%") }

// planWith has a brake at a share of the images.
func (d *daemon) planWith(share string) (*retention.Plan, error) {
	inv, err := d.place.Inventory(d.t.Context(), d.began.Add(2*time.Hour))
	if err != nil {
		return nil, err
	}
	inv.Repositories = slices.DeleteFunc(inv.Repositories, func(r retention.Repository) bool { return !strings.HasPrefix(r.Name, "promises/") })
	policy, err := retention.ParsePolicy("engine.yaml", []byte("version: 1\nlimits: {share: "+share+"}\nrules: [{name: old, max_age: 30d}]"))
	d.must(err)
	return retention.Make(inv, policy), nil
}

// images are the named images of this test, as docker sees them.
func (d *daemon) images() []string {
	d.t.Helper()
	tags := strings.Fields(d.docker("image", "ls", "--filter", "label=test=promises", "--format", "{{.Repository}}:{{.Tag}}"))
	slices.Sort(tags)
	return slices.DeleteFunc(tags, func(tag string) bool { return strings.HasPrefix(tag, engine.Unnamed) })
}

var (
	staying = []string{"promises/app:base", "promises/app:new"}
	going   = []string{"promises/app:old", "promises/app:older", "promises/app:oldest"}
)

func (d *daemon) plansQuietly(t *testing.T) {
	d.t = t
	var writes []string
	d.answer = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			writes = append(writes, r.Method+" "+r.URL.Path)
		}
		return false
	}
	one, err := d.plan()
	d.must(err)
	two, err := d.plan()
	d.must(err)
	if len(writes) > 0 || text(t, one) != text(t, two) {
		t.Errorf("a plan sent %v; the second is the same: %v", writes, text(t, one) == text(t, two))
	}
	said := map[string]bool{}
	for _, r := range one.Remove {
		said[r.Ref] = r.Reason != ""
	}
	for _, k := range slices.Concat(one.Keep, one.Unknown) {
		said[k.Ref] = k.Reason != ""
	}
	for _, tag := range d.images() {
		if !said[tag] {
			t.Errorf("no reason is given for %s", tag)
		}
	}
	if p, err := d.planWith("50%"); err != nil || len(p.Remove) > 0 || len(p.Stopped) != 1 {
		t.Errorf("three of five images are more than half; the plan removes %v, and stops at %v (%v)", p.Remove, p.Stopped, err)
	}
	if tags := removedTags(one); !slices.Equal(tags, []string{"old", "older", "oldest"}) {
		t.Fatalf("the plan removes %v", tags)
	}
}

// oldAPI is spoken by the engine's proxy as if it knew no newer one: facts are the same.
func (d *daemon) oldAPI(t *testing.T) {
	d.t = t
	want, err := d.plan()
	d.must(err)
	newest := d.place
	defer func() { d.place = newest }()
	var spoken []string
	d.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/_ping") {
			w.Header().Set("Api-Version", "1.40")
			return true
		}
		spoken = append(spoken, strings.Split(r.URL.Path, "/")[1])
		return false
	}
	defer func() { d.answer = func(http.ResponseWriter, *http.Request) bool { return false } }()
	api, err := client.New(client.WithHost(d.proxy))
	d.must(err)
	defer api.Close()
	d.place = engine.New(api)
	got, err := d.plan()
	d.must(err)
	if slices.ContainsFunc(spoken, func(version string) bool { return version != "v1.40" }) || text(t, got) != text(t, want) {
		t.Errorf("API versions %v, and the same plan is %v", spoken, text(t, got) == text(t, want))
	}
}

// engineFaults go wrong with one request.
var engineFaults = map[string]func(w http.ResponseWriter, forward func()){
	"500": func(w http.ResponseWriter, _ func()) {
		http.Error(w, `{"message":"no"}`, http.StatusInternalServerError)
	},
	"reset": func(http.ResponseWriter, func()) { panic(http.ErrAbortHandler) },
	"lost answer": func(_ http.ResponseWriter, forward func()) {
		forward()
		panic(http.ErrAbortHandler)
	},
}

// everyRequest lets a fault hit one request after the other.
func (d *daemon) everyRequest(run func()) {
	for name, fault := range engineFaults {
		for n := int64(1); ; n++ {
			count := atomic.Int64{}
			d.answer = func(w http.ResponseWriter, r *http.Request) bool {
				if count.Add(1) != n {
					return false
				}
				fault(w, func() { d.send(r) })
				return true
			}
			run()
			if d.t.Failed() {
				d.t.Fatalf("%s at request %d", name, n)
			}
			if count.Load() < n {
				if n < 8 {
					d.t.Errorf("%s was shown at %d requests only", name, n-1)
				}
				break
			}
		}
	}
	d.answer = func(http.ResponseWriter, *http.Request) bool { return false }
}

func (d *daemon) readsWithFaults(t *testing.T) {
	d.t = t
	good, err := d.plan()
	d.must(err)
	d.everyRequest(func() {
		p, err := d.plan()
		if err == nil && text(t, p) != text(t, good) {
			t.Errorf("a fault makes another plan:\n%s", text(t, p))
		}
	})
}

// run executes a plan, and says what became of it.
func (d *daemon) run(p *retention.Plan) *prune.Outcome {
	d.t.Helper()
	journal, err := prune.NewJournal(d.t.TempDir(), d.began, p)
	d.must(err)
	out, err := prune.Execute(d.t.Context(), d.place, p, journal, nil)
	d.must(err)
	d.must(journal.Close(true))
	return out
}

// whole checks that just these images are there, by all their bytes.
func (d *daemon) whole(want ...string) {
	d.t.Helper()
	if got := d.images(); !slices.Equal(got, want) {
		d.t.Errorf("there are %v, want %v", got, want)
		return
	}
	saved := filepath.Join(d.t.TempDir(), "saved.tar")
	d.docker(append([]string{"save", "--output", saved}, want...)...)
	look := d.look()
	for _, ref := range want {
		tag, err := name.NewTag(ref)
		d.must(err)
		img, err := tarball.ImageFromPath(saved, &tag)
		if err == nil {
			err = look.checkImage("", img)
		}
		if err != nil {
			d.t.Errorf("%s is not whole: %v", ref, err)
		}
	}
}

func (d *daemon) runsWithFaults(t *testing.T) {
	d.t = t
	p, err := d.plan()
	d.must(err)
	d.everyRequest(func() {
		d.run(p)
		d.answer = func(http.ResponseWriter, *http.Request) bool { return false }
		if again := d.run(p); len(again.Failed)+len(again.Skipped) > 0 {
			t.Errorf("the next run: failed %v, skipped %v", again.Failed, again.Skipped)
		}
		d.whole(staying...)
		d.docker("load", "--input", d.archive)
	})
}

func (d *daemon) fullDisk(t *testing.T) {
	d.t = t
	p, err := d.plan()
	d.must(err)
	small := newDisk(t)
	journal, err := prune.NewJournal(small.dir, d.began, p)
	d.must(err)
	small.fill()
	if out, err := prune.Execute(t.Context(), d.place, p, journal, nil); !errors.Is(err, syscall.ENOSPC) || len(out.Removed) > 0 {
		t.Errorf("on a full disk: error %v, removed %v", err, out.Removed)
	}
	d.must(journal.Close(false))
	d.whole(slices.Sorted(slices.Values(slices.Concat(staying, going)))...)
}

func (d *daemon) movedTag(t *testing.T) {
	d.t = t
	p, err := d.plan()
	d.must(err)
	d.docker("tag", "promises/app:new", "promises/app:oldest")
	defer d.docker("load", "--input", d.archive)
	out := d.run(p)
	if len(out.Failed) > 0 || len(out.Skipped) == 0 {
		t.Errorf("failed %v, skipped %v", out.Failed, out.Skipped)
	}
	d.whole("promises/app:base", "promises/app:new", "promises/app:oldest")
}

// bytes holds what is freed against what the engine itself says that its images take.
func (d *daemon) bytes(t *testing.T) {
	d.t = t
	taken := func() int64 {
		t.Helper()
		all, err := d.api.DiskUsage(t.Context(), client.DiskUsageOptions{Images: true})
		d.must(err)
		return all.Images.TotalSize
	}
	before := taken()
	p, err := d.plan()
	d.must(err)
	out := d.run(p)
	freed := before - taken()
	far := freed - p.FreesBytes
	if d.host == sb.NewestEngine { // which doesn't say what one layer takes compressed
		far = max(0, max(far, -far)-freed/4)
	}
	if far != 0 || out.Freed != p.FreesBytes || freed == 0 {
		t.Errorf("%d bytes were freed, the plan promised %d, the run %d", freed, p.FreesBytes, out.Freed)
	}
	d.docker("load", "--input", d.archive)
}

// undo leaves nobody in the dark: the plan says it before, and undo itself.
func (d *daemon) undo(t *testing.T) {
	d.t = t
	p, err := d.plan()
	d.must(err)
	journal, err := prune.NewJournal(t.TempDir(), d.began, p)
	d.must(err)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	d.answer = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			interrupt() // the first removal is finished, and the last
		}
		return false
	}
	out, err := prune.Execute(ctx, d.place, p, journal, nil)
	d.must(err)
	d.must(journal.Close(false))
	if !p.Final || !out.Stopped || len(out.Removed) != 1 {
		t.Errorf("final: %v; stopped: %v, after %v", p.Final, out.Stopped, out.Removed)
	}
	_, entries, err := prune.ReadJournal(journal.Dir)
	d.must(err)
	back, err := prune.Restore(t.Context(), d.place, entries, nil)
	if err != nil || len(back.Back) > 0 || len(back.Lost) != 1 || !strings.Contains(fmt.Sprint(back.Lost), "pull or build it again") {
		t.Errorf("given back %v, lost %v, error %v", back.Back, back.Lost, err)
	}
	d.run(p)
	d.whole(staying...)
}
