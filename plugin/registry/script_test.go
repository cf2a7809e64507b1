package registry_test

import (
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
	"github.com/imgmgr/imgmgr/plugin/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

// TestScripts runs the text scripts in testdata/script. $SOURCE has team/app:1 of
// 2026-01-02, :2 of 2026-02-02 and :latest, which is :2, labelled environment=prod,
// and tools/x:1 without a date; $MIRROR is empty. Deletes, logins and faults are
// for integration/registry, on registries that people run.
func TestScripts(t *testing.T) {
	source, mirror := serve(t), serve(t)
	app := func(size int64, created time.Time, labels map[string]string) v1.Image {
		img := imagetest.Case{Layers: []imagetest.Layer{{{Kind: "file", Path: "app", Size: size, Mode: 0o755}}}}.Image(t)
		img, err := mutate.Config(img, v1.Config{Labels: labels})
		if err == nil && !created.IsZero() {
			img, err = mutate.CreatedAt(img, v1.Time{Time: created})
		}
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	prod := map[string]string{"environment": "prod"}
	for ref, img := range map[string]v1.Image{
		"team/app:1":      app(1000, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), prod),
		"team/app:2":      app(2000, time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC), prod),
		"team/app:latest": app(2000, time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC), prod),
		"tools/x:1":       app(3000, time.Time{}, nil),
	} {
		to, err := name.ParseReference(source + "/" + ref)
		if err == nil {
			err = remote.Write(to, img)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	plugintest.Run(t, func(env *testscript.Env) error {
		env.Setenv("SOURCE", source)
		env.Setenv("MIRROR", mirror)
		return nil
	}, nil)
}

// serve starts an empty registry in this process.
func serve(t *testing.T) string {
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}
