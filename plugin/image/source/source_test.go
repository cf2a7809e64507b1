package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	apiimage "github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/engine"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

// fakeEngine has one image, from a file of docker save.
type fakeEngine struct{ ref, file string }

func (f fakeEngine) ImageInspect(_ context.Context, ref string, _ ...client.ImageInspectOption) (client.ImageInspectResult, error) {
	if ref != f.ref {
		return client.ImageInspectResult{}, fmt.Errorf("no such image: %w", errdefs.ErrNotFound)
	}
	return client.ImageInspectResult{InspectResponse: apiimage.InspectResponse{ID: "sha256:1"}}, nil
}

func (f fakeEngine) ImageSave(context.Context, []string, ...client.ImageSaveOption) (client.ImageSaveResult, error) {
	return os.Open(f.file)
}

// world is the same image in all places.
func world(t *testing.T) (o Options, c imagetest.Case, dir, host string) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(srv.Close)
	host = strings.TrimPrefix(srv.URL, "http://")
	c = imagetest.Cases(t)[0]
	img, dir := c.Image(t), t.TempDir()
	archive := filepath.Join(dir, "app.tar")
	tag, err := name.NewTag("app:1")
	errs := []error{err, tarball.WriteToFile(archive, tag, img)}
	path, err := layout.Write(filepath.Join(dir, "oci"), empty.Index)
	errs = append(errs, err, path.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "1.0"})))
	ref, err := name.ParseReference(host + "/app:1")
	errs = append(errs, err, remote.Write(ref, img))
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	o.Engine = func(context.Context) (engine.API, error) { return fakeEngine{"app:1", archive}, nil }
	return o, c, dir, host
}

func TestOpen(t *testing.T) {
	o, c, dir, host := world(t)
	for arg, want := range map[string]string{
		"app:1":                              "engine:app:1",
		"engine:app:1":                       "engine:app:1",
		"docker-daemon:app:1":                "engine:app:1",
		host + "/app:1":                      "registry:" + host + "/app:1",
		"registry:" + host + "/app:1":        "registry:" + host + "/app:1",
		"docker://" + host + "/app:1":        "registry:" + host + "/app:1",
		"oci:" + dir + "/oci":                "oci:" + dir + "/oci",
		"oci:" + dir + "/oci:1.0":            "oci:" + dir + "/oci:1.0",
		dir + "/oci":                         "oci:" + dir + "/oci",
		"archive:" + dir + "/app.tar":        "archive:" + dir + "/app.tar",
		"docker-archive:" + dir + "/app.tar": "archive:" + dir + "/app.tar",
		dir + "/app.tar:app:1":               "archive:" + dir + "/app.tar:app:1",
		"-":                                  "-",
	} {
		stdin, err := os.Open(dir + "/app.tar")
		if err != nil {
			t.Fatal(err)
		}
		defer stdin.Close()
		o.Stdin = stdin
		src, err := Open(t.Context(), arg, o)
		if err != nil {
			t.Errorf("%s: %v", arg, err)
			continue
		}
		if src.String() != want {
			t.Errorf("%s is %s, want %s", arg, src, want)
		}
		img, err := src.Read(t.Context(), "", &image.Walker{Hash: true, Visitors: []image.Visitor{imagetest.FirstByte}})
		if err != nil {
			t.Errorf("%s: %v", arg, err)
			continue
		}
		c.Check(t, img)
		if err := src.Close(); err != nil {
			t.Errorf("%s: %v", arg, err)
		}
	}
}

// References may look like a prefix.
func TestReferences(t *testing.T) {
	for arg, want := range map[string]string{
		"registry:2": "", "registry:2.8.3": "", "registry:5000/app": "", "engine:5000/app:1": "", "docker:27": "", "debian": "",
		"registry:debian:12": "registry", "registry:team/app": "registry", "registry:app@sha256:00": "registry", "engine:debian": "engine",
	} {
		if kind, _ := split(arg); kind != want {
			t.Errorf("%s is of kind %q, want %q", arg, kind, want)
		}
	}
}

func TestNothingThere(t *testing.T) {
	o, _, dir, host := world(t)
	down := Options{Engine: func(context.Context) (engine.API, error) { return nil, errors.New("the engine is down") }}
	for _, c := range []struct {
		arg  string
		o    Options
		want string
	}{
		{"engine:gone:1", o, "pull or build it"},
		{host + "/gone:1", o, "gone"},
		{host + "/gone:1", down, "the engine is down"},
		{"oci:" + dir + "/nowhere", o, "nowhere"},
		{"oci:" + dir + "/oci:2.0", o, "1.0"},
		{"archive:" + dir + "/gone.tar", o, "gone.tar"},
		{dir + "/app.tar:other", o, "app:1"},
		{"UPPER CASE", o, "UPPER CASE"},
		{"engine:", o, "names no image"},
	} {
		src, err := Open(t.Context(), c.arg, c.o)
		if err == nil {
			_, err = src.Read(t.Context(), "", nil)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want an error with %q", c.arg, err, c.want)
		}
	}
}
