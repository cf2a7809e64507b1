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

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/registry"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// program builds the plugin.
func program(t *testing.T) string {
	t.Helper()
	plugin := filepath.Join(t.TempDir(), "docker-imgmgr")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", plugin, "./cmd/docker-imgmgr")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return plugin
}

const policyFile = "version: 1\nlimits: {share: 100%}\nrules: [{name: old, max_count: 2}]\n"

// What a user types, against a registry and against the engine.
func TestPluginPrunes(t *testing.T) {
	isolated(t)
	plugin := program(t)
	host, err := kinds[0].start(t.Context(), memory(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.StartEngine(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := seeder{t, host}
	s.few() // long ago, as the clock of the machine has it
	dir := t.TempDir()
	s.must(os.WriteFile(filepath.Join(dir, "imgmgr.prune.yaml"), []byte(policyFile), 0o644))
	run := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), plugin, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+dir, "XDG_CACHE_HOME="+dir, "DOCKER_HOST="+sb.Engine)
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Errorf("%s: exit code %d (%v), want %d\n%s", strings.Join(args, " "), code, err, want, out)
		}
		return string(out)
	}
	contains := func(out string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("no %q in:\n%s", w, out)
			}
		}
	}
	contains(run(0, "prune", "--registry", host, "--dry-run"), "team/app  frees", "feature-5", "old: 4th newest of team/app, over 2")
	contains(run(0, "prune", "--registry", host, "--force"), "Removed ")
	if err := s.check("team/app:feature-5"); !isNotFound(err) {
		t.Errorf("feature-5 is there: %v", err)
	}
	contains(run(0, "prune", "undo"), "Gave back ")
	for _, ref := range []string{"team/app:feature-5", "team/app:feature-4", "team/app:feature-2"} {
		s.must(s.check(ref))
	}
	contains(run(0, "prune", "why", host+"/team/app:feature-5"), "  removed  :feature-5: rule old: ")

	contains(run(0, "prune", "--all", "--dry-run", "--filter", "label=of-no-image"), "Nothing to remove")
	run(0, "prune", "--dry-run")
}

// kill -9 at each delete, before and after the registry does it: the journal's plan
// finishes the run, and the journals give all back.
func TestPluginThatIsKilled(t *testing.T) {
	isolated(t)
	plugin := program(t)
	host, err := kinds[0].start(t.Context(), memory(t))
	if err != nil {
		t.Fatal(err)
	}
	s := seeder{t, host}
	s.few()
	whole, err := open(t, host, registry.Options{}).Inventory(t.Context(), now)
	s.must(err)
	kills := 0
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			dir := t.TempDir()
			s.must(os.WriteFile(filepath.Join(dir, "imgmgr.prune.yaml"), []byte(policyFile), 0o644))
			var cmd *exec.Cmd
			proxy := httptest.NewServer(killer(host, n, after, func() { s.must(cmd.Process.Kill()) }))
			address := strings.TrimPrefix(proxy.URL, "http://")
			start := func(args ...string) *exec.Cmd {
				c := exec.CommandContext(t.Context(), plugin, append([]string{"prune"}, args...)...)
				c.Dir, c.Env = dir, append(os.Environ(), "XDG_STATE_HOME="+dir, "XDG_CACHE_HOME="+dir)
				return c
			}
			cmd = start("--registry", address, "--force")
			out, err := cmd.CombinedOutput()
			died := cmd.ProcessState.ExitCode() == -1
			if !died && err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			journals, err := filepath.Glob(filepath.Join(dir, "imgmgr", "prune", "*"))
			if err != nil || len(journals) != 1 {
				t.Fatalf("journals: %v (%v)", journals, err)
			}
			if died {
				kills++
				if out, err := start("apply", "--force", filepath.Join(journals[0], "plan.json")).CombinedOutput(); err != nil {
					t.Errorf("killed at delete %d, then: %v\n%s", n, err, out)
				}
			}
			text, err := os.ReadFile(filepath.Join(journals[0], "plan.json"))
			s.must(err)
			p, err := retention.ReadPlan(bytes.ReplaceAll(text, []byte(address), []byte(host)))
			s.must(err)
			s.untouched(p, whole)
			s.removed(p, &prune.Outcome{})
			journals, err = prune.Journals(filepath.Join(dir, "imgmgr", "prune"))
			s.must(err)
			for _, journal := range journals {
				if out, err := start("undo", journal).CombinedOutput(); err != nil {
					t.Errorf("undo: %v\n%s", err, out)
				}
			}
			s.untouched(&retention.Plan{}, whole)
			proxy.Close()
			if !died || t.Failed() {
				break
			}
		}
	}
	if kills < 8 {
		t.Errorf("the plugin was killed %d times only", kills)
	}
}

// killer passes requests on, and kills at the n-th delete.
func killer(host string, n int, after bool, kill func()) http.Handler {
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host})
	forward.ErrorLog = log.New(io.Discard, "", 0)
	deletes := atomic.Int64{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last := r.Method == http.MethodDelete && deletes.Add(1) == int64(n)
		if last && !after {
			kill()
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
		if last {
			kill()
		}
	})
}
