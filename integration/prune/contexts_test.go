//go:build linux

package prune_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The engines of all contexts, in turn: one that nobody listens at is said, and the
// others are read all the same.
func TestPluginPrunesAllContexts(t *testing.T) {
	engines(t)
	plugin, config := program(t), t.TempDir()
	for name, host := range map[string]string{"laptop": sb.Engine, "gone": "unix://" + filepath.Join(config, "none.sock"), "server": sb.NewestEngine} {
		cmd := exec.CommandContext(t.Context(), "docker", "context", "create", name, "--docker", "host="+host)
		cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+config, "DOCKER_HOST=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	run := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), plugin, append([]string{"prune", "--all-contexts"}, args...)...)
		cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+config, "DOCKER_CONFIG="+config, "DOCKER_HOST="+sb.Engine)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Errorf("%v: exit code %d, want %d\n%s", args, code, want, out)
		}
		return string(out)
	}
	out := run(1, "--all", "--dry-run", "--filter", "label=of-no-image")
	if n := strings.Count(out, "Nothing to remove"); n != 3 { // the default context, too
		t.Errorf("%d engines were read, want 3:\n%s", n, out)
	}
	if !strings.Contains(out, "context gone\nunknown, for it can't be read: context gone: ") {
		t.Errorf("the context that is gone isn't said:\n%s", out)
	}
	if out := run(2, "--plan", "plan.json", "--dry-run"); !strings.Contains(out, "--all-contexts makes a plan for each context") {
		t.Errorf("a plan for all:\n%s", out)
	}
}
