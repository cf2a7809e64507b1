package imagetest

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Server is a registry that counts its requests.
type Server struct {
	Host     string
	Requests atomic.Int64
	Status   atomic.Int64 // answered instead of the registry's own, where set
}

// NewServer starts a registry that holds nothing. No credentials of the user are
// sent to it.
func NewServer(t *testing.T) *Server {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := &Server{}
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Requests.Add(1)
		if code := s.Status.Load(); code != 0 {
			w.WriteHeader(int(code))
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	s.Host = strings.TrimPrefix(srv.URL, "http://")
	return s
}

func imageFor(t *testing.T, arch, user string) v1.Image {
	t.Helper()
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: arch, Config: v1.Config{User: user}, RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Push puts an index for amd64 (user "amd") and arm64 (user "arm") at repo:tag
// and returns its digest.
func (s *Server) Push(t *testing.T, repo string) string {
	t.Helper()
	var index v1.ImageIndex = empty.Index
	for arch, user := range map[string]string{"amd64": "amd", "arm64": "arm"} {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        imageFor(t, arch, user),
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	ref, err := name.ParseReference(s.Host + "/" + repo)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}
