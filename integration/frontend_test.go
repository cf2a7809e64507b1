//go:build linux

package integration_test

import (
	"encoding/json"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"

	"github.com/imgmgr/imgmgr/frontend"
	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// unordered is a project whose install runs again after every change. It has no
// dependencies, so that installing needs no network.
var unordered = map[string]string{
	"package.json":      `{"name":"unordered","version":"1.0.0","private":true}`,
	"package-lock.json": `{"name":"unordered","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{"":{"name":"unordered","version":"1.0.0"}}}`,
	"server.js":         "console.log('hello')\n",
	".dockerignore":     "node_modules\n",
	"Dockerfile":        unorderedDockerfile,
}

// The install of line 4 moves above line 3, and so every line behind it is at
// another place in what is built.
const unorderedDockerfile = `FROM node:20-bookworm-slim
WORKDIR /app
COPY . .
RUN npm ci
CMD ["node", "server.js"]
`

// folder writes files into a new folder and returns it.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// command runs a program in dir, with the sandbox's daemons as its own, and
// returns all that it printed. The name may be that of a tool of the sandbox.
func command(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	switch name {
	case "buildx", "buildctl":
		name = sb.Tool(name)
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, sb.Env()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func with(files map[string]string, name, data string) map[string]string {
	out := map[string]string{name: data}
	for n, d := range files {
		if n != name {
			out[n] = d
		}
	}
	return out
}

// built asserts that a build's output shows the install moved.
func built(t *testing.T, out string, err error) {
	t.Helper()
	if err != nil || !strings.Contains(out, "RUN npm ci  [imgmgr: ") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestEveryWayIn(t *testing.T) {
	ref, dir := frontendRef, folder(t, unordered)
	t.Run("syntax line", func(t *testing.T) {
		dir := folder(t, with(unordered, "Dockerfile", "# syntax="+ref+"\n"+unorderedDockerfile))
		out, err := command(t, dir, "buildx", "build", "--progress=plain", ".")
		built(t, out, err)
	})
	t.Run("syntax line that switches it off", func(t *testing.T) {
		dir := folder(t, with(unordered, "Dockerfile", "# syntax="+ref+" rewrite=off\n"+unorderedDockerfile))
		out, err := command(t, dir, "buildx", "build", "--progress=plain", ".")
		if err != nil || !strings.Contains(out, "RUN npm ci") || strings.Contains(out, "imgmgr: ") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("build argument", func(t *testing.T) {
		out, err := command(t, dir, "buildx", "build", "--progress=plain", "--build-arg", "BUILDKIT_SYNTAX="+ref, ".")
		built(t, out, err)
	})
	t.Run("bake", func(t *testing.T) {
		bake := `target "default" { args = { BUILDKIT_SYNTAX = "` + ref + `" } }`
		if err := os.WriteFile(filepath.Join(dir, "docker-bake.hcl"), []byte(bake), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := command(t, dir, "buildx", "bake", "--progress=plain", "--allow=fs.read=*")
		built(t, out, err)
	})
	t.Run("buildctl", func(t *testing.T) {
		out, err := command(t, dir, "buildctl", "build", "--progress=plain", "--frontend=gateway.v0", "--opt=source="+ref, "--local=context=.", "--local=dockerfile=.")
		built(t, out, err)
	})
	t.Run("archive on standard input", func(t *testing.T) {
		out, err := command(t, dir, "sh", "-c", `tar -c . | exec "$0" build --progress=plain --build-arg "BUILDKIT_SYNTAX=$1" -`, sb.Tool("buildx"), ref)
		built(t, out, err)
	})
	t.Run("git", func(t *testing.T) {
		out, err := command(t, dir, "buildx", "build", "--progress=plain", "--build-arg", "BUILDKIT_SYNTAX="+ref, serveGit(t, dir))
		built(t, out, err)
	})
}

// serveGit makes a repository of a folder and serves it over http.
func serveGit(t *testing.T, dir string) (url string) {
	t.Helper()
	root := t.TempDir()
	out, err := command(t, dir, "sh", "-ec", `
		git init --quiet --initial-branch=main
		git add .
		git -c user.name=test -c user.email=test@example.com commit --quiet --message=test
		git clone --quiet --bare . "$0/project.git"`, root)
	if err != nil {
		t.Fatalf("make a git repository: %v\n%s", err, out)
	}
	core, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(core)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
	})
	t.Cleanup(server.Close)
	return server.URL + "/project.git#main"
}

// Whatever fails, the user sees the lines that the user wrote.
func TestFailuresShowTheUsersLines(t *testing.T) {
	for _, tc := range []struct {
		name, dockerfile string
		lines            []int32
	}{
		{"a RUN behind moved lines", unorderedDockerfile + "RUN echo before && \\\n    exit 3\n", []int32{6, 7}},
		{"a moved RUN", strings.Replace(unorderedDockerfile, "npm ci", "npm ci --no-such-command-as-this=1 && false", 1), []int32{4}},
		{"an argument", unorderedDockerfile + "ADD --chmod=nonsense a b\n", []int32{6}},
		{"a syntax error", unorderedDockerfile + "NONSENSE\n", []int32{6}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res, err := sb.Build(t.Context(), sandbox.BuildRequest{
				Context: folder(t, unordered), Dockerfile: []byte(tc.dockerfile), Func: frontend.Build,
			})
			if err == nil {
				t.Fatal("the build succeeded")
			}
			if len(res.Sources) == 0 {
				t.Fatalf("the error names no line: %v", err)
			}
			src := res.Sources[len(res.Sources)-1]
			if string(src.Info.Data) != tc.dockerfile {
				t.Errorf("the error shows another text: %q", src.Info.Data)
			}
			var lines []int32
			for _, r := range src.Ranges {
				for line := r.Start.Line; line <= max(r.Start.Line, r.End.Line); line++ {
					lines = append(lines, line)
				}
			}
			if !equal(lines, tc.lines) {
				t.Errorf("the error is at lines %v, not %v", lines, tc.lines)
			}
			if len(res.Warnings) > 0 {
				t.Errorf("warned: %s", res.Warnings[0].Short)
			}
		})
	}
}

func equal(a, b []int32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestCheckShowsBothLinters(t *testing.T) {
	dir := folder(t, with(unordered, "Dockerfile", strings.Replace(unorderedDockerfile, `CMD ["node", "server.js"]`, "CMD node server.js", 1)))
	out, err := command(t, dir, "buildx", "build", "--check", "--build-arg", "BUILDKIT_SYNTAX="+frontendRef, ".")
	if err == nil {
		t.Error("a check with findings succeeded")
	}
	for _, part := range []string{"WARNING: JSONArgsRecommended", "WARNING: DependenciesAfterSource", ">>> CMD node server.js"} {
		if strings.Count(out, part) != 1 {
			t.Errorf("%q is not there once:\n%s", part, out)
		}
	}
	if !strings.Contains(out, ">>> RUN npm ci") {
		t.Errorf("the line of npm ci is not there:\n%s", out)
	}
}

func TestRewriteIsShown(t *testing.T) {
	out, err := command(t, folder(t, unordered), "buildx", "build", "--call=imgmgr.rewrite", "--build-arg", "BUILDKIT_SYNTAX="+frontendRef, ".")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	install, sources := strings.Index(out, " npm ci\n"), strings.Index(out, "COPY . .\n")
	if install < 0 || sources < install || !strings.Contains(out, "# line ") {
		t.Errorf("it shows:\n%s", out)
	}
	out, err = command(t, folder(t, unordered), "buildx", "build", "--call=subrequests.describe", "--build-arg", "BUILDKIT_SYNTAX="+frontendRef, ".")
	if err != nil || !strings.Contains(out, "imgmgr.rewrite") {
		t.Errorf("%v\n%s", err, out)
	}
}

// What BuildKit's own frontend can do, it can do behind ours, with a rewrite on.
func TestWhatBuildKitCanDo(t *testing.T) {
	install := "\nWORKDIR /app\nCOPY . .\nRUN npm ci\n"
	for _, tc := range []struct {
		name string
		req  sandbox.BuildRequest
		want map[string]string // file of the result: its contents
	}{
		{"a target", sandbox.BuildRequest{
			Dockerfile: []byte("FROM node:20-bookworm-slim AS app" + install + "RUN echo app >/out\nFROM scratch AS files\nCOPY --from=app /out /\nFROM app\nRUN exit 1\n"),
			Target:     "files",
		}, map[string]string{"out": "app\n"}},
		{"an ARG in FROM", sandbox.BuildRequest{
			Dockerfile: []byte("ARG TAG=20-bookworm\nFROM node:${TAG} AS app" + install + "ARG WORD=none\nRUN echo $WORD >/out\nFROM scratch\nCOPY --from=app /out /\n"),
			BuildArgs:  map[string]string{"TAG": "20-bookworm-slim", "WORD": "argument"},
		}, map[string]string{"out": "argument\n"}},
		{"a secret and a heredoc", sandbox.BuildRequest{
			Dockerfile: []byte("FROM node:20-bookworm-slim AS app" + install + "RUN --mount=type=secret,id=key <<EOF\ncat /run/secrets/key >/out\nEOF\nFROM scratch\nCOPY --from=app /out /\nCOPY <<\"END\" /text\n$text\nEND\n"),
			Secrets:    map[string][]byte{"key": []byte("secret")},
		}, map[string]string{"out": "secret", "text": "$text\n"}},
		{"a named context for a stage", sandbox.BuildRequest{
			Dockerfile:    []byte("FROM node:20-bookworm-slim AS app" + install + "FROM scratch\nCOPY --from=extra server.js /\nCOPY --from=app /app/package.json /\n"),
			NamedContexts: map[string]string{"extra": folder(t, map[string]string{"server.js": "extra"})},
		}, map[string]string{"server.js": "extra", "package.json": unordered["package.json"]}},
		{"a named context for an image", sandbox.BuildRequest{
			Dockerfile:    []byte("FROM no-such-image AS app" + install + "FROM scratch\nCOPY --from=app /app/package.json /\n"),
			NamedContexts: map[string]string{"no-such-image": "docker-image://node:20-bookworm-slim"},
		}, map[string]string{"package.json": unordered["package.json"]}},
		{"several platforms", sandbox.BuildRequest{
			Dockerfile: []byte("FROM --platform=$BUILDPLATFORM node:20-bookworm-slim AS app" + install + "ARG TARGETARCH\nRUN echo $TARGETARCH >/out\nFROM scratch\nCOPY --from=app /out /\n"),
			Platforms:  []string{"linux/amd64", "linux/arm64"},
		}, map[string]string{"linux_amd64/out": "amd64\n", "linux_arm64/out": "arm64\n"}},
		{"another Dockerfile with an ignore file of its own", sandbox.BuildRequest{
			Context: folder(t, with(with(unordered, "app.Dockerfile", "FROM node:20-bookworm-slim AS app"+install+"FROM scratch\nCOPY --from=app /app/*.js* /\n"),
				"app.Dockerfile.dockerignore", "server.js\n")),
			DockerfilePath: "app.Dockerfile",
		}, map[string]string{"package.json": unordered["package.json"], "server.js": ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.req.Context == "" {
				tc.req.Context = folder(t, unordered)
			}
			tc.req.Func, tc.req.LocalDir = frontend.Build, t.TempDir()
			res := build(t, tc.req)
			if len(res.Warnings) > 0 {
				t.Errorf("warned: %s", res.Warnings[0].Short)
			}
			if tc.name != "a named context for an image" && res.Step("RUN npm ci  [imgmgr: ") == nil {
				t.Error("nothing was rewritten")
			}
			for name, want := range tc.want {
				if got, _ := os.ReadFile(filepath.Join(tc.req.LocalDir, name)); string(got) != want {
					t.Errorf("%s holds %q, not %q", name, got, want)
				}
			}
		})
	}
}

// The provenance holds what the user wrote, and what ran.
func TestProvenanceHasTheUsersLines(t *testing.T) {
	ref := sb.Registry + "/provenance:1"
	_, err := sb.Build(t.Context(), sandbox.BuildRequest{
		Context: folder(t, unordered), Frontend: frontendRef, Push: ref,
		Attests: map[string]string{"provenance": "mode=max,version=v1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := sb.Buildx(t.Context(), "", "imagetools", "inspect", "--format", "{{json .Provenance.SLSA}}", ref)
	if err != nil {
		t.Fatal(err)
	}
	var slsa struct {
		RunDetails struct {
			Metadata struct {
				BuildKit struct {
					Source struct {
						Infos     []struct{ Data []byte }
						Locations map[string]*pb.Locations
					}
				} `json:"buildkit_metadata"`
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &slsa); err != nil {
		t.Fatal(err)
	}
	source := slsa.RunDetails.Metadata.BuildKit.Source
	if len(source.Infos) != 1 || string(source.Infos[0].Data) != unorderedDockerfile {
		t.Fatalf("the provenance has the text %q\n%s", source.Infos, out)
	}
	seen := map[int32]bool{}
	for _, locs := range source.Locations {
		for _, l := range locs.Locations {
			for _, r := range l.Ranges {
				seen[r.Start.Line] = true
			}
		}
	}
	for _, line := range []int32{1, 2, 3, 4} {
		if !seen[line] {
			t.Errorf("no step is at line %d: %v", line, seen)
		}
	}
	if len(seen) != 4 {
		t.Errorf("steps are at lines that hold none: %v", seen)
	}
}

func TestSBOMOfAPushedImage(t *testing.T) {
	for name, attests := range map[string]map[string]string{"unasked": sandbox.BuildxAttests(), "asked": {"sbom": ""}} {
		t.Run(name, func(t *testing.T) {
			ref := sb.Registry + "/sbom:" + name
			if _, err := sb.Build(t.Context(), sandbox.BuildRequest{
				Context: folder(t, unordered), Frontend: frontendRef, Push: ref, Attests: attests,
			}); err != nil {
				t.Fatal(err)
			}
			packages, err := sb.SBOM(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			kinds := map[string]int{}
			for _, p := range packages {
				kinds[p.Kind]++
			}
			if kinds["deb"] < 20 || kinds["npm"] < 1 {
				t.Errorf("packages by kind: %v", kinds)
			}
		})
	}
	t.Run("switched off", func(t *testing.T) {
		ref := sb.Registry + "/sbom:off"
		if _, err := sb.Build(t.Context(), sandbox.BuildRequest{
			Context: folder(t, unordered), Frontend: frontendRef, Push: ref, BuildArgs: map[string]string{"IMGMGR_SBOM": "off"},
			Attests: sandbox.BuildxAttests(),
		}); err != nil {
			t.Fatal(err)
		}
		if packages, err := sb.SBOM(t.Context(), ref); err == nil {
			t.Errorf("there are %d packages", len(packages))
		}
	})
}

// A store that holds no attestations takes the image without its SBOM.
func TestLoadIntoAnOldEngine(t *testing.T) {
	if err := sb.StartEngine(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := folder(t, unordered)
	t.Run("built by BuildKit", func(t *testing.T) {
		out, err := command(t, dir, "buildx", "build", "--progress=plain", "--load", "-t", "loaded:1", "--build-arg", "BUILDKIT_SYNTAX="+frontendRef, ".")
		built(t, out, err)
		if out, err := sb.Docker(t.Context(), "", "image", "inspect", "--format", "{{.Config.Cmd}}", "loaded:1"); err != nil || !strings.Contains(out, "server.js") {
			t.Errorf("%v: %s", err, out)
		}
	})
	t.Run("built by the engine", func(t *testing.T) {
		out, err := command(t, dir, "buildx", "--builder", "default", "build", "--network=host", "--progress=plain", "-t", "own:1", "--build-arg", "BUILDKIT_SYNTAX="+frontendRef, ".")
		built(t, out, err)
	})
}
