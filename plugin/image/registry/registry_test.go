package registry

import (
	"errors"
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

	"github.com/imgmgr/imgmgr/lint/facts"
)

// server is a registry that counts its requests.
type server struct {
	host     string
	requests atomic.Int64
	status   atomic.Int64 // answered instead of the registry's own, where set
}

func newServer(t *testing.T) *server {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := &server{}
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		if code := s.status.Load(); code != 0 {
			w.WriteHeader(int(code))
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	s.host = strings.TrimPrefix(srv.URL, "http://")
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

// push puts an index for amd64 (user "amd") and arm64 (user "arm") at repo:tag
// and returns its digest.
func (s *server) push(t *testing.T, repo string) string {
	t.Helper()
	var index v1.ImageIndex = empty.Index
	for arch, user := range map[string]string{"amd64": "amd", "arm64": "arm"} {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        imageFor(t, arch, user),
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	ref, err := name.ParseReference(s.host + "/" + repo)
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

func TestImageOfEachPlatform(t *testing.T) {
	s := newServer(t)
	digest := s.push(t, "team/base:1")
	r, err := New("linux/arm64")
	if err != nil {
		t.Fatal(err)
	}
	for platform, user := range map[string]string{"linux/amd64": "amd", "linux/arm64/v8": "arm", "": "arm"} {
		got, err := r.Image(t.Context(), s.host+"/team/base:1", platform)
		if err != nil {
			t.Fatal(err)
		}
		if got.Config.Config.User != user || got.Digest != digest {
			t.Errorf("platform %q: user %q, digest %s; want %q, the index's %s", platform, got.Config.Config.User, got.Digest, user, digest)
		}
	}
	before := s.requests.Load()
	if _, err := r.Image(t.Context(), s.host+"/team/base:1", "linux/amd64"); err != nil {
		t.Fatal(err)
	}
	if s.requests.Load() != before {
		t.Error("the second look-up asked the registry again")
	}
	if _, err := r.Image(t.Context(), s.host+"/team/base:1", "linux/s390x"); !errors.Is(err, facts.ErrUnknown) {
		t.Errorf("a platform that the index lacks: %v, want facts.ErrUnknown", err)
	}
	if len(r.Unreachable()) != 0 {
		t.Errorf("the registry answered, and counts as unreachable: %v", r.Unreachable())
	}
}

func TestMirrorAnswersForDockerHub(t *testing.T) {
	s := newServer(t)
	digest := s.push(t, "library/debian:bookworm-slim")
	r, err := New("linux/amd64", "http://"+s.host+"/")
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"debian:bookworm-slim", "docker.io/library/debian:bookworm-slim", "debian:bookworm-slim@" + digest} {
		got, err := r.Image(t.Context(), ref, "")
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest != digest {
			t.Errorf("%s: digest %s, want %s", ref, got.Digest, digest)
		}
	}
}

func TestMirrorsAreNotAskedForOtherRegistries(t *testing.T) {
	mirror, other := newServer(t), newServer(t)
	other.push(t, "team/base:1")
	r, err := New("linux/amd64", mirror.host)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Image(t.Context(), other.host+"/team/base:1", ""); err != nil {
		t.Fatal(err)
	}
	if n := mirror.requests.Load(); n != 0 {
		t.Errorf("the mirror of Docker Hub got %d requests for another registry's image", n)
	}
}

func TestMissingImageDoesNotEndLookUps(t *testing.T) {
	s := newServer(t)
	s.push(t, "team/base:1")
	r, err := New("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.Image(t.Context(), s.host+"/team/gone:1", ""); !errors.Is(err, facts.ErrUnknown) {
			t.Fatalf("a missing image gave %v, want facts.ErrUnknown", err)
		}
	}
	if _, err := r.Image(t.Context(), s.host+"/team/base:1", ""); err != nil {
		t.Fatal(err)
	}
}

func TestUnreachableRegistryIsAskedOnce(t *testing.T) {
	s := newServer(t)
	s.status.Store(http.StatusServiceUnavailable)
	r, err := New("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Image(t.Context(), s.host+"/a:1", ""); !errors.Is(err, facts.ErrUnknown) {
		t.Fatalf("a broken registry gave %v, want facts.ErrUnknown", err)
	}
	before := s.requests.Load()
	if _, err := r.Image(t.Context(), s.host+"/b:1", ""); !errors.Is(err, facts.ErrUnknown) {
		t.Fatalf("a broken registry gave %v, want facts.ErrUnknown", err)
	}
	if got := s.requests.Load(); before == 0 || got != before {
		t.Errorf("%d requests for the first image, %d more for the second; want none more", before, got-before)
	}
	if r.Unreachable()[s.host] == nil {
		t.Errorf("unreachable: %v, want %s among them", r.Unreachable(), s.host)
	}
}

func TestFewUnreachableRegistriesEndAllLookUps(t *testing.T) {
	s := newServer(t)
	s.push(t, "team/base:1")
	r, err := New("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	// Ports of this machine that nobody listens at.
	for _, host := range []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"} {
		if _, err := r.Image(t.Context(), host+"/a:1", ""); !errors.Is(err, facts.ErrUnknown) {
			t.Fatalf("%s gave %v, want facts.ErrUnknown", host, err)
		}
	}
	before := s.requests.Load()
	if _, err := r.Image(t.Context(), s.host+"/team/base:1", ""); err == nil {
		t.Error("a fourth registry was asked")
	}
	if s.requests.Load() != before {
		t.Error("a fourth registry got a request")
	}
}

func TestBadReferencesAndMirrors(t *testing.T) {
	r, err := New("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Image(t.Context(), "UPPER CASE", ""); !errors.Is(err, facts.ErrUnknown) {
		t.Errorf("a reference that is none gave %v", err)
	}
	for _, mirror := range []string{"", "https://host/path", "two words", "ftp://host"} {
		if _, err := New("linux/amd64", mirror); err == nil {
			t.Errorf("mirror %q was taken", mirror)
		}
	}
}
