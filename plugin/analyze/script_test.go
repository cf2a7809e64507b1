package analyze_test

import (
	"errors"
	"io"
	"log"
	"net/http/httptest"
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
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
	"github.com/imgmgr/imgmgr/plugin/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

// valid holds the JSON in stdout to a schema in docs: valid SCHEMA.
func valid(ts *testscript.TestScript, neg bool, args []string) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", args[0]))
	ts.Check(err)
	report, err := jsonschema.UnmarshalJSON(strings.NewReader(ts.ReadFile("stdout")))
	ts.Check(err)
	if err := schema.Validate(report); neg != (err != nil) {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

// TestScripts runs the text scripts in testdata/script. The same image is app.tar, in the folder layout, and app:1 at $REGISTRY: its
// second layer deletes 300,000 bytes of the first.
func TestScripts(t *testing.T) {
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(srv.Close)
	host := strings.TrimPrefix(srv.URL, "http://")
	img := imagetest.Case{Layers: []imagetest.Layer{
		{{Kind: "file", Path: "app/large", Size: 300_000, Mode: 0o644}, {Kind: "file", Path: "app/program", Size: 100_000, Mode: 0o755}},
		{{Kind: "whiteout", Path: "app/large"}, {Kind: "file", Path: "etc/config", Size: 50_000, Mode: 0o644}},
	}}.Image(t)
	plugintest.Run(t, func(env *testscript.Env) error {
		env.Setenv("REGISTRY", host)
		tag, err := name.NewTag("app:1")
		ref, err2 := name.ParseReference(host + "/app:1")
		path, err3 := layout.Write(filepath.Join(env.WorkDir, "layout"), empty.Index)
		return errors.Join(err, err2, err3, tarball.WriteToFile(filepath.Join(env.WorkDir, "app.tar"), tag, img), remote.Write(ref, img), path.AppendImage(img))
	}, map[string]plugintest.Command{"valid": valid})
}
