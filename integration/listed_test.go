//go:build linux

package integration_test

import (
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imgmgr/imgmgr/integration/sandbox"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/archive"
	"github.com/imgmgr/imgmgr/plugin/image/containerd"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
	"github.com/imgmgr/imgmgr/plugin/image/layout"
	"github.com/imgmgr/imgmgr/plugin/image/registry"
)

// large has a layer that is much larger than its table of contents.
const large = `FROM debian:bookworm-slim AS build
RUN mkdir /large && for i in $(seq 100); do head -c 30000 /dev/urandom > /large/$i; done && ln -s 1 /large/link && ln /large/2 /large/same

FROM scratch
COPY --from=build --chown=1:2 /large /large
`

// A quick look at BuildKit's eStargz layers reads their tables of contents, from
// wherever they are, and sees what a reading of the whole does.
func TestQuickLookAtStargz(t *testing.T) {
	ref := sb.Registry + "/listed:1"
	build(t, sandbox.BuildRequest{
		Dockerfile: []byte(large), Push: ref, Attests: map[string]string{"provenance": "false"},
		ExportAttrs: map[string]string{"compression": "estargz", "force-compression": "true", "oci-mediatypes": "true"},
	})
	dir := t.TempDir()
	copied(t, ref, dir)
	file := filepath.Join(t.TempDir(), "image.tar")
	packed(t, dir, file)
	socket := imported(t, file)
	for from, open := range map[string]func(*testing.T) image.Source{
		"registry":   open(registry.Open(ref)),
		"layout":     open(layout.Open(dir, "")),
		"archive":    open(archive.Open(file, "")),
		"containerd": open(containerd.Open(t.Context(), socket, containerd.DefaultNamespace, ref)),
	} {
		src := open(t)
		defer src.Close()
		whole, wholeBytes := reading(t, src, image.Walker{Hash: true})
		quick, quickBytes := reading(t, src, image.Walker{})
		for i := range whole.Layers {
			imagetest.SameFiles(t, quick.Layers[i].Table, whole.Layers[i].Table)
		}
		if t.Logf("%s: %d of %d bytes", from, quickBytes, wholeBytes); quickBytes == 0 || quickBytes > wholeBytes/20 {
			t.Errorf("%s: a quick look read %d bytes, of %d", from, quickBytes, wholeBytes)
		}
	}
}

// reading reads an image, and tells how many bytes of layers that took.
func reading(t *testing.T, src image.Source, w image.Walker) (*image.Image, int64) {
	t.Helper()
	var bytes atomic.Int64
	w.Progress = func(read, _ int64) { bytes.Store(max(read, bytes.Load())) }
	img, err := src.Read(t.Context(), "", &w)
	if err != nil {
		t.Fatal(err)
	}
	return img, bytes.Load()
}

// copied copies an image, and all that is attached to it, from the registry into an OCI
// layout.
func copied(t *testing.T, ref, dir string) {
	t.Helper()
	parsed, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	to, err := ocilayout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	named := ocilayout.WithAnnotations(map[string]string{"io.containerd.image.name": ref, "org.opencontainers.image.ref.name": "1"})
	desc, err := remote.Get(parsed)
	if err != nil {
		t.Fatal(err)
	}
	if desc.MediaType.IsIndex() {
		index, err := desc.ImageIndex()
		if err = errors.Join(err, to.AppendIndex(index, named)); err != nil {
			t.Fatal(err)
		}
		return
	}
	img, err := desc.Image()
	if err = errors.Join(err, to.AppendImage(img, named)); err != nil {
		t.Fatal(err)
	}
}
