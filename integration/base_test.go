//go:build linux

package integration_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imgmgr/imgmgr/frontend"
	"github.com/imgmgr/imgmgr/integration/sandbox"
	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/rules"
	"github.com/imgmgr/imgmgr/plugin/image/base"
	"github.com/imgmgr/imgmgr/plugin/lint"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

var builder = "linux/" + runtime.GOARCH

// alone hides the user's own Docker, logins and cache from this test.
func alone(t *testing.T) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none.sock"))
}

// linted lints a folder, and returns the findings and the notes.
func linted(t *testing.T, dir string, reach base.Reach, building bool, change func(*lint.Options)) (out, notes string) {
	t.Helper()
	images, err := lint.NewImages(reach, building, builder, []string{sb.Registry})
	if err != nil {
		t.Fatal(err)
	}
	o := lint.Options{Paths: []string{dir}, Format: lint.Text, Rules: rules.All, Images: images, Verbose: true}
	if change != nil {
		change(&o)
	}
	var found, said bytes.Buffer
	err = lint.Run(t.Context(), ui.Streams{Out: ui.Output{Writer: &found}, Err: ui.Output{Writer: &said}}, o)
	if exit, ok := errors.AsType[*ui.Exit](err); err != nil && (!ok || exit.Code != ui.Findings) {
		t.Fatalf("%v: %s", err, said.String())
	}
	return found.String(), said.String()
}

// duplicated puts an image of the sandbox at another reference, and returns its digest.
func duplicated(t *testing.T, from, to string) (v1.Image, string) {
	t.Helper()
	source, err := name.ParseReference(sb.Image(from))
	if err != nil {
		t.Fatal(err)
	}
	img, err := remote.Image(source, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}))
	if err != nil {
		t.Fatal(err)
	}
	pushTo(t, to, img)
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return img, digest.String()
}

func pushTo(t *testing.T, to string, what any) {
	t.Helper()
	target, err := name.ParseReference(to)
	if err == nil {
		switch what := what.(type) {
		case v1.Image:
			err = remote.Write(target, what)
		case v1.ImageIndex:
			err = remote.WriteIndex(target, what)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, where, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s: there is no %q in\n%s", where, part, text)
		}
	}
}

// TestDigestsAndTagsOfARegistry pins images, moves their tags, and lints.
func TestDigestsAndTagsOfARegistry(t *testing.T) {
	alone(t)
	repo := sb.Registry + "/lint/base"
	debian, before := duplicated(t, "debian:bookworm-slim", repo+":1")
	busybox, after := duplicated(t, "busybox:latest", repo+":1")
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: debian, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: runtime.GOARCH}}},
		mutate.IndexAddendum{Add: busybox, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "ppc64le"}}},
	)
	pushTo(t, repo+":several", index)
	duplicated(t, "node:20-bookworm", repo+":20")
	duplicated(t, "node:20-bookworm-slim", repo+":20-slim")
	dir := folder(t, map[string]string{
		"moved.Dockerfile":   "FROM " + repo + ":1@" + before + "\nUSER 1000\n",
		"one.Dockerfile":     "FROM " + repo + ":several@" + before + "\nUSER 1000\n",
		"missing.Dockerfile": "FROM --platform=linux/s390x " + repo + ":several\nUSER 1000\n",
		"heavy.Dockerfile":   "FROM " + repo + ":20\nUSER 1000\n",
	})
	out, notes := linted(t, dir, base.Network, false, nil)
	wants(t, "with the registry", out,
		"moved.Dockerfile:1:6: info", "[DigestOutdated]", "is "+after+" now",
		"one.Dockerfile:1:6: info: the digest is that of the image for "+builder+" alone", "[DigestOfOnePlatform]",
		"missing.Dockerfile:1:29: error", "is not there for linux/s390x", "[PlatformMissing]",
		repo+":20-slim", "[HeavyBaseVariant]",
	)
	if strings.Contains(notes, "could not be reached") {
		t.Errorf("it says\n%s", notes)
	}
	if out, _ = linted(t, dir, base.Machine, false, nil); strings.Contains(out, "[Digest") || strings.Contains(out, "[PlatformMissing]") {
		t.Errorf("without the registry it finds\n%s", out)
	}
	// The repaired pin is what the tag names.
	linted(t, filepath.Join(dir, "moved.Dockerfile"), base.Network, false, func(o *lint.Options) { o.Fix = engine.Unsafe })
	if fixed, err := os.ReadFile(filepath.Join(dir, "moved.Dockerfile")); err != nil || !strings.Contains(string(fixed), ":1@"+after+"\n") {
		t.Errorf("fixed: %s, %v", fixed, err)
	}
}

