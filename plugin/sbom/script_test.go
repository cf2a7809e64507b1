package sbom_test

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/imgmgr/imgmgr/plugin/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

// TestScripts runs the text scripts in testdata/script. $REGISTRY holds app:1,
// which has the SBOMs of testdata/*.intoto.json attached, and plain:1, which has
// none, and scanner:1, which runs /scan.
func TestScripts(t *testing.T) {
	host := startRegistry(t)
	plugintest.Run(t, func(env *testscript.Env) error {
		env.Setenv("REGISTRY", host)
		env.Setenv("STATEMENT", filepath.Join(mustAbs(t, "testdata"), "sbom.intoto.json"))
		return nil
	}, nil)
}

func mustAbs(t *testing.T, name string) string {
	t.Helper()
	abs, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func startRegistry(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(srv.Close)
	host := strings.TrimPrefix(srv.URL, "http://")
	app, err := mutate.Append(empty.Image,
		mutate.Addendum{Layer: static.NewLayer([]byte("base"), types.DockerLayer), History: v1.History{CreatedBy: "base"}},
		mutate.Addendum{Layer: static.NewLayer([]byte("curl"), types.DockerLayer), History: v1.History{CreatedBy: "RUN apt-get install curl"}},
		mutate.Addendum{History: v1.History{CreatedBy: "ENV A=b", EmptyLayer: true}},
		mutate.Addendum{Layer: static.NewLayer([]byte("copy"), types.DockerLayer), History: v1.History{CreatedBy: "COPY /app"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	app = configured(t, app, nil)
	dgst, err := app.Digest()
	if err != nil {
		t.Fatal(err)
	}
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: app, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: attestations(t), Descriptor: v1.Descriptor{
			Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
			Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": dgst.String()},
		}},
	)
	if err := remote.WriteIndex(tag(t, host+"/app:1"), index); err != nil {
		t.Fatal(err)
	}
	for ref, entrypoint := range map[string][]string{"/plain:1": nil, "/scanner:1": {"/scan"}} {
		if err := remote.Write(tag(t, host+ref), configured(t, empty.Image, entrypoint)); err != nil {
			t.Fatal(err)
		}
	}
	return host
}

func tag(t *testing.T, ref string) name.Reference {
	t.Helper()
	parsed, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func configured(t *testing.T, image v1.Image, entrypoint []string) v1.Image {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Config.Entrypoint = "linux", "amd64", entrypoint
	image, err = mutate.ConfigFile(image, config)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// attestations is what BuildKit pushes beside an image.
func attestations(t *testing.T) v1.Image {
	t.Helper()
	image := empty.Image
	files, err := filepath.Glob("testdata/*.intoto.json")
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		image, err = mutate.Append(image, mutate.Addendum{
			Layer:       static.NewLayer(text, "application/vnd.in-toto+json"),
			Annotations: map[string]string{"in-toto.io/predicate-type": "https://spdx.dev/Document"},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return image
}
