//go:build linux

package prune_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
	contains(run(0, "prune", "why", host+"/team/app:feature-5"), "  removed  tag feature-5: rule old: ", "  removed  the image: rule old: ")

	contains(run(0, "prune", "--all", "--dry-run", "--filter", "label=of-no-image"), "Nothing to remove")
	run(0, "prune", "--dry-run")
}
