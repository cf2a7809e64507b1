package registry

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

func TestConformance(t *testing.T) {
	s := imagetest.NewServer(t)
	imagetest.Conform(t, func(t *testing.T, c imagetest.Case) image.Source {
		return pushed(t, s.Host, c.Image(t))
	})
}

func TestSourceByPlatformDigestAndMirror(t *testing.T) {
	s := imagetest.NewServer(t)
	digest := s.Push(t, "library/base:1")
	for _, ref := range []string{"base:1", "base@" + digest, "docker.io/library/base:1"} {
		src, err := Open(ref, "http://"+s.Host)
		if err != nil {
			t.Fatal(err)
		}
		img, err := src.Read(t.Context(), "linux/arm64", nil)
		if err != nil {
			t.Fatal(err)
		}
		if img.Config.Config.User != "arm" || img.Index.String() != digest || len(img.Platforms) != 2 {
			t.Errorf("%s: user %q, index %s, platforms %v", ref, img.Config.Config.User, img.Index, img.Platforms)
		}
		if _, err := src.Read(t.Context(), "linux/s390x", nil); err == nil || !strings.Contains(err.Error(), "linux/amd64") {
			t.Errorf("a platform that isn't there: %v; want an error that names those that are", err)
		}
	}
	src, err := Open(s.Host + "/gone:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Read(t.Context(), "", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an image that isn't there: %v", err)
	}
}
