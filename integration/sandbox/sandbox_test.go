//go:build linux

package sandbox_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// shared is the sandbox of all tests of this package.
var shared *sandbox.Sandbox

func TestMain(m *testing.M) {
	os.Exit(sandbox.RunTests(m, sandbox.Options{Engine: true}, func(_ context.Context, started *sandbox.Sandbox) error {
		shared = started
		return nil
	}))
}

// build builds or fails the test with the log of the step that failed.
func build(t *testing.T, req sandbox.BuildRequest) *sandbox.BuildResult {
	t.Helper()
	result, err := shared.Build(t.Context(), req)
	if err != nil {
		for _, v := range result.Vertices {
			if v.Error != "" {
				t.Errorf("%s: %s\n%s", v.Name, v.Error, v.Log)
			}
		}
		t.Fatal(err)
	}
	return result
}

// The three package managers that most Dockerfiles use reach their servers
// from a RUN, with no setting in the Dockerfile.
func TestRunReachesPackageServers(t *testing.T) {
	for name, test := range map[string]struct{ dockerfile, context string }{
		"apt": {dockerfile: `FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends jq
RUN jq --version && ls /usr/share/keyrings && test -z "$(ls -A /var/cache/apt/archives/*.deb 2>/dev/null)"
`},
		"go": {dockerfile: `FROM golang:1.26-bookworm
RUN go mod init example.com/tiny && go get rsc.io/sampler@v1.3.0
RUN CGO_ENABLED=1 go build rsc.io/sampler && test "$(pwd)" = /go
`},
		"npm": {context: "testdata/node", dockerfile: `FROM node:20-bookworm
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
RUN node -e 'require("ms")' && id node
`},
		"npm, slim": {context: "testdata/node", dockerfile: `FROM node:20-bookworm-slim
USER node
WORKDIR /home/node/app
COPY --chown=node package.json package-lock.json ./
RUN npm ci && node -e 'require("ms")'
`},
	} {
		t.Run(name, func(t *testing.T) {
			ref := shared.Registry + "/test/" + strings.ReplaceAll(name, ", ", "-") + ":1"
			result := build(t, sandbox.BuildRequest{
				Context: test.context, Dockerfile: []byte(test.dockerfile), Push: ref, NoCache: true,
			})
			if !strings.HasPrefix(result.Digest, "sha256:") {
				t.Errorf("the pushed image has no digest: %v", result.Exporter)
			}
			if out, err := shared.Buildx(t.Context(), "", "imagetools", "inspect", ref); err != nil || !strings.Contains(out, result.Digest) {
				t.Errorf("imagetools inspect %s does not name %s: %v\n%s", ref, result.Digest, err, out)
			}
			if result.Wall <= 0 {
				t.Error("no wall time")
			}
		})
	}
}

func TestSecondBuildIsCached(t *testing.T) {
	req := sandbox.BuildRequest{Dockerfile: []byte("FROM busybox\nRUN echo hello; echo there >&2\n")}
	build(t, req)
	result := build(t, req)
	if step := result.Step("RUN echo hello"); step == nil || !step.Cached {
		t.Errorf("the RUN is not cached: %+v", step)
	}
	req.NoCache = true
	step := build(t, req).Step("RUN echo hello")
	if step == nil || step.Cached || !strings.Contains(step.Log, "hello\n") || !strings.Contains(step.Log, "there\n") {
		t.Errorf("the RUN did not run or has no log: %+v", step)
	}
	if step.Duration() <= 0 {
		t.Errorf("a step that ran took no time: %+v", step)
	}
}

func TestFailureNamesItsLines(t *testing.T) {
	result, err := shared.Build(t.Context(), sandbox.BuildRequest{Dockerfile: []byte("FROM busybox\n\nRUN false\n")})
	if err == nil {
		t.Fatal("RUN false built")
	}
	if len(result.Sources) != 1 || result.Sources[0].Ranges[0].Start.Line != 3 {
		t.Errorf("the failure names %v, want line 3", result.Sources)
	}
}

