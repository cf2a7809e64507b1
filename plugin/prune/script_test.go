package prune_test

import (
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/imgmgr/imgmgr/plugin/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

// TestScripts runs the text scripts in testdata/script. They know $REGISTRY, which each script has for itself. It holds team/app with the tags
// feature-1 to feature-4, built that many times ten days ago, and v1.0.0, of today.
func TestScripts(t *testing.T) {
	plugintest.Run(t, func(env *testscript.Env) error {
		host, stop, err := startRegistry()
		if err != nil {
			return err
		}
		env.Defer(stop)
		env.Setenv("REGISTRY", host)
		return nil
	}, nil)
}

func startRegistry() (host string, stop func(), err error) {
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	host = strings.TrimPrefix(srv.URL, "http://")
	for i, tag := range []string{"v1.0.0", "feature-1", "feature-2", "feature-3", "feature-4"} {
		image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
			OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}, Author: tag,
			Created: v1.Time{Time: time.Now().Add(-time.Duration(i)*240*time.Hour - 2*time.Hour)},
		})
		if err != nil {
			return "", nil, err
		}
		ref, err := name.ParseReference(fmt.Sprintf("%s/team/app:%s", host, tag))
		if err != nil {
			return "", nil, err
		}
		if err := remote.Write(ref, image); err != nil {
			return "", nil, err
		}
	}
	return host, srv.Close, nil
}
