//go:build linux

package prune_test

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/registry"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// kill -9 at each request, and at those that change something also after the
// registry has done it: the journal's plan finishes the run, and the journals give
// all back, also if that is killed in turn.
func TestPluginThatIsKilled(t *testing.T) {
	isolated(t)
	plugin := program(t)
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			host, err := kind.start(t.Context(), memory(t))
			if err != nil {
				t.Fatal(err)
			}
			s := seeder{t, host}
			s.few()
			whole, err := open(t, host, registry.Options{}).Inventory(t.Context(), now)
			s.must(err)
			k := &killing{seeder: s, plugin: plugin, whole: whole}
			for _, at := range []killAt{{false, reads}, {false, deletes}, {true, deletes}} {
				k.each(at, 4, func(v *victim) { k.pruned(v) })
			}
			for _, after := range []bool{false, true} {
				k.each(killAt{after, puts}, 4, func(v *victim) { k.undone(v) })
			}
		})
	}
}

// killAt says at which requests somebody is killed, and whether before or after the
// registry does what they ask.
type killAt struct {
	after bool
	these func(*http.Request) bool
}

func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func deletes(r *http.Request) bool { return r.Method == http.MethodDelete }

func puts(r *http.Request) bool { return r.Method == http.MethodPut }

// killing kills the plugin over one registry.
type killing struct {
	seeder
	plugin string
	whole  *retention.Inventory
}

// victim is a user whose plugin is killed at one request.
type victim struct {
	*killing
	dir     string
	address string // that leads to the registry
	running *exec.Cmd
	armed   atomic.Bool
	died    bool
}

// each kills at the first request of a kind, at the second, and so on, until there
// are no more, but at least at some.
func (k *killing) each(at killAt, least int, life func(*victim)) {
	for n := int64(1); ; n++ {
		v := &victim{killing: k, dir: k.t.TempDir()}
		proxy := httptest.NewServer(v.proxy(at, n))
		v.address = strings.TrimPrefix(proxy.URL, "http://")
		k.must(os.WriteFile(filepath.Join(v.dir, "imgmgr.prune.yaml"), []byte(policyFile), 0o644))
		life(v)
		proxy.Close()
		if k.t.Failed() {
			k.t.Fatalf("killed at request %d, after it was answered: %v", n, at.after)
		}
		if !v.died {
			if n <= int64(least) {
				k.t.Errorf("the plugin was killed %d times only", n-1)
			}
			return
		}
	}
}

// proxy passes requests on, and kills at the n-th of a kind.
func (v *victim) proxy(at killAt, n int64) http.Handler {
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: v.host})
	forward.ErrorLog = log.New(io.Discard, "", 0)
	count := atomic.Int64{}
	kill := func() { v.must(v.running.Process.Kill()) }
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last := v.armed.Load() && at.these(r) && count.Add(1) == n
		if last && !at.after {
			kill()
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
		if last {
			kill()
		}
	})
}

// run runs the plugin; armed, it may be killed.
func (v *victim) run(armed bool, args ...string) {
	v.t.Helper()
	v.running = v.command(args...)
	v.armed.Store(armed)
	out, err := v.running.CombinedOutput()
	v.armed.Store(false)
	v.died = v.died || armed && v.running.ProcessState.ExitCode() == -1
	if err != nil && (!armed || !v.died) {
		v.t.Errorf("%v: %v\n%s", args, err, out)
	}
}

func (v *victim) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(v.t.Context(), v.plugin, append([]string{"prune"}, args...)...)
	cmd.Dir, cmd.Env = v.dir, append(os.Environ(), "XDG_STATE_HOME="+v.dir, "XDG_CACHE_HOME="+v.dir)
	return cmd
}

func (v *victim) journals() []string {
	v.t.Helper()
	journals, err := prune.Journals(filepath.Join(v.dir, "imgmgr", "prune"))
	v.must(err)
	return journals
}

// pruned kills prune, and finishes what it began.
func (k *killing) pruned(v *victim) {
	v.run(true, "--registry", v.address, "--force")
	journals := v.journals()
	if len(journals) == 0 { // it came to no plan, and has done nothing; what it read is of use
		k.untouched(&retention.Plan{}, k.whole)
		v.run(false, "--registry", v.address, "--dry-run")
		return
	}
	if v.died {
		v.run(false, "apply", "--force", filepath.Join(journals[0], "plan.json"))
	}
	v.isDone()
	for _, journal := range v.journals() {
		v.run(false, "undo", journal)
	}
	k.untouched(&retention.Plan{}, k.whole)
}

