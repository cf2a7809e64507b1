package layout

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

func TestTablesOfContents(t *testing.T) {
	imagetest.ConformListed(t, written)
}

func TestConformance(t *testing.T) {
	for _, how := range []compression.Compression{compression.GZip, compression.ZStd, compression.None} {
		t.Run(string(how), func(t *testing.T) {
			imagetest.Conform(t, func(t *testing.T, c imagetest.Case) image.Source {
				return written(t, c.Image(t, tarball.WithCompression(how)))
			})
		})
	}
}

// written is a source of a folder with the image.
func written(t *testing.T, img v1.Image) image.Source {
	t.Helper()
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = path.AppendImage(img)
	}
	if err != nil {
		t.Fatal(err)
	}
	src, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return src
}
