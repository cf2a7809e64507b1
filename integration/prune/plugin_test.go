//go:build linux

package prune_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
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

	// Docker's configuration protects a label, as it does of docker image prune.
	tag, err := name.NewTag("prune/filtered:1")
	s.must(err)
	archive := filepath.Join(dir, "image.tar")
	s.must(tarball.WriteToFile(archive, tag, s.image("filtered", 1, map[string]string{"test": "filters"}, "amd64")))
	_, err = sb.Docker(t.Context(), dir, "load", "--input", archive)
	s.must(err)
	args := []string{"prune", "--all", "--dry-run", "--filter", "reference=prune/filtered:*"}
	contains(run(0, args...), "prune/filtered  frees", "1 manifest goes")
	s.must(os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(`{"pruneFilters":["label!=test=filters"]}`), 0o600))
	contains(run(0, args...), "Nothing to remove")
	s.must(os.Remove(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json")))
	contains(run(0, "prune", "--all", "--force", "--filter", "reference=prune/filtered:*"), "can't be given back", "Removed 1 manifest")
	contains(run(2, "prune", "undo"), "the local engine can't take back what was deleted there")
}
