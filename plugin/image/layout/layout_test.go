package layout

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

func TestConformance(t *testing.T) {
	for _, how := range []compression.Compression{compression.GZip, compression.ZStd, compression.None} {
		t.Run(string(how), func(t *testing.T) {
			imagetest.Conform(t, func(t *testing.T, c imagetest.Case) image.Source {
				dir := t.TempDir()
				path, err := layout.Write(dir, empty.Index)
				if err == nil {
					err = path.AppendImage(c.Image(t, tarball.WithCompression(how)))
				}
				if err != nil {
					t.Fatal(err)
				}
				src, err := Open(dir, "")
				if err != nil {
					t.Fatal(err)
				}
				return src
			})
		})
	}
}
