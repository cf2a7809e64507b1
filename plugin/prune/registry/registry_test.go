package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	memory "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imgmgr/imgmgr/plugin/distribution"
	"github.com/imgmgr/imgmgr/plugin/prune/manifest"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// server is a registry whose answers a test can change, and that keeps a list of
// the requests.
type server struct {
	host   string
	change func(http.ResponseWriter, *http.Request) bool // true: it has answered

	mu       sync.Mutex
	requests []string
}

func newServer(t *testing.T, opts ...memory.Option) *server {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := &server{}
	handler := memory.New(append(opts, memory.Logger(log.New(io.Discard, "", 0)))...)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
		s.mu.Unlock()
		if s.change == nil || !s.change(w, r) {
			handler.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	s.host = strings.TrimPrefix(srv.URL, "http://")
	return s
}

// push puts an image at each reference; the word makes it unlike others.
func (s *server) push(t *testing.T, word string, refs ...string) v1.Image {
	t.Helper()
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "amd64", Author: word, Created: v1.Time{Time: now.AddDate(0, 0, -9)},
		Config: v1.Config{Labels: map[string]string{"word": word}}, RootFS: v1.RootFS{Type: "layers"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		s.write(t, ref, img)
	}
	return img
}

func (s *server) write(t *testing.T, ref string, img v1.Image) {
	t.Helper()
	parsed, err := name.ParseReference(s.host + "/" + ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(parsed, img); err != nil {
		t.Fatal(err)
	}
}

func (s *server) inventory(t *testing.T, place string, opts Options) (*retention.Inventory, error) {
	t.Helper()
	opts.Pause = time.Microsecond
	r, err := Open(s.host+place, opts)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.requests = nil
	s.mu.Unlock()
	return r.Inventory(t.Context(), now)
}

// asked are the requests, but for those about rights.
func (s *server) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.requests), func(r string) bool { return r == "GET /v2/" })
}