// filesOfDebian are findings that rest on the files of Debian's image.
var filesOfDebian = map[string]string{
	"Dockerfile":       "FROM debian:bookworm-slim\nCOPY app /srv/app\nHEALTHCHECK CMD pg_isready -q\nUSER somebody\n",
	"Other.Dockerfile": "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends coreutils jq\n",
	"app":              "x",
}

func wantsFiles(t *testing.T, where, out string) {
	t.Helper()
	wants(t, where, out, "calls pg_isready, which debian:bookworm-slim doesn't have", "[HealthcheckToolMissing]",
		"doesn't say who somebody is", "has the users root, ", "[UserUnknown]",
		"coreutils is in debian:bookworm-slim already", "has coreutils 9", "[PackageInBase]")
}

// TestFilesOfBaseImages: who the users are, which programs there are and which
// packages are installed, from a registry and then from disk alone.
func TestFilesOfBaseImages(t *testing.T) {
	alone(t)
	dir := folder(t, filesOfDebian)
	if out, _ := linted(t, dir, base.Machine, false, nil); strings.Contains(out, "UserUnknown") || strings.Contains(out, "PackageInBase") {
		t.Errorf("without the image it finds\n%s", out)
	}
	out, notes := linted(t, dir, base.Network, false, nil)
	wantsFiles(t, "with the registry: "+notes, out)
	out, _ = linted(t, dir, base.Disk, false, nil)
	wantsFiles(t, "from disk", out)
}

// TestFilesOfTheEngine asks the real engines, old and new, for what they have.
func TestFilesOfTheEngine(t *testing.T) {
	if err := errors.Join(sb.StartEngine(t.Context()), sb.StartNewestEngine(t.Context())); err != nil {
		t.Fatal(err)
	}
	for kind, host := range map[string]string{"classic": sb.Engine, "newest": sb.NewestEngine} {
		alone(t)
		t.Setenv("DOCKER_HOST", host)
		for _, args := range [][]string{{"pull", "--quiet", sb.Image("debian:bookworm-slim")}, {"tag", sb.Image("debian:bookworm-slim"), "debian:bookworm-slim"}} {
			if out, err := sb.DockerAt(t.Context(), host, "", args...); err != nil {
				t.Fatalf("%v: %v\n%s", args, err, out)
			}
		}
		// Reading all of it is what a build-safe fix is allowed to: a plain lint
		// has two seconds, which say more of this machine than of the code.
		dir := folder(t, filesOfDebian)
		images, err := lint.NewImages(base.Machine, true, builder, nil)
		if err != nil {
			t.Fatal(err)
		}
		out, notes := linted(t, dir, base.Machine, true, func(o *lint.Options) { o.Images = images })
		wantsFiles(t, kind+": "+notes, out)
		out, notes = linted(t, dir, base.Machine, false, nil) // from disk by now
		wantsFiles(t, kind+", again: "+notes, out)
	}
}