func TestOutputs(t *testing.T) {
	dir := t.TempDir()
	dockerfile := []byte("FROM scratch\nARG TEXT\nCOPY hello /\nCOPY --from=more other /\n")
	context, more := filepath.Join(dir, "context"), filepath.Join(dir, "more")
	for path, text := range map[string]string{"context/hello": "hello", "more/other": "other"} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	req := sandbox.BuildRequest{Context: context, NamedContexts: map[string]string{"more": more}, Dockerfile: dockerfile}
	req.LocalDir = filepath.Join(dir, "out")
	if result := build(t, req); result.ContextBytes == 0 {
		t.Error("a build with a context was sent no bytes")
	}
	if text, err := os.ReadFile(filepath.Join(dir, "out", "other")); string(text) != "other" {
		t.Errorf("the local output has %q in other: %v", text, err)
	}
	req.LocalDir, req.OCITar = "", filepath.Join(dir, "image.tar")
	build(t, req)
	if info, err := os.Stat(req.OCITar); err != nil || info.Size() == 0 {
		t.Errorf("no OCI layout was written: %v", err)
	}
	req.OCITar, req.Push = "", shared.Registry+"/test/attested:1"
	req.Attests = map[string]string{"provenance": "mode=max"}
	build(t, req)
	if out, err := shared.Buildx(t.Context(), "", "imagetools", "inspect", req.Push, "--format", "{{json .Provenance}}"); err != nil || !strings.Contains(out, "hello") {
		t.Errorf("the provenance does not show the Dockerfile: %v\n%s", err, out)
	}
}

// A frontend from an image is asked for as `# syntax` does, and a file's own
// `# syntax` line counts only if the request says so.
func TestSyntaxLine(t *testing.T) {
	req := sandbox.BuildRequest{Dockerfile: []byte("# syntax=" + shared.Registry + "/no/such:frontend\nFROM busybox\n")}
	build(t, req)
	req.HonorSyntax = true
	if _, err := shared.Build(t.Context(), req); err == nil || !strings.Contains(err.Error(), "no/such:frontend") {
		t.Errorf("the syntax line was not honored: %v", err)
	}
	req.HonorSyntax, req.Frontend = false, shared.Registry+"/no/other:frontend key=value"
	if _, err := shared.Build(t.Context(), req); err == nil || !strings.Contains(err.Error(), "no/other:frontend") {
		t.Errorf("the frontend was not asked for: %v", err)
	}
}

func TestBusyboxIsForManyPlatforms(t *testing.T) {
	ref, err := name.ParseReference(shared.Image("busybox:latest"))
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(ref, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, m := range manifest.Manifests {
		platforms = append(platforms, m.Platform.String())
	}
	if all := strings.Join(platforms, " "); !strings.Contains(all, "linux/amd64") || !strings.Contains(all, "linux/arm64") {
		t.Errorf("busybox is for %s", all)
	}
}

func TestEngine(t *testing.T) {
	dir := t.TempDir()
	dockerfile := "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends jq\n"
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"build", "--network", "host", "--tag", "imgmgr-test:1", "."},
		{"buildx", "build", "--network", "host", "--tag", "imgmgr-test:2", "."},
		{"buildx", "--builder", "sandbox", "build", "--load", "--tag", "imgmgr-test:3", "."},
		{"run", "--rm", "imgmgr-test:1", "jq", "--version"},
		{"run", "--rm", "--network", "host", "imgmgr-test:3", "jq", "--version"},
	} {
		if _, err := shared.Docker(t.Context(), dir, args...); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAddStandIn(t *testing.T) {
	const ref = "ghcr.io/imgmgr/test-only:1"
	if shared.Hub {
		t.Log("images come from the registries themselves")
		return
	}
	image := sandbox.StandIn{Refs: []string{ref}, Dockerfile: []byte("FROM busybox\nRUN touch /stand-in\n")}
	if err := shared.AddStandIn(t.Context(), image); err != nil {
		t.Fatal(err)
	}
	build(t, sandbox.BuildRequest{Dockerfile: []byte("FROM " + ref + "\nRUN test -f /stand-in\n")})
}

func TestNewRegistryIsEmpty(t *testing.T) {
	addr, err := shared.NewRegistry(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	build(t, sandbox.BuildRequest{Dockerfile: []byte("FROM busybox\n"), Push: addr + "/a/b:1"})
	reg, err := name.NewRegistry(addr)
	if err != nil {
		t.Fatal(err)
	}
	repos, err := remote.Catalog(t.Context(), reg)
	if err != nil || len(repos) != 1 || repos[0] != "a/b" {
		t.Errorf("the registry has %q: %v", repos, err)
	}
}

// A BuildKit that is gone gives one line that says so.
func TestBuildOnStoppedBuildKit(t *testing.T) {
	sb, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = sb.Build(t.Context(), sandbox.BuildRequest{Dockerfile: []byte("FROM scratch\n")})
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "BuildKit") {
		t.Errorf("got %v", err)
	}
}