func TestFactsAndRequests(t *testing.T) {
	s := newServer(t)
	s.push(t, "one", "team/a:1", "team/a:latest", "team/a:stable")
	s.push(t, "two", "team/a:2")
	s.push(t, "three", "team/b:1")
	cache := t.TempDir()
	inv, err := s.inventory(t, "", Options{Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	if len(inv.Repositories) != 2 || len(inv.Repositories[0].Tags) != 4 || len(inv.Repositories[0].Manifests) != 2 {
		t.Fatalf("inventory: %+v", inv)
	}
	m := inv.Repositories[1].Manifests[0]
	if m.Kind != retention.KindImage || m.Labels["word"] != "three" || m.Platform != "linux/amd64" || !m.Created.Equal(now.AddDate(0, 0, -9)) || len(m.Blobs) != 1 || m.Bytes == 0 {
		t.Errorf("manifest: %+v", m)
	}
	// The catalog; for each repository its tags; one look at each tag, which brings the
	// manifest along, but for the first one; each configuration; and twice, whether
	// there is a referrers API. Three images read at a time may all ask that.
	if n := len(s.asked()); n < 1+2+5+1+3+2 || n > 1+2+5+2+3+3 {
		t.Errorf("%d requests: %v", n, s.asked())
	}
	for _, r := range s.asked() {
		if !strings.HasPrefix(r, "GET ") && !strings.HasPrefix(r, "HEAD ") {
			t.Errorf("an inventory sent %s", r)
		}
	}
	again, err := s.inventory(t, "", Options{Cache: cache, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.asked()); n != 1+2+5+2 {
		t.Errorf("with a cache, %d requests: %v", n, s.asked())
	}
	before, _ := json.Marshal(inv)
	after, _ := json.Marshal(again)
	if string(before) != string(after) {
		t.Errorf("one worker with a cache read\n%s\nand sixteen without\n%s", after, before)
	}
	part, err := s.inventory(t, "/team/b", Options{})
	if err != nil || len(part.Repositories) != 1 || !part.Partial {
		t.Errorf("below a prefix: %+v, %v", part, err)
	}
}

func TestReferrersAPI(t *testing.T) {
	s := newServer(t, memory.WithReferrersSupport(true))
	img := s.push(t, "subject", "team/a:1")
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	sbom, ok := mutate.Subject(mutate.Annotations(s.push(t, "sbom"), map[string]string{"of": "it"}).(v1.Image), v1.Descriptor{Digest: digest, MediaType: types.DockerManifestSchema2}).(v1.Image)
	if !ok {
		t.Fatal("an image with a subject is no image")
	}
	d, err := sbom.Digest()
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "team/a@"+d.String(), sbom)
	inv, err := s.inventory(t, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(inv.Repositories[0].Manifests, func(m retention.Manifest) bool { return m.Digest == d.String() })
	if i < 0 || inv.Repositories[0].Manifests[i].Subject != digest.String() {
		t.Errorf("the referrer is not among %+v", inv.Repositories[0].Manifests)
	}
}

// What is cut short, goes in circles or fails makes a repository incomplete.
func TestListingsAreReadToTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		page       func(query string) (link, body string, status int)
		tags       int
		incomplete string
	}{
		"pages": {func(q string) (string, string, int) {
			if strings.Contains(q, "last=1") {
				return "", `{"tags":["2","3"]}`, 200
			}
			return `</v2/team/a/tags/list?n=1000&last=1>; rel="next"`, `{"tags":["1"]}`, 200
		}, 3, ""},
		"link without brackets": {func(q string) (string, string, int) {
			if strings.Contains(q, "last=1") {
				return "", `{"tags":["2"]}`, 200
			}
			return `/v2/team/a/tags/list?n=1000&last=1; rel="next"`, `{"tags":["1"]}`, 200
		}, 2, ""},
		"second page not found": {func(q string) (string, string, int) {
			if strings.Contains(q, "last=1") {
				return "", `{"errors":[{"code":"NAME_UNKNOWN"}]}`, 404
			}
			return `</v2/team/a/tags/list?n=1000&last=1>; rel="next"`, `{"tags":["1"]}`, 200
		}, 0, "the list is cut short"},
		"absolute link to elsewhere": {func(q string) (string, string, int) {
			if strings.Contains(q, "last=1") {
				return "", `{"tags":["2"]}`, 200
			}
			return `<http://127.0.0.1:1/v2/team/a/tags/list?last=1>; rel="next"`, `{"tags":["1"]}`, 200
		}, 2, ""},
		"full page without a link": {func(q string) (string, string, int) {
			if strings.Contains(q, "last=") {
				return "", `{"tags":["1"]}`, 200
			}
			return "", `{"tags":[` + strings.Repeat(`"1",`, 999) + `"2"]}`, 200
		}, 2, ""},
		"circle": {func(string) (string, string, int) {
			return `</v2/team/a/tags/list?last=1>; rel="next"`, `{"tags":["1"]}`, 200
		}, 0, "lead in a circle"},
		"bad link":      {func(string) (string, string, int) { return `next page please`, `{"tags":["1"]}`, 200 }, 0, "can't be read"},
		"link anywhere": {func(string) (string, string, int) { return `</admin>; rel="next"`, `{"tags":["1"]}`, 200 }, 0, "leads nowhere"},
		"no JSON":       {func(string) (string, string, int) { return "", "<html>", 200 }, 0, "is no JSON"},
		"failure":       {func(string) (string, string, int) { return "", "", 502 }, 0, "502 Bad Gateway"},
		"refusal":       {func(string) (string, string, int) { return "", `{"errors":[{"code":"DENIED","message":"no"}]}`, 403 }, 0, "403 Forbidden (DENIED: no)"},
		"null":          {func(string) (string, string, int) { return "", `{"tags":null}`, 200 }, 0, ""},
	} {
		s := newServer(t)
		s.push(t, "x", "team/a:1", "team/a:2", "team/a:3")
		s.change = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/tags/list") {
				return false
			}
			link, body, status := c.page(r.URL.RawQuery)
			if link != "" {
				w.Header().Set("Link", link)
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
			return true
		}
		inv, err := s.inventory(t, "", Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		repo := inv.Repositories[0]
		if len(repo.Tags) != c.tags || !strings.Contains(repo.Incomplete, c.incomplete) || (repo.Incomplete == "") != (c.incomplete == "") {
			t.Errorf("%s: %d tags, incomplete %q; want %d, %q", name, len(repo.Tags), repo.Incomplete, c.tags, c.incomplete)
		}
	}
}

// Referrers on the second page are found; a page that can't be read makes the
// repository incomplete, though a registry without the API is none.
func TestReferrersAreReadToTheEnd(t *testing.T) {
	s := newServer(t, memory.WithReferrersSupport(true))
	digest := func(img v1.Image) string {
		d, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d.String()
	}
	subject := digest(s.push(t, "subject", "team/a:1"))
	page := map[bool]string{}
	for last, word := range map[bool]string{false: "first", true: "second"} {
		img := mutate.Subject(s.push(t, word), v1.Descriptor{Digest: v1.Hash{Algorithm: "sha256", Hex: strings.TrimPrefix(subject, "sha256:")}, MediaType: types.DockerManifestSchema2}).(v1.Image)
		s.write(t, "team/a@"+digest(img), img)
		page[last] = `{"manifests":[{"digest":"` + digest(img) + `"}]}`
	}
	status := 200
	s.change = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/referrers/") {
			return false
		}
		last := r.URL.Query().Has("last")
		switch {
		case !strings.HasSuffix(r.URL.Path, subject):
			fmt.Fprint(w, `{"manifests":[]}`)
		case last:
			w.WriteHeader(status)
			fmt.Fprint(w, page[true])
		default:
			w.Header().Set("Link", "<"+r.URL.Path+`?last=1>; rel="next"`)
			fmt.Fprint(w, page[false])
		}
		return true
	}
	for _, want := range []struct{ status, manifests int }{{http.StatusOK, 3}, {http.StatusNotFound, 0}} {
		status = want.status
		inv, err := s.inventory(t, "/team/a", Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := inv.Repositories[0]
		if want.manifests > 0 && (len(got.Manifests) != want.manifests || got.Incomplete != "") {
			t.Errorf("%d manifests, want %d; %s", len(got.Manifests), want.manifests, got.Incomplete)
		}
		if want.manifests == 0 && !strings.Contains(got.Incomplete, "?last=1") {
			t.Errorf("a page is missing, and the repository is complete: %+v", got)
		}
	}
}

