package base

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/plugin/image/cache"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// engineOf has one image, of one file, by one name.
type engineOf struct {
	ref   string
	fails error
	asked int
	saved int
	img   v1.Image
}

func (e *engineOf) ImageInspect(ctx context.Context, ref string, _ ...client.ImageInspectOption) (client.ImageInspectResult, error) {
	e.asked++
	var out client.ImageInspectResult
	switch {
	case e.fails != nil:
		return out, e.fails
	case ref != e.ref:
		return out, errdefs.ErrNotFound
	}
	out.ID, out.Os, out.Architecture, out.Size = "sha256:"+strings.Repeat("1", 64), "linux", "amd64", 1000
	out.Config = &dockerspec.DockerOCIImageConfig{ImageConfig: ocispec.ImageConfig{User: "local"}}
	return out, nil
}

func (e *engineOf) ImageSave(context.Context, []string, ...client.ImageSaveOption) (client.ImageSaveResult, error) {
	e.saved++
	var out bytes.Buffer
	tag, err := name.NewTag(e.ref)
	if err == nil {
		err = tarball.Write(tag, e.img, &out)
	}
	return io.NopCloser(&out), err
}

func (e *engineOf) connect(context.Context) (Engine, error) { return e, nil }

// imageOf is an image of one layer with these files; one whose text begins with
// "-> " is a link.
func imageOf(t *testing.T, files map[string]string) v1.Image {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, text := range files {
		h := &tar.Header{Name: name, Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg}
		if to, ok := strings.CutPrefix(text, "-> "); ok {
			h.Typeflag, h.Linkname, h.Size, text = tar.TypeSymlink, to, 0, ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(out.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}})
	if err == nil {
		img, err = mutate.AppendLayers(img, layer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func push(t *testing.T, s *imagetest.Server, ref string, img v1.Image) {
	t.Helper()
	parsed, err := name.ParseReference(s.Host + "/" + ref)
	if err == nil {
		err = remote.Write(parsed, img)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func resolver(t *testing.T, o Options) *Resolver {
	t.Helper()
	o.Platform = "linux/amd64"
	if o.Now == nil {
		o.Now = time.Now
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func user(t *testing.T, r *Resolver, ref string) string {
	t.Helper()
	img, err := r.Image(t.Context(), ref, "")
	if errors.Is(err, facts.ErrUnknown) {
		return "unknown"
	}
	if err != nil {
		t.Fatal(err)
	}
	return img.Config.Config.User
}

// TestWhoIsAsked follows one image through the places that may know it, as what
// the registry said grows older.
func TestWhoIsAsked(t *testing.T) {
	s := imagetest.NewServer(t)
	digest := s.Push(t, "team/base:1")
	ref := s.Host + "/team/base:1"
	c := &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	here := &engineOf{ref: ref}
	o := Options{Memory: OpenMemory(t.TempDir(), c.now), Recall: 30 * 24 * time.Hour, Now: c.now, Engine: here.connect}
	at := func(reach Reach) *Resolver { o.Reach = reach; return resolver(t, o) }

	if got := user(t, at(Disk), ref); got != "unknown" {
		t.Errorf("on an empty disk the user is %s", got)
	}
	pushed := s.Requests.Load()
	if got := user(t, at(Machine), ref); got != "local" || s.Requests.Load() != pushed {
		t.Errorf("on the machine the user is %s, with %d requests", got, s.Requests.Load()-pushed)
	}
	if got := user(t, at(Network), ref); got != "amd" {
		t.Errorf("in the registry the user is %s", got)
	}
	before := s.Requests.Load()
	img, err := at(Disk).Image(t.Context(), ref, "")
	if err != nil || img.Digest != digest || img.Config.Config.User != "amd" {
		t.Errorf("the disk says %v, %v", img, err)
	}
	if got := user(t, at(Machine), ref); got != "amd" {
		t.Errorf("what the registry just said should come before the engine's, but the user is %s", got)
	}
	c.at = c.at.Add(25 * time.Hour)
	if got := user(t, at(Machine), ref); got != "local" {
		t.Errorf("a day later the user is %s", got)
	}
	img, err = at(Disk).Image(t.Context(), ref, "")
	if err != nil || img.Digest != "" {
		t.Errorf("a day later the disk says %v, %v; the digest should be unknown, for the tag may have moved", img, err)
	}
	c.at = c.at.Add(30 * 24 * time.Hour)
	if got := user(t, at(Disk), ref); got != "unknown" {
		t.Errorf("a month later the user is %s", got)
	}
	if got := s.Requests.Load(); got != before {
		t.Errorf("the registry got %d requests without the network", got-before)
	}
}

// TestRegistryIsAskedForTheDigestOnly: what is on disk isn't fetched again.
func TestRegistryIsAskedForTheDigestOnly(t *testing.T) {
	s := imagetest.NewServer(t)
	digest := s.Push(t, "team/base:1")
	o := Options{Reach: Network, Memory: OpenMemory(t.TempDir(), time.Now)}
	user(t, resolver(t, o), s.Host+"/team/base:1")
	before := s.Requests.Load()
	user(t, resolver(t, o), s.Host+"/team/base:1")
	if n := s.Requests.Load() - before; n > 2 { // the ping, and a HEAD
		t.Errorf("the second run made %d requests", n)
	}
	before = s.Requests.Load()
	if got := user(t, resolver(t, o), s.Host+"/team/base@"+digest); got != "amd" || s.Requests.Load() != before {
		t.Errorf("an image by its digest: user %s, %d requests; want none", got, s.Requests.Load()-before)
	}
}

func TestManifest(t *testing.T) {
	s := imagetest.NewServer(t)
	digest := s.Push(t, "team/base:1")
	push(t, s, "team/single:1", imageOf(t, map[string]string{"a": strings.Repeat("x", 5000)}))
	r := resolver(t, Options{Reach: Network})
	m, err := r.Manifest(t.Context(), s.Host+"/team/base:1", "linux/s390x")
	if err != nil || m.Digest != digest || !m.Index || len(m.Platforms) != 2 || !m.Lacking {
		t.Errorf("an index without the platform: %+v, %v", m, err)
	}
	m, err = r.Manifest(t.Context(), s.Host+"/team/single:1", "linux/arm64")
	if err != nil || m.Index || len(m.Platforms) != 1 || m.Platforms[0].Platform != "linux/amd64" || m.Platforms[0].Digest != m.Digest || m.Lacking || m.Bytes == 0 {
		t.Errorf("a manifest without an index: %+v, %v", m, err)
	}
	if _, err := r.Manifest(t.Context(), s.Host+"/team/gone:1", ""); !errors.Is(err, facts.ErrUnknown) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an image that isn't there: %v", err)
	}
	mirror := imagetest.NewServer(t)
	beside := resolver(t, Options{Reach: Network, Mirrors: []string{mirror.Host}, Engine: func(context.Context) (Engine, error) { return nil, fs.ErrNotExist }})
	beside.remotes.heard("index.docker.io", io.EOF) // it can't be reached
	if _, err := beside.Manifest(t.Context(), "gone:1", ""); !errors.Is(err, facts.ErrUnknown) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an image that a mirror hasn't got: %v; its registry may have it", err)
	}
	if _, err := resolver(t, Options{Reach: Machine}).Manifest(t.Context(), s.Host+"/team/base:1", ""); !errors.Is(err, facts.ErrUnknown) {
		t.Errorf("without the network: %v", err)
	}
}

// TestFiles reads an image's files from its registry once, and then from disk.
func TestFiles(t *testing.T) {
	s := imagetest.NewServer(t)
	push(t, s, "team/base:1", imageOf(t, map[string]string{
		"etc/passwd": "app:x:1000:1000::/:\n", "usr/bin/sh": "#!", "bin": "-> usr/bin", "secret": "x",
	}))
	ref := s.Host + "/team/base:1"
	dir := t.TempDir()
	tables, err := cache.Open(dir, cache.DefaultBytes)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Reach: Network, Memory: OpenMemory(dir, time.Now), Tables: tables}
	_, err = lookInto(t, o, ref)
	if !errors.Is(err, facts.ErrUnknown) {
		t.Errorf("without leave to read layers: %v", err)
	}
	o.ReadBytes, o.ReadTime = 10, time.Minute
	if _, err = lookInto(t, o, ref); !errors.Is(err, facts.ErrUnknown) || !strings.Contains(err.Error(), "no more than 10") {
		t.Errorf("an image that is too large: %v", err)
	}
	o.ReadBytes = 1 << 20
	for _, reach := range []Reach{Network, Disk} {
		if o.Reach = reach; reach == Disk {
			o.ReadBytes = 0
		}
		files, err := lookInto(t, o, ref)
		if err != nil {
			t.Fatalf("reach %d: %v", reach, err)
		}
		if passwd, err := facts.Read(files, "/etc/passwd"); err != nil || string(passwd) != "app:x:1000:1000::/:\n" {
			t.Errorf("reach %d: passwd is %q, %v", reach, passwd, err)
		}
		if found, _, err := facts.Locate(files, "/bin/sh"); err != nil || found != "usr/bin/sh" {
			t.Errorf("reach %d: the shell is %s, %v", reach, found, err)
		}
		if _, _, err := facts.Locate(files, "/bin/curl"); !facts.Absent(err) {
			t.Errorf("reach %d: a program that isn't there: %v", reach, err)
		}
		if _, err := facts.Read(files, "secret"); err == nil || facts.Absent(err) {
			t.Errorf("reach %d: a file whose content isn't kept: %v", reach, err)
		}
		if _, err := fs.Lstat(files, "bin/sh"); err == nil || facts.Absent(err) {
			t.Errorf("reach %d: behind a link: %v", reach, err)
		}
	}
}

// lookInto is the files of an image, once they were asked for something.
func lookInto(t *testing.T, o Options, ref string) (fs.FS, error) {
	t.Helper()
	img, err := resolver(t, o).Image(t.Context(), ref, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = fs.Lstat(img.Files, "usr/bin/sh")
	return img.Files, err
}

// TestFilesOfTheEngine are saved once.
func TestFilesOfTheEngine(t *testing.T) {
	here := &engineOf{ref: "local:1", img: imageOf(t, map[string]string{"usr/bin/sh": "x"})}
	tables, err := cache.Open(t.TempDir(), cache.DefaultBytes)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Reach: Machine, Engine: here.connect, Tables: tables, ReadBytes: 1 << 20, ReadTime: time.Minute}
	for range 2 {
		if _, err := lookInto(t, o, "local:1"); err != nil {
			t.Fatal(err)
		}
	}
	if here.saved != 1 {
		t.Errorf("the image was saved %d times", here.saved)
	}
	o.Tables, o.ReadBytes = nil, 999
	if _, err := lookInto(t, o, "local:1"); !errors.Is(err, facts.ErrUnknown) {
		t.Errorf("an image of 1000 bytes, with leave for 999: %v", err)
	}
}

func TestEngineThatFailsIsAskedOnce(t *testing.T) {
	broken := &engineOf{fails: errors.New("it is broken")}
	r := resolver(t, Options{Reach: Machine, Engine: broken.connect})
	for _, ref := range []string{"a:1", "b:1", "a:1"} {
		if got := user(t, r, ref); got != "unknown" {
			t.Errorf("%s has user %s", ref, got)
		}
	}
	if broken.asked != 1 || len(r.Failed()) != 1 || len(r.Unknown()) != 2 {
		t.Errorf("asked %d times; failed: %v; unknown: %v", broken.asked, r.Failed(), r.Unknown())
	}
	r.Forget(-time.Second) // all is older than that
	broken.fails, broken.ref = nil, "a:1"
	if got := user(t, r, "a:1"); got != "local" {
		t.Errorf("when it works again, the user is %s", got)
	}
	none := resolver(t, Options{Reach: Machine, Engine: func(context.Context) (Engine, error) { return nil, fs.ErrNotExist }})
	if user(t, none, "a:1"); len(none.Failed()) != 0 {
		t.Errorf("an engine that isn't there counts as failed: %v", none.Failed())
	}
}

// TestSilentRegistry: a listener that takes connections and says nothing costs one
// look-up its time, and no other.
func TestSilentRegistry(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r := resolver(t, Options{Reach: Network})
	for _, ref := range []string{"/a:1", "/b:1", "/c:1"} {
		if got := user(t, r, silent.Addr().String()+ref); got != "unknown" {
			t.Errorf("user %s", got)
		}
	}
	if why := r.Failed()["registry "+silent.Addr().String()]; why == nil || !errors.Is(why, context.DeadlineExceeded) {
		t.Errorf("failed: %v", r.Failed())
	}
	if why := r.Unknown()[silent.Addr().String()+"/c:1"]; why == nil || !strings.Contains(why.Error(), "before") {
		t.Errorf("the third image: %v", why)
	}
}

// TestDamagedMemory: what doesn't have its digest, or can't be read, isn't there.
func TestDamagedMemory(t *testing.T) {
	s := imagetest.NewServer(t)
	s.Push(t, "team/base:1")
	dir := t.TempDir()
	o := Options{Reach: Network, Memory: OpenMemory(dir, time.Now)}
	user(t, resolver(t, o), s.Host+"/team/base:1")
	kept, err := filepath.Glob(filepath.Join(dir, memoryVersion, "*"))
	if err != nil || len(kept) < 4 {
		t.Fatalf("kept: %v, %v", kept, err)
	}
	for _, file := range kept {
		if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.Reach = Disk
	if got := user(t, resolver(t, o), s.Host+"/team/base:1"); got != "unknown" {
		t.Errorf("a damaged disk says %s", got)
	}
	o.Reach = Network
	if got := user(t, resolver(t, o), s.Host+"/team/base:1"); got != "amd" {
		t.Errorf("with a damaged disk the registry says %s", got)
	}
}
