package base

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

func atNetwork(platform string, mirrors ...string) (*Resolver, error) {
	return New(Options{Reach: Network, Platform: platform, Mirrors: mirrors, Now: time.Now})
}

func TestImageOfEachPlatform(t *testing.T) {
	s := imagetest.NewServer(t)
	digest := s.Push(t, "team/base:1")
	r, err := atNetwork("linux/arm64")
	if err != nil {
		t.Fatal(err)
	}
	for platform, user := range map[string]string{"linux/amd64": "amd", "linux/arm64/v8": "arm", "": "arm"} {
		got, err := r.Image(t.Context(), s.Host+"/team/base:1", platform)
		if err != nil {
			t.Fatal(err)
		}
		if got.Config.Config.User != user || got.Digest != digest {
			t.Errorf("platform %q: user %q, digest %s; want %q, the index's %s", platform, got.Config.Config.User, got.Digest, user, digest)
		}
	}
	before := s.Requests.Load()
	if _, err := r.Image(t.Context(), s.Host+"/team/base:1", "linux/amd64"); err != nil {
		t.Fatal(err)
	}
	if s.Requests.Load() != before {
		t.Error("the second look-up asked the registry again")
	}
	if _, err := r.Image(t.Context(), s.Host+"/team/base:1", "linux/s390x"); !errors.Is(err, facts.ErrUnknown) {
		t.Errorf("a platform that the index lacks: %v, want facts.ErrUnknown", err)
	}
	if len(r.Failed()) != 0 {
		t.Errorf("the registry answered, and counts as unreachable: %v", r.Failed())
	}
}

func TestMirrorAnswersForDockerHub(t *testing.T) {
	s := imagetest.NewServer(t)
	digest := s.Push(t, "library/debian:bookworm-slim")
	r, err := atNetwork("linux/amd64", "http://"+s.Host+"/")
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
	mirror, other := imagetest.NewServer(t), imagetest.NewServer(t)
	other.Push(t, "team/base:1")
	r, err := atNetwork("linux/amd64", mirror.Host)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Image(t.Context(), other.Host+"/team/base:1", ""); err != nil {
		t.Fatal(err)
	}
	if n := mirror.Requests.Load(); n != 0 {
		t.Errorf("the mirror of Docker Hub got %d requests for another registry's image", n)
	}
}

func TestMissingImageDoesNotEndLookUps(t *testing.T) {
	s := imagetest.NewServer(t)
	s.Push(t, "team/base:1")
	r, err := atNetwork("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.Image(t.Context(), s.Host+"/team/gone:1", ""); !errors.Is(err, facts.ErrUnknown) {
			t.Fatalf("a missing image gave %v, want facts.ErrUnknown", err)
		}
	}
	if _, err := r.Image(t.Context(), s.Host+"/team/base:1", ""); err != nil {
		t.Fatal(err)
	}
}

func TestUnreachableRegistryIsAskedOnce(t *testing.T) {
	s := imagetest.NewServer(t)
	s.Status.Store(http.StatusServiceUnavailable)
	r, err := atNetwork("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Image(t.Context(), s.Host+"/a:1", ""); !errors.Is(err, facts.ErrUnknown) {
		t.Fatalf("a broken registry gave %v, want facts.ErrUnknown", err)
	}
	before := s.Requests.Load()
	if _, err := r.Image(t.Context(), s.Host+"/b:1", ""); !errors.Is(err, facts.ErrUnknown) {
		t.Fatalf("a broken registry gave %v, want facts.ErrUnknown", err)
	}
	if got := s.Requests.Load(); before == 0 || got != before {
		t.Errorf("%d requests for the first image, %d more for the second; want none more", before, got-before)
	}
	if r.Failed()["registry "+s.Host] == nil {
		t.Errorf("unreachable: %v, want %s among them", r.Failed(), s.Host)
	}
}

func TestFewUnreachableRegistriesEndAllLookUps(t *testing.T) {
	s := imagetest.NewServer(t)
	s.Push(t, "team/base:1")
	r, err := atNetwork("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	// Ports of this machine that nobody listens at.
	for _, host := range []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"} {
		if _, err := r.Image(t.Context(), host+"/a:1", ""); !errors.Is(err, facts.ErrUnknown) {
			t.Fatalf("%s gave %v, want facts.ErrUnknown", host, err)
		}
	}
	before := s.Requests.Load()
	if _, err := r.Image(t.Context(), s.Host+"/team/base:1", ""); err == nil {
		t.Error("a fourth registry was asked")
	}
	if s.Requests.Load() != before {
		t.Error("a fourth registry got a request")
	}
}

// TestARegistryThatAnsweredIsAskedOn: others that can't be reached say nothing of it.
func TestARegistryThatAnsweredIsAskedOn(t *testing.T) {
	s := imagetest.NewServer(t)
	s.Push(t, "team/base:1")
	s.Push(t, "team/base:2")
	r, err := atNetwork("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{s.Host + "/team/base:1", "127.0.0.1:1/a:1", "127.0.0.1:2/a:1", "127.0.0.1:3/a:1", s.Host + "/team/base:2"} {
		_, err := r.Image(t.Context(), ref, "")
		if (err == nil) != strings.HasPrefix(ref, s.Host) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestBadReferencesAndMirrors(t *testing.T) {
	r, err := atNetwork("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Image(t.Context(), "UPPER CASE", ""); !errors.Is(err, facts.ErrUnknown) {
		t.Errorf("a reference that is none gave %v", err)
	}
	for _, mirror := range []string{"", "https://host/path", "two words", "ftp://host"} {
		if _, err := atNetwork("linux/amd64", mirror); err == nil {
			t.Errorf("mirror %q was taken", mirror)
		}
	}
}
