// Package plugintest runs the verbs of the plugin as text scripts, for tests.
package plugintest

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/imgmgr/imgmgr/plugin"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

// Command is the type of a script's command.
type Command = func(ts *testscript.TestScript, neg bool, args []string)

// Main is the TestMain of a package whose scripts run docker-imgmgr.
func Main(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"docker-imgmgr": func() { os.Exit(plugin.Main("test")) },
	})
}

// Run runs the scripts in testdata/script. Beside testscript's own commands and
// those that are given, they know
//
//	exits CODE COMMAND...   run COMMAND, which must end with CODE
//	json PATH WANT          the value at PATH ("layers.0.bytes") of stdout is WANT
//
// No script sees the user's credentials, cache, journals or Engine. Setup may
// be nil.
func Run(t *testing.T, setup func(*testscript.Env) error, commands map[string]Command) {
	t.Helper()
	all := map[string]Command{"exits": exits, "json": value}
	maps.Copy(all, commands)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DOCKER_CONFIG", filepath.Join(env.WorkDir, ".docker"))
			env.Setenv("DOCKER_HOST", "unix://"+filepath.Join(env.WorkDir, "no-engine.sock"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, ".state"))
			if setup == nil {
				return nil
			}
			return setup(env)
		},
		Cmds: all,
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	code := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		code = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

func value(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: json PATH WANT")
	}
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &value))
	for key := range strings.SplitSeq(args[0], ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i < 0 || i >= len(v) {
				ts.Fatalf("%s: a list of %d has no %s", args[0], len(v), key)
			}
			value = v[i]
		default:
			ts.Fatalf("%s: there is no %s", args[0], key)
		}
	}
	if got := fmt.Sprint(value); got != args[1] {
		ts.Fatalf("%s is %s, want %s", args[0], got, args[1])
	}
}
