//go:build linux

package integration_test

import (
	"archive/tar"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	containerdclient "github.com/containerd/containerd/v2/client"

	"github.com/imgmgr/imgmgr/integration/sandbox"
	"github.com/imgmgr/imgmgr/plugin/analyze"
	"github.com/imgmgr/imgmgr/plugin/analyze/shared"
	"github.com/imgmgr/imgmgr/plugin/image/containerd"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// wasteful has a line for each way to waste bytes. Line 1 is FROM.
const wasteful = `FROM debian:bookworm-slim AS build
RUN head -c 300000 /dev/urandom > /result && chmod 644 /result

FROM debian:bookworm-slim
ENV A=1
RUN mkdir /made && head -c 1000000 /dev/urandom > /made/large \
 && head -c 200000 /dev/urandom > /made/small
RUN rm -rf /made && mkdir /made
COPY --from=build /result /app/result
# Once more, for the mode.
RUN chmod 755 /app/result
CMD ["/app/result"]
`

// What BuildKit built is led back to lines by its own provenance, with its own
// frontend and with ours; and all sources say the same of an image.
func TestAnalyzeOfABuild(t *testing.T) {
	if err := sb.StartEngine(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("DOCKER_HOST", sb.Engine)
	for name, frontend := range map[string]string{"buildkit": "", "imgmgr": frontendRef} {
		for _, version := range []string{"v0.2", "v1"} {
			ref := sb.Registry + "/analyzed:" + name + "-" + version
			build(t, sandbox.BuildRequest{
				Dockerfile: []byte(wasteful), Frontend: frontend, Push: ref,
				Attests: map[string]string{"provenance": "mode=max,version=" + version},
			})
			r := analyzed(t, "registry:"+ref)
			if r.Image.Attribution != "provenance" {
				t.Errorf("%s, %s: attribution by %s", name, version, r.Image.Attribution)
			}
			checkLines(t, r)
		}
	}
	// An exporter that packs the layers anew leaves the record with the old digests.
	for _, compression := range []string{"zstd", "gzip"} {
		ref := sb.Registry + "/analyzed:" + compression
		build(t, sandbox.BuildRequest{
			Dockerfile: []byte(wasteful), Push: ref, Attests: map[string]string{"provenance": "mode=max"},
			ExportAttrs: map[string]string{"compression": compression, "force-compression": "true", "oci-mediatypes": "true"},
		})
		r := analyzed(t, "registry:"+ref)
		if r.Image.Attribution != "provenance" {
			t.Errorf("%s: attribution by %s", compression, r.Image.Attribution)
		}
		checkLines(t, r)
	}
	ref, dir := sb.Registry+"/analyzed:buildkit-v1", t.TempDir()
	for _, args := range [][]string{{"pull", ref}, {"save", "--output", "saved.tar", ref}} {
		if _, err := sb.Docker(t.Context(), dir, args...); err != nil {
			t.Fatal(err)
		}
	}
	want := analyzed(t, "registry:"+ref)
	checkHost(t, ref, want)
	for _, arg := range []string{"engine:" + ref, ref, "archive:" + filepath.Join(dir, "saved.tar")} {
		got := analyzed(t, arg)
		if a, b := comparable(t, got), comparable(t, want); a != b {
			t.Errorf("%s says\n%s\nthe registry says\n%s", arg, a, b)
		}
	}
}

// An image that says nothing of its base image has the one that the Engine holds, too,
// whose layers are the lowest of it: all of them, and no others.
func TestBaseIsInTheEngine(t *testing.T) {
	if err := sb.StartEngine(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("DOCKER_HOST", sb.Engine)
	const base = "debian:bookworm-slim"
	one, two := sb.Registry+"/based-one:1", sb.Registry+"/based-two:1"
	const shared = "FROM debian:bookworm-slim\nRUN echo shared > /shared\n"
	build(t, sandbox.BuildRequest{Dockerfile: []byte(shared + "RUN echo 1 > /own\n"), Push: one})
	build(t, sandbox.BuildRequest{Dockerfile: []byte(shared + "RUN echo 2 > /own\n"), Push: two})
	for _, ref := range []string{base, one, two} {
		if _, err := sb.Docker(t.Context(), "", "pull", ref); err != nil {
			t.Fatal(err)
		}
	}
	// People know it by its shortest name, though this one is the first in the alphabet.
	if _, err := sb.Docker(t.Context(), "", "tag", base, "a.example/library/"+base); err != nil {
		t.Fatal(err)
	}
	layers := len(analyzed(t, "engine:"+base).Layers)
	a := analyzed(t, "engine:"+two)
	for i, l := range a.Layers {
		if l.Base != (i < layers) {
			t.Errorf("layer %d (%s) is the base image's: %t", i, l.Instruction, l.Base)
		}
	}
	if a.Image.Base != base || len(a.Layers) != layers+2 {
		t.Errorf("%q, %d layers", a.Image.Base, len(a.Layers))
	}
}

// checkHost holds what --all says of the engine's images against one of them.
func checkHost(t *testing.T, ref string, want analysis) {
	t.Helper()
	var out bytes.Buffer
	if err := analyze.RunAll(t.Context(), ui.Streams{Out: ui.Output{Writer: &out}}, analyze.Options{Format: analyze.JSON}); err != nil {
		t.Fatal(err)
	}
	var host shared.Report
	if err := json.Unmarshal(out.Bytes(), &host); err != nil {
		t.Fatal(err)
	}
	for _, row := range host.Images {
		if !slices.Contains(row.Names, ref) {
			continue
		}
		// The engine counts folders and links, too.
		shipped := int64(want.Totals["shippedBytes"])
		if row.Layers != len(want.Layers) || row.Unique+row.Shared != row.Bytes || row.Bytes < shipped || row.Bytes > shipped*11/10 {
			t.Errorf("--all says %+v of an image of %d layers that ship %d bytes", row, len(want.Layers), shipped)
		}
		return
	}
	t.Errorf("--all doesn't know %s: %s", ref, &out)
}

// compressed has no layers of a base image: the stand-ins' aren't compressed, and an
// engine that gives plain layers out doesn't say whether a registry has them so.
const compressed = `FROM debian:bookworm-slim AS build
RUN head -c 300000 /dev/urandom > /result && chmod 644 /result

FROM scratch
COPY --from=build /var/lib/dpkg/status /var/lib/dpkg/status
COPY --from=build /result /app/result
COPY --from=build --chmod=755 /result /app/result
CMD ["/app/result"]
`

// An image that sources hold as it was pushed gives the same JSON, byte for byte, but
// for what it is called there. An engine's classic store doesn't know how layers were
// compressed, nor what is attached: what comes of it is the same among itself, and
// TestAnalyzeOfABuild holds it against the registry's.
func TestSourcesSayTheSame(t *testing.T) {
	if err := errors.Join(sb.StartEngine(t.Context()), sb.StartNewestEngine(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	ref, dir := sb.Registry+"/same:1", t.TempDir()
	build(t, sandbox.BuildRequest{Dockerfile: []byte(compressed), Push: ref, Attests: map[string]string{"provenance": "mode=max"}})
	for host, file := range map[string]string{sb.Engine: "classic.tar", sb.NewestEngine: "newest.tar"} {
		for _, args := range [][]string{{"pull", ref}, {"save", "--output", file, ref}} {
			if _, err := sb.DockerAt(t.Context(), host, dir, args...); err != nil {
				t.Fatal(err)
			}
		}
	}
	newest, classic := filepath.Join(dir, "newest.tar"), filepath.Join(dir, "classic.tar")
	oci, ociTar := filepath.Join(dir, "oci"), filepath.Join(dir, "oci.tar")
	copied(t, ref, oci)
	packed(t, oci, ociTar)
	t.Setenv("CONTAINERD_ADDRESS", imported(t, newest))
	t.Setenv("CONTAINERD_NAMESPACE", containerd.DefaultNamespace)
	want := unnamed(t, "registry:"+ref)
	if !strings.Contains(want, `"attribution": "provenance"`) {
		t.Error("not led back by provenance")
	}
	t.Setenv("DOCKER_HOST", sb.NewestEngine)
	for _, arg := range []string{
		"engine:" + ref, ref, "containerd:" + ref, "oci:" + oci, "archive:" + ociTar, fromStdin + ociTar, "archive:" + newest, fromStdin + newest,
	} {
		if got := unnamed(t, arg); got != want {
			t.Errorf("%s says\n%s", arg, firstDifference(got, want))
		}
	}
	t.Setenv("DOCKER_HOST", sb.Engine)
	want = unnamed(t, "engine:"+ref)
	for _, arg := range []string{ref, "archive:" + classic, fromStdin + classic} {
		if got := unnamed(t, arg); got != want {
			t.Errorf("%s says\n%s", arg, firstDifference(got, want))
		}
	}
}

// packed writes an OCI layout into a tar.
func packed(t *testing.T, dir, file string) {
	t.Helper()
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(out)
	if err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
}

// imported is the address of a containerd with the images of an archive.
func imported(t *testing.T, archive string) string {
	t.Helper()
	socket, err := sb.StartContainerd(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := containerdclient.New(socket, containerdclient.WithDefaultNamespace(containerd.DefaultNamespace))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	saved, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	if _, err := c.Import(t.Context(), saved, containerdclient.WithAllPlatforms(true)); err != nil {
		t.Fatal(err)
	}
	return socket
}

// unnamed is the JSON of a report without what the image is called.
func unnamed(t *testing.T, arg string) string {
	t.Helper()
	text := printed(t, arg)
	var r struct{ Image struct{ Name, Source string } }
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"name": r.Image.Name, "source": r.Image.Source} {
		text = bytes.Replace(text, fmt.Appendf(nil, "%q: %q", key, value), fmt.Appendf(nil, "%q: %q", key, ""), 1)
	}
	return string(text)
}

// firstDifference is the first line that differs.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("%d: %s\nthe registry says %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, the registry %d", len(a), len(b))
}

// analysis is what these tests read of the JSON.
type analysis struct {
	Image  struct{ Attribution, Base string }
	Totals map[string]float64
	Dive   map[string]float64
	Layers []struct {
		DiffID, Instruction, File                                 string
		Line                                                      int
		Base                                                      bool
		Bytes, DeadBytes, BuriedBytes, MetadataOnlyBytes, Entries int64
	}
	Findings []finding
	Packages []struct {
		Type, Name, Version string
		Layer               int
		Bytes               int64
	}
}

type finding struct {
	Kind  string
	Layer int
	Paths []string
	Bytes int64
}

func analyzed(t *testing.T, arg string) analysis {
	t.Helper()
	text := printed(t, arg)
	var a analysis
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return a
}

// fromStdin is before the file that is given to standard input.
const fromStdin = "- < "

// printed is a report as JSON.
func printed(t *testing.T, arg string) []byte {
	t.Helper()
	var out bytes.Buffer
	o := analyze.Options{Image: arg, Format: analyze.JSON}
	if name, ok := strings.CutPrefix(arg, fromStdin); ok {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		o.Image, o.Sources.Stdin = "-", file
	}
	if err := analyze.Run(t.Context(), ui.Streams{Out: ui.Output{Writer: &out}}, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// comparable is a report without what only some sources know: how layers are
// compressed, and what is attached to the image.
func comparable(t *testing.T, a analysis) string {
	t.Helper()
	a.Image.Attribution, a.Image.Base = "", ""
	a.Totals = map[string]float64{"shipped": a.Totals["shippedBytes"], "live": a.Totals["liveBytes"], "dead": a.Totals["deadBytes"], "files": a.Totals["files"]}
	for i := range a.Layers {
		l := &a.Layers[i]
		l.Instruction, l.File, l.Line, l.Base = "", "", 0, false
	}
	for i := range a.Findings {
		a.Findings[i].Paths = slices.Sorted(slices.Values(a.Findings[i].Paths))
	}
	// What comes from the base image weighs less, where it is known to.
	slices.SortFunc(a.Findings, func(x, y finding) int { return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Layer, y.Layer)) })
	out, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// checkLines holds the layers against the lines of wasteful.
func checkLines(t *testing.T, a analysis) {
	t.Helper()
	base := 0
	for _, l := range a.Layers {
		if l.Base {
			base++
		}
	}
	if base == 0 || len(a.Layers) != base+4 {
		t.Fatalf("%d layers, %d of the base image: %+v", len(a.Layers), base, a.Layers)
	}
	for i, want := range []struct {
		line                       int
		text                       string
		bytes, dead, buried, again int64
	}{
		{6, "RUN mkdir", 1_200_000, 1_200_000, 0, 0},
		{8, "RUN rm -rf", 0, 0, 1_200_000, 0},
		{9, "COPY --from=build", 300_000, 300_000, 0, 0},
		{11, "RUN chmod", 300_000, 0, 300_000, 300_000},
	} {
		l := a.Layers[base+i]
		if l.Line != want.line || l.File != "Dockerfile" || !strings.HasPrefix(l.Instruction, want.text) ||
			l.Bytes != want.bytes || l.DeadBytes != want.dead || l.BuriedBytes != want.buried || l.MetadataOnlyBytes != want.again {
			t.Errorf("%+v\nwant %+v", l, want)
		}
	}
}