// isDone checks that what the plan removes is gone, and all else is there.
func (v *victim) isDone() {
	v.t.Helper()
	journals := v.journals()
	text, err := os.ReadFile(filepath.Join(journals[len(journals)-1], "plan.json"))
	v.must(err)
	p, err := retention.ReadPlan(bytes.ReplaceAll(text, []byte(v.address), []byte(v.host)))
	v.must(err)
	v.untouched(p, v.whole)
	v.removed(p, &prune.Outcome{})
}

// SIGINT at each delete: that one is finished, and no other is sent. What is printed
// says how to go on, and that does.
func TestPluginThatIsInterrupted(t *testing.T) {
	plugin := program(t)
	onEachKind(t, func(t *testing.T, s seeder) {
		s.few()
		k := &killing{seeder: s, plugin: plugin, whole: s.inventory()}
		k.interruptedReading()
		n := int64(1)
		for k.interruptedAt(n) && !t.Failed() {
			n++
		}
		if n < 6 {
			t.Errorf("it was interrupted at %d deletes only", n-1)
		}
	})
}

// interruptedAt interrupts the n-th delete, and finishes what is left; false where
// nothing was.
func (k *killing) interruptedAt(n int64) bool {
	v := &victim{killing: k, dir: k.t.TempDir()}
	count, proxy := v.interrupting(deletes, n)
	defer proxy.Close()
	k.must(os.WriteFile(filepath.Join(v.dir, "imgmgr.prune.yaml"), []byte(policyFile), 0o644))
	v.running = v.command("--registry", v.address, "--force")
	out, err := v.running.CombinedOutput()
	sent := count.Load()
	if sent < n || err == nil {
		return false
	}
	_, plan, told := strings.Cut(string(out), "stopped; to finish: prune apply ")
	if code := v.running.ProcessState.ExitCode(); code != 2 || sent != n || !told {
		k.t.Errorf("interrupted at delete %d, %d were sent; exit code %d\n%s", n, sent, code, out)
	}
	v.run(false, "apply", "--force", strings.TrimSpace(plan))
	v.isDone()
	for _, journal := range v.journals() {
		v.run(false, "undo", journal)
	}
	k.untouched(&retention.Plan{}, k.whole)
	return true
}

// interrupting passes requests on, and sends SIGINT at the n-th of a kind, of which it
// counts all.
func (v *victim) interrupting(these func(*http.Request) bool, n int64) (count *atomic.Int64, proxy *httptest.Server) {
	count = &atomic.Int64{}
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: v.host})
	forward.ErrorLog = log.New(io.Discard, "", 0)
	proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if these(r) && count.Add(1) == n {
			v.must(v.running.Process.Signal(os.Interrupt))
			time.Sleep(200 * time.Millisecond) // until it has heard of it
		}
		forward.ServeHTTP(w, r)
	}))
	v.address = strings.TrimPrefix(proxy.URL, "http://")
	return count, proxy
}

// interruptedReading changes nothing, and says so.
func (k *killing) interruptedReading() {
	v := &victim{killing: k, dir: k.t.TempDir()}
	_, proxy := v.interrupting(reads, 5)
	defer proxy.Close()
	k.must(os.WriteFile(filepath.Join(v.dir, "imgmgr.prune.yaml"), []byte(policyFile), 0o644))
	v.running = v.command("--registry", v.address, "--force")
	out, _ := v.running.CombinedOutput()
	if code := v.running.ProcessState.ExitCode(); code != 2 || string(out) != "imgmgr: interrupted while reading; nothing was changed\n" || len(v.journals()) > 0 {
		k.t.Errorf("interrupted while it reads: exit code %d, journals %v\n%s", code, v.journals(), out)
	}
}

// undone kills undo, and runs it again.
func (k *killing) undone(v *victim) {
	v.run(false, "--registry", v.address, "--force")
	v.isDone()
	v.run(true, "undo")
	if v.died {
		v.run(false, "undo")
	}
	k.untouched(&retention.Plan{}, k.whole)
}
