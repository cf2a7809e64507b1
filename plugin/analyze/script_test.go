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
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
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
// second layer deletes 300,000 bytes of the first; base.tar has the first alone. based:1 is that, too, with annotations that name base:1, its first layer; astray:1
// names an image that isn't there.
func TestScripts(t *testing.T) {
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(srv.Close)
	host := strings.TrimPrefix(srv.URL, "http://")
	layers := []imagetest.Layer{
		{{Kind: "file", Path: "app/large", Size: 300_000, Mode: 0o644}, {Kind: "file", Path: "app/program", Size: 100_000, Mode: 0o755}},
		{{Kind: "whiteout", Path: "app/large"}, {Kind: "file", Path: "etc/config", Size: 50_000, Mode: 0o644}},
	}
	img := imagetest.Case{Layers: layers}.Image(t)
	base := imagetest.Case{Layers: layers[:1]}.Image(t)
	push := func(to string, img v1.Image) {
		ref, err := name.ParseReference(host + "/" + to)
		if err == nil {
			err = remote.Write(ref, img)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	on := func(base string, digest v1.Hash) v1.Image {
		return mutate.Annotations(img, map[string]string{ocispec.AnnotationBaseImageName: host + "/" + base, ocispec.AnnotationBaseImageDigest: digest.String()}).(v1.Image)
	}
	digest, err := base.Digest()
	if err != nil {
		t.Fatal(err)
	}
	push("app:1", img)
	push("base:1", base)
	push("based:1", on("base:1", digest))
	push("astray:1", on("nowhere:1", digest))
	plugintest.Run(t, func(env *testscript.Env) error {
		env.Setenv("REGISTRY", host)
		tag, err := name.NewTag("app:1")
		path, err2 := layout.Write(filepath.Join(env.WorkDir, "layout"), empty.Index)
		return errors.Join(err, err2, tarball.WriteToFile(filepath.Join(env.WorkDir, "app.tar"), tag, img),
			tarball.WriteToFile(filepath.Join(env.WorkDir, "base.tar"), tag, base), path.AppendImage(img))
	}, map[string]plugintest.Command{"valid": valid})
}
