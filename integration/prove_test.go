//go:build linux

package integration_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
)

// proven has apt's lists left behind, and files whose mode is changed a layer later.
const proven = `FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends tini
WORKDIR /app
COPY . .
RUN chmod -R 755 /app
CMD ["tini", "--", "/app/run.sh"]
`

// offline has a fix that any builder understands, and needs no network.
const offline = `FROM debian:bookworm-slim
WORKDIR /app
COPY . .
RUN chmod -R 755 /app
CMD ["/app/run.sh"]
`

// namedContexts starts from a named context that has the name of an image, and copies
// from two more.
const namedContexts = `FROM debian:bookworm-slim
WORKDIR /app
COPY --from=assets . .
COPY --from=older /etc/debian_version version
COPY run.sh .
RUN chmod -R 755 /app
CMD ["/app/run.sh"]
`

// TestProve has the repairs of a Dockerfile built before and after: on a BuildKit, and
// on a Docker Engine's, which writes no archives.
func TestProve(t *testing.T) {
	t.Parallel()
	plugin := t.TempDir() + "/docker-imgmgr"
	if out, err := command(t, "..", "go", "build", "-o", plugin, "./cmd/docker-imgmgr"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := folder(t, map[string]string{"Dockerfile": proven, "offline.Dockerfile": offline, "run.sh": "echo hello\n", "data.csv": strings.Repeat("1,2,3\n", 50_000), "out": "x", ".dockerignore": "out\n"})
	layout := filepath.Join(t.TempDir(), "layout")
	if out, err := command(t, dir, "buildx", "build", "--provenance=false", "--output", "type=oci,tar=false,dest="+layout, "."); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	prove := func(args ...string) *report.Proof { t.Helper(); return runProve(t, plugin, dir, layout, args...) }
	p := prove("Dockerfile", "--prove")
	checkProof(t, p)
	// What the lists took is saved, in the line that left them.
	if saved := p.Before.ShippedBytes - p.After.ShippedBytes; saved < 5_000_000 || p.Before.DeadBytes != p.After.DeadBytes {
		t.Errorf("saved %d bytes: %+v, %+v", saved, p.Before, p.After)
	}
	for _, f := range p.Fixes {
		if f.Line != 2 || f.BeforeBytes-f.AfterBytes < 5_000_000 {
			t.Errorf("%+v", f)
		}
	}
	if !p.Equal || p.DroppedBytes < 5_000_000 {
		t.Errorf("equal %t, %d bytes dropped, different: %+v %+v", p.Equal, p.DroppedBytes, p.Differences, p.Config)
	}

	// With what may change the image, the files aren't shipped a second time.
	p = prove("Dockerfile", "--prove=unsafe", "--edit", "data.csv")
	checkProof(t, p)
	if p.Edited != "data.csv" || p.Before.DeadBytes < 300_000 || p.After.DeadBytes >= p.Before.DeadBytes {
		t.Errorf("%+v, %+v", p.Before, p.After)
	}

	// The Engine's own builder writes no archives.
	if err := sb.StartEngine(t.Context()); err != nil {
		t.Fatal(err)
	}
	p = prove("offline.Dockerfile", "--prove=unsafe", "--builder", "default", "--build-flag=--network=host")
	checkProof(t, p)
	if p.Driver != "docker" || p.After.DeadBytes >= p.Before.DeadBytes {
		t.Errorf("driver %s: %+v, %+v", p.Driver, p.Before, p.After)
	}
	if images, err := sb.Docker(t.Context(), "", "image", "ls", "--quiet", "imgmgr-prove"); err != nil || images != "" {
		t.Errorf("images are left: %s, %v", images, err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "data.csv")); err != nil || len(text) != 300_000 {
		t.Errorf("the user's own file has %d bytes: %v", len(text), err)
	}
}

// TestProveWithNamedContexts has both builds get the same contexts: an image, a folder
// and a layout.
func TestProveWithNamedContexts(t *testing.T) {
	plugin := t.TempDir() + "/docker-imgmgr"
	if out, err := command(t, "..", "go", "build", "-o", plugin, "./cmd/docker-imgmgr"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := folder(t, map[string]string{"Dockerfile": namedContexts, "run.sh": "echo hello\n"})
	assets := folder(t, map[string]string{"data.csv": strings.Repeat("1,2,3\n", 50_000), "out": "x", ".dockerignore": "out\n"})
	layout := filepath.Join(t.TempDir(), "layout")
	base := folder(t, map[string]string{"Dockerfile": "FROM debian:bookworm-slim\n"})
	if out, err := command(t, base, "buildx", "build", "--provenance=false", "--output", "type=oci,tar=false,name=older:1,dest="+layout, "."); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	relative, err := filepath.Rel(dir, assets)
	if err != nil {
		t.Fatal(err)
	}
	p := runProve(t, plugin, dir, layout, "Dockerfile", "--prove=unsafe", "--build-context", "assets="+relative,
		"--build-context", "older=docker-image://debian:bookworm-slim", "--build-context", "debian:bookworm-slim=oci-layout://"+layout+":1")
	checkProof(t, p)
	// The folder's own list of what is ignored holds, and the files are shipped once, not twice.
	if p.Before.DeadBytes < 300_000 || p.After.DeadBytes >= p.Before.DeadBytes || p.Edited != "run.sh" {
		t.Errorf("edited %s: %+v, %+v", p.Edited, p.Before, p.After)
	}
	for _, f := range p.Fixes {
		if f.Line == 1 {
			t.Errorf("what a named context stands for isn't looked up in a registry: %+v", f)
		}
	}
	if text, err := os.ReadFile(filepath.Join(assets, "data.csv")); err != nil || len(text) != 300_000 {
		t.Errorf("the user's own file has %d bytes: %v", len(text), err)
	}
}

// runProve runs analyze with --file and more options in a folder.
func runProve(t *testing.T, plugin, dir, layout string, args ...string) *report.Proof {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), plugin, append([]string{"analyze", "oci:" + layout, "--format", "json", "--file"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(sb.Env(), "XDG_CACHE_HOME="+t.TempDir())
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	var r report.Report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	return r.Proof
}

// checkProof holds a proof to what is true of any with repairs.
func checkProof(t *testing.T, p *report.Proof) {
	t.Helper()
	if p == nil || len(p.Fixes) == 0 || p.Before == nil || p.After == nil {
		t.Fatalf("%+v", p)
	}
	for name, b := range map[string]*report.Built{"before": p.Before, "after": p.After} {
		if b.ShippedBytes < 50_000_000 || b.ShippedBytes != b.LiveBytes+b.DeadBytes || b.BuildSeconds <= 0 || b.RebuildSeconds <= 0 {
			t.Errorf("%s: %+v", name, b)
		}
		if len(b.RebuildSteps) == 0 || strings.Contains(strings.Join(b.RebuildSteps, " "), "apt-get") {
			t.Errorf("%s, the rebuild ran %q", name, b.RebuildSteps)
		}
	}
}
