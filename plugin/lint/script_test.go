package lint_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/imgmgr/imgmgr/plugin/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

// TestScripts runs the text scripts in testdata/script. They know the command
//
//	mode MODE FILE          FILE has that mode, in octal
//
// and $MIRROR, a registry that holds library/app:1, whose user is "app", and
// library/node:1, which has none; and $WEB, a server that has tool-1.0.tgz, whose
// text is "hello". It is the first day of 2025.
func TestScripts(t *testing.T) {
	mirror := startRegistry(t)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/tool-1.0.tgz" {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, "hello\n")
	}))
	t.Cleanup(web.Close)
	plugintest.Run(t, func(env *testscript.Env) error {
		env.Setenv("MIRROR", mirror)
		env.Setenv("WEB", web.URL)
		env.Setenv("SOURCE_DATE_EPOCH", "1735689600")
		return nil
	}, map[string]plugintest.Command{"mode": mode})
}

func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode MODE FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%03o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// startRegistry serves images for every platform that tests run on.
func startRegistry(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(srv.Close)
	host := strings.TrimPrefix(srv.URL, "http://")
	for ref, user := range map[string]string{"library/app:1": "app", "library/node:1": ""} {
		var index v1.ImageIndex = empty.Index
		for _, arch := range []string{"amd64", "arm64"} {
			image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
				OS: "linux", Architecture: arch, Config: v1.Config{User: user, Env: []string{"PATH=/bin"}}, RootFS: v1.RootFS{Type: "layers"},
			})
			if err != nil {
				t.Fatal(err)
			}
			index = mutate.AppendManifests(index, mutate.IndexAddendum{
				Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
			})
		}
		target, err := name.ParseReference(host + "/" + ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.WriteIndex(target, index); err != nil {
			t.Fatal(err)
		}
	}
	return host
}

// TestCorpus lints every Dockerfile of the folder that IMGMGR_CORPUS names, or
// the repository's examples: no file may make the linter itself fail.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("IMGMGR_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "examples")
	}
	out := lintJSON(t, dir)
	if len(out.Files) == 0 {
		t.Fatalf("no Dockerfile was found below %s", dir)
	}
	for _, f := range out.Files {
		for _, e := range f.Errors {
			if strings.Contains(e.Message, "imgmgr itself failed") || strings.Contains(e.Message, "check "+f.Path) {
				t.Errorf("%s: %s", f.Path, e.Message)
			}
		}
		if f.Findings == nil || f.Errors == nil {
			t.Errorf("%s: findings and errors must be lists", f.Path)
		}
	}
	paths := make([]string, len(out.Files))
	for i, f := range out.Files {
		paths[i] = f.Path
	}
	if again := lintJSON(t, dir); !slices.EqualFunc(again.Files, paths, func(f jsonFile, path string) bool { return f.Path == path }) {
		t.Error("a second run gave the files in another order")
	}
}