// What a registry says of one manifest is not taken for what it can do.
func TestReferrersAreAskedForAgain(t *testing.T) {
	for name, c := range map[string]struct {
		from, to int // the requests that it refuses
		body     string
		want     int
	}{
		"one wrong answer":     {1, 1, "", 4},
		"one unknown manifest": {1, 2, `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`, 4},
		"the API isn't there":  {1, 2, "404 page not found", 3},
		"it knew another one":  {2, 3, "404 page not found", 4},
	} {
		s := newServer(t, memory.WithReferrersSupport(true))
		var subjects []string
		for _, tag := range []string{"1", "2", "3"} {
			d, err := s.push(t, tag, "team/a:"+tag).Digest()
			if err != nil {
				t.Fatal(err)
			}
			subjects = append(subjects, d.String())
		}
		last := slices.Max(subjects) // one worker asks in their order
		sbom := mutate.Subject(s.push(t, "sbom"), v1.Descriptor{Digest: v1.Hash{Algorithm: "sha256", Hex: strings.TrimPrefix(last, "sha256:")}, MediaType: types.DockerManifestSchema2}).(v1.Image)
		d, err := sbom.Digest()
		if err != nil {
			t.Fatal(err)
		}
		s.write(t, "team/a@"+d.String(), sbom)
		asked := 0
		s.change = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/referrers/") {
				return false
			}
			asked++
			if c.from <= asked && asked <= c.to {
				w.WriteHeader(http.StatusNotFound)
				fmt.Fprint(w, c.body)
				return true
			}
			return false
		}
		inv, err := s.inventory(t, "", Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := inv.Repositories[0]; len(got.Manifests) != c.want || got.Incomplete != "" {
			t.Errorf("%s: %d manifests, want %d; %s", name, len(got.Manifests), c.want, got.Incomplete)
		}
	}
}

