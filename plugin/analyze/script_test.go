package analyze_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/imgmgr/imgmgr/plugin"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"docker-imgmgr": func() { os.Exit(plugin.Main("test")) },
	})
}

// TestScripts runs the text scripts in testdata/script. Beside testscript's own
// commands they know
//
//	exits CODE COMMAND...   run COMMAND, which must end with CODE
//	json PATH WANT          the value at PATH ("layers.0.bytes") of stdout is WANT
//
// The same image is app.tar, in the folder layout, and app:1 at $REGISTRY: its
// second layer deletes 300,000 bytes of the first.
func TestScripts(t *testing.T) {
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(srv.Close)
	host := strings.TrimPrefix(srv.URL, "http://")
	img := imagetest.Case{Layers: []imagetest.Layer{
		{{Kind: "file", Path: "app/large", Size: 300_000, Mode: 0o644}, {Kind: "file", Path: "app/program", Size: 100_000, Mode: 0o755}},
		{{Kind: "whiteout", Path: "app/large"}, {Kind: "file", Path: "etc/config", Size: 50_000, Mode: 0o644}},
	}}.Image(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("REGISTRY", host)
			env.Setenv("DOCKER_CONFIG", filepath.Join(env.WorkDir, ".docker"))
			env.Setenv("DOCKER_HOST", "unix://"+filepath.Join(env.WorkDir, "no-engine.sock"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			tag, err := name.NewTag("app:1")
			ref, err2 := name.ParseReference(host + "/app:1")
			path, err3 := layout.Write(filepath.Join(env.WorkDir, "layout"), empty.Index)
			return errors.Join(err, err2, err3, tarball.WriteToFile(filepath.Join(env.WorkDir, "app.tar"), tag, img), remote.Write(ref, img), path.AppendImage(img))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "json": jsonValue},
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

func jsonValue(ts *testscript.TestScript, neg bool, args []string) {
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
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(v) {
				ts.Fatalf("%s: a list of %d has no %s", args[0], len(v), key)
			}
			value = v[i]
		}
	}
	if got := fmt.Sprint(value); got != args[1] {
		ts.Fatalf("%s is %s, want %s", args[0], got, args[1])
	}
}
