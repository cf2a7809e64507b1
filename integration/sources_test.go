//go:build linux

package integration_test

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	containerdclient "github.com/containerd/containerd/v2/client"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/client"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/archive"
	"github.com/imgmgr/imgmgr/plugin/image/containerd"
	"github.com/imgmgr/imgmgr/plugin/image/engine"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
	"github.com/imgmgr/imgmgr/plugin/image/registry"
)

// The correctness suite of plugin/image, through a real registry.
func TestSourcesConform(t *testing.T) {
	t.Run("registry", func(t *testing.T) {
		imagetest.Conform(t, func(t *testing.T, c imagetest.Case) image.Source {
			ref := sb.Registry + "/conformance:1"
			parsed, err := name.ParseReference(ref)
			if err == nil {
				err = remote.Write(parsed, c.Image(t))
			}
			if err != nil {
				t.Fatal(err)
			}
			return open(registry.Open(ref))(t)
		})
	})
}

// The same through an engine with a store of its own, and one with containerd's.
func TestEnginesConform(t *testing.T) {
	if err := errors.Join(sb.StartEngine(t.Context()), sb.StartNewestEngine(t.Context())); err != nil {
		t.Fatal(err)
	}
	for name, host := range map[string]string{"classic": sb.Engine, "newest": sb.NewestEngine} {
		t.Run(name, func(t *testing.T) { engineConforms(t, host) })
	}
}

func engineConforms(t *testing.T, host string) {
	api, err := client.New(client.WithHost(host))
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	t.Run("engine", func(t *testing.T) {
		imagetest.Conform(t, func(t *testing.T, c imagetest.Case) image.Source {
			if !load(t, host, c) {
				return nil
			}
			return open(engine.Open(t.Context(), api, saved))(t)
		})
	})
	t.Run("docker save", func(t *testing.T) {
		imagetest.Conform(t, func(t *testing.T, c imagetest.Case) image.Source {
			if !load(t, host, c) {
				return nil
			}
			dir := t.TempDir()
			if _, err := sb.DockerAt(t.Context(), host, dir, "save", "--output", "saved.tar", saved); err != nil {
				t.Fatal(err)
			}
			return open(archive.Open(filepath.Join(dir, "saved.tar"), ""))(t)
		})
	})
}

// The same through containerd, which keeps layers as they came.
func TestContainerdConforms(t *testing.T) {
	socket, err := sb.StartContainerd(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := containerdclient.New(socket, containerdclient.WithDefaultNamespace(containerd.DefaultNamespace))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	imagetest.Conform(t, func(t *testing.T, kase imagetest.Case) image.Source {
		var archive bytes.Buffer
		tag, err := name.NewTag(saved)
		if err == nil {
			err = tarball.Write(tag, kase.Image(t), &archive)
		}
		if err == nil {
			_, err = c.Import(t.Context(), &archive)
		}
		if err != nil {
			t.Fatal(err)
		}
		return open(containerd.Open(t.Context(), socket, containerd.DefaultNamespace, saved))(t)
	})
	if _, err := containerd.Open(t.Context(), socket, containerd.DefaultNamespace, "gone:1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an image that isn't there: %v", err)
	}
}

// saved is the image that a case becomes in the engine.
const saved = "conformance:1"

// load puts a case into the engine. Of a case that no engine takes, it sees that
// this one doesn't either.
func load(t *testing.T, host string, c imagetest.Case) bool {
	t.Helper()
	dir := t.TempDir()
	tag, err := name.NewTag(saved)
	if err == nil {
		err = tarball.WriteToFile(filepath.Join(dir, "load.tar"), tag, c.Image(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = sb.DockerAt(t.Context(), host, dir, "load", "--input", "load.tar")
	if c.NoEngine == "" || host == sb.NewestEngine { // containerd's store takes them all
		if err != nil {
			t.Fatal(err)
		}
		return true
	}
	if err == nil {
		_, err = sb.DockerAt(t.Context(), host, dir, "save", "--output", "saved.tar", saved)
	}
	if err == nil {
		t.Errorf("the engine takes an image of which cases.txt says: no engine: %s", c.NoEngine)
	}
	return false
}

// open fails the test where a source can't be opened.
func open[S image.Source](s S, err error) func(*testing.T) image.Source {
	return func(t *testing.T) image.Source {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}