// TestRegistryWithAPassword: the credentials of docker login are used, and without
// them the image is unknown, which is no error.
func TestRegistryWithAPassword(t *testing.T) {
	alone(t)
	duplicated(t, "debian:bookworm-slim", sb.Registry+"/lint/private:1")
	behind := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: sb.Registry})
	guarded := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ada" || password != "lovelace" {
			w.Header().Set("WWW-Authenticate", `Basic realm="images"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		behind.ServeHTTP(w, r)
	}))
	defer guarded.Close()
	host := strings.TrimPrefix(guarded.URL, "http://")
	dir := folder(t, map[string]string{"Dockerfile": "FROM " + host + "/lint/private:1\nUSER somebody\n"})
	out, notes := linted(t, dir, base.Network, false, nil)
	if strings.Contains(out, "UserUnknown") {
		t.Errorf("without a login it knows\n%s", out)
	}
	wants(t, "the notes without a login", notes, "base image "+host+"/lint/private:1 isn't known")
	login := `{"auths": {"` + host + `": {"auth": "YWRhOmxvdmVsYWNl"}}}`
	if err := os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(login), 0o600); err != nil {
		t.Fatal(err)
	}
	out, notes = linted(t, dir, base.Network, false, nil)
	wants(t, "with the login: "+notes, out, "doesn't say who somebody is", "[UserUnknown]")
}

// TestOfflineConnectsToNothing listens where the registry and the Engine would be.
func TestOfflineConnectsToNothing(t *testing.T) {
	alone(t)
	var connected atomic.Int64
	listen := func(network, at string) net.Listener {
		l, err := net.Listen(network, at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				connected.Add(1)
				c.Close()
			}
		}()
		return l
	}
	mirror := listen("tcp", "127.0.0.1:0").Addr().String()
	socket := filepath.Join(t.TempDir(), "engine.sock")
	listen("unix", socket)
	t.Setenv("DOCKER_HOST", "unix://"+socket)
	dir := folder(t, with(unordered, "Dockerfile", "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCOPY --from="+mirror+"/a:1 /a /b\nHEALTHCHECK CMD curl x\nUSER app\n"))
	for _, reach := range []base.Reach{base.Disk, base.Machine} {
		for _, building := range []bool{false, true} {
			connected.Store(0)
			images, err := lint.NewImages(reach, building, builder, []string{mirror})
			if err != nil {
				t.Fatal(err)
			}
			linted(t, dir, reach, building, func(o *lint.Options) {
				o.Images = images
				if building {
					o.Fix, o.Diff, o.Args, o.Platform = engine.BuildSafe, true, map[string]string{}, builder
				}
			})
			if n := connected.Load(); (n > 0) != (reach == base.Machine) {
				t.Errorf("reach %d: %d connections", reach, n)
			}
		}
	}
}

// TestDiffIsWhatTheFrontendRuns: of images that are nobody's official ones, with and
// without a link in the place of a cache, the command line says what the frontend
// builds.
func TestDiffIsWhatTheFrontendRuns(t *testing.T) {
	alone(t)
	plain, linked := sb.Registry+"/lint/node:1", sb.Registry+"/lint/linked:1"
	duplicated(t, "node:20-bookworm-slim", plain)
	build(t, sandbox.BuildRequest{Dockerfile: []byte("FROM node:20-bookworm-slim\nRUN mkdir -p /data/npm && ln -s /data/npm /root/.npm\n"), Push: linked})
	for image, rewritten := range map[string]bool{plain: true, linked: false} {
		text := "FROM " + image + "\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\nCMD [\"node\", \"server.js\"]\n"
		dir := folder(t, with(unordered, "Dockerfile", text))
		answer, err := sb.Call(t.Context(), sandbox.BuildRequest{Context: dir, Func: frontend.Build}, frontend.RequestRewrite)
		if err != nil {
			t.Fatal(err)
		}
		var ran frontend.Explanation
		if err := json.Unmarshal(answer["result.json"], &ran); err != nil {
			t.Fatal(err)
		}
		linted(t, filepath.Join(dir, "Dockerfile"), base.Network, true, func(o *lint.Options) {
			o.Fix, o.Args, o.Platform = engine.BuildSafe, map[string]string{}, builder
		})
		said, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
		if err != nil {
			t.Fatal(err)
		}
		if string(said) != ran.Dockerfile || strings.Contains(ran.Dockerfile, "type=cache") != rewritten {
			t.Errorf("%s: the command line says\n%s\nand the frontend runs\n%s", image, said, ran.Dockerfile)
		}
	}
}