func TestACatalogThatFailsIsAnError(t *testing.T) {
	s := newServer(t)
	s.push(t, "x", "team/a:1")
	status := http.StatusInternalServerError
	s.change = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/_catalog") {
			w.WriteHeader(status)
			return true
		}
		return false
	}
	if _, err := s.inventory(t, "/team/a", Options{}); err == nil {
		t.Error("a catalog that failed passes as a whole one")
	}
	status = http.StatusUnauthorized // as Docker Hub, which lists for nobody
	if inv, err := s.inventory(t, "/team/a", Options{}); err != nil || len(inv.Repositories[0].Tags) != 1 {
		t.Errorf("a repository that was named: %+v, %v", inv, err)
	}
	if _, err := s.inventory(t, "", Options{}); err == nil || !strings.Contains(err.Error(), "name one as") {
		t.Errorf("a registry without a catalog: %v", err)
	}
}

func TestPatience(t *testing.T) {
	s := newServer(t)
	s.push(t, "x", "team/a:1")
	var mu sync.Mutex
	left := 3
	s.change = func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if left == 0 || r.URL.Path == "/v2/" {
			return false
		}
		left--
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	inv, err := s.inventory(t, "", Options{})
	if err != nil || len(inv.Repositories[0].Manifests) != 1 {
		t.Errorf("after 429: %+v, %v", inv, err)
	}
}

func TestWhatARegistryCantDo(t *testing.T) {
	s := newServer(t)
	s.push(t, "x", "team/a:1")
	r, err := Open(s.host, Options{Pause: time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	repo := s.host + "/team/a"
	if _, err := r.Tag(t.Context(), repo, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a tag that isn't there: %v", err)
	}
	s.change = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
		return r.Method == http.MethodDelete
	}
	if err := r.DeleteTag(t.Context(), repo, "1"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a registry that deletes nothing: %v", err)
	}
	if err := r.DeleteTag(t.Context(), "elsewhere.example.com/team/a", "1"); err == nil {
		t.Error("a repository of another registry was taken for one of this")
	}
}

func TestPlaces(t *testing.T) {
	for place, want := range map[string]string{
		"registry.example.com": "registry://registry.example.com", "127.0.0.1:5000/team/": "registry://127.0.0.1:5000/team", "https://host:5000/a/b": "registry://host:5000/a/b",
	} {
		r, err := Open(place, Options{})
		if err != nil || r.Place() != want {
			t.Errorf("%s: %v, %v", place, r, err)
		}
	}
	for _, place := range []string{"", "/team", "http://host", "UPPER/Case", "a b"} {
		if _, err := Open(place, Options{}); err == nil {
			t.Errorf("%q was taken", place)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:` + strings.Repeat("a", 64) + `"},"layers":[]}`)
	f.Add(`{"schemaVersion":2,"manifests":[{"digest":"sha256:x"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, config := manifest.Parse("sha256:"+strings.Repeat("b", 64), []byte(text))
		for _, c := range m.Children {
			if !distribution.IsDigest(c.Digest) {
				t.Errorf("a part has the digest %q", c.Digest)
			}
		}
		if config != "" && !distribution.IsDigest(config) {
			t.Errorf("the configuration has the digest %q", config)
		}
		manifest.Describe(&m, []byte(text))
	})
}
