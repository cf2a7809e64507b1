//go:build linux

package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/frontend"
	"github.com/imgmgr/imgmgr/integration/oracle"
	"github.com/imgmgr/imgmgr/integration/sandbox"
	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// explain asks the frontend what it would build.
func explain(t *testing.T, req sandbox.BuildRequest) frontend.Explanation {
	t.Helper()
	answer, err := sb.Call(t.Context(), req, frontend.RequestRewrite)
	if err != nil {
		t.Fatal(err)
	}
	var e frontend.Explanation
	if err := json.Unmarshal(answer["result.json"], &e); err != nil {
		t.Fatalf("%v in %q", err, answer["result.json"])
	}
	return e
}

// judge builds a and b, and compares the images. Where they differ, a is built again,
// up to three times, to tell what of it is noise.
func judge(t *testing.T, a, b sandbox.BuildRequest, allowed oracle.Allowed) oracle.Verdict {
	t.Helper()
	images := pushed(t, a, b)
	v := oracle.Judge(images[0], images[0], images[1], allowed)
	for more := []oracle.Image{}; len(more) < 3 && !v.Equal(); {
		// With --no-cache, a step may still be shared with another build that runs it
		// just now. With a name in its /etc/hosts it is one that nobody else has.
		again := a
		again.Opts = map[string]string{"add-hosts": fmt.Sprintf("again-%d.%s=127.0.0.1", len(more), nameOf(t))}
		more = append(more, pushed(t, again)...)
		v = oracle.Judge(images[0], more[0], images[1], allowed, more[1:]...)
	}
	return v
}

// reader has seen the base images' layers once they were read.
var reader oracle.Reader

// pushed builds requests one after the other, and reads the images. Their own layers
// are left uncompressed: to deflate and inflate them says nothing of what is in them,
// and takes as long as many a build. In one repository, the registry gets each base once.
func pushed(t *testing.T, requests ...sandbox.BuildRequest) []oracle.Image {
	t.Helper()
	var images []oracle.Image
	for i, req := range requests {
		req.Push = fmt.Sprintf("%s/oracle:%s-%d", sb.Registry, nameOf(t), i)
		req.ExportAttrs = map[string]string{"compression": "uncompressed"}
		build(t, req)
		image, err := reader.Pull(t.Context(), req.Push, "linux/"+runtime.GOARCH)
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, image)
	}
	return images
}

// nameOf is the last part of a test's name, as a tag.
func nameOf(t *testing.T) string { return strings.ToLower(filepath.Base(t.Name())) }

// TestOracleCatchesWrongRewrites plants rewrites that the engine trusts and
// that change the image.
func TestOracleCatchesWrongRewrites(t *testing.T) {
	const src = "FROM busybox\nENV A=1\nENV B=2\nRUN echo kept >/kept && echo lost >/lost\nRUN echo $A$B >/both\n"
	for name, plant := range map[string]struct{ old, new, caught string }{
		"drops a file":   {" && echo lost >/lost", "", "/lost: missing"},
		"swaps two ENVs": {"ENV A=1\nENV B=2", "ENV B=2\nENV A=1", "config.Env"},
		"edits a script": {"echo kept", "echo  kept", "history"},
		"changes a mode": {">/both", ">/both && chmod 600 /both", "/both: mode"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := lint.Rewrite(context.Background(), "Dockerfile", []byte(src), facts.Context{}, []*lint.Rule{wrong(plant.old, plant.new)}, lint.BuildSafe)
			if err != nil {
				t.Fatal(err)
			}
			v := judge(t, sandbox.BuildRequest{Dockerfile: []byte(src)}, sandbox.BuildRequest{Dockerfile: out.Src}, oracle.Allowed{Drops: out.Drops()})
			if v.Equal() || !strings.Contains(v.String(), plant.caught) {
				t.Errorf("want a difference that names %q, got: %s", plant.caught, v)
			}
		})
	}
}

// wrong is a rule whose fix claims to be safe, and isn't.
func wrong(old, new string) *lint.Rule {
	return &lint.Rule{Name: "Wrong", Severity: lint.Info, Safety: lint.BuildSafe, Run: func(p *lint.Pass) error {
		i := strings.Index(string(p.File.Src), old)
		if i < 0 || new != "" && strings.Contains(string(p.File.Src), new) { // done
			return nil
		}
		at := edit.Span{Start: i, End: i + len(old)}
		p.Report(lint.Diagnostic{Span: at, Message: "planted", Fix: &lint.Fix{
			Message: "break it", Safety: lint.BuildSafe, Edits: []edit.Edit{{Span: at, New: new}},
		}})
		return nil
	}}
}

// TestRebuildsReuseDependencies edits a source file: neither the packages nor
// the modules may be fetched again.
func TestRebuildsReuseDependencies(t *testing.T) {
	for name, test := range map[string]struct{ source, install string }{
		"node-api":      {"server.js", "npm ci"},
		"go-service":    {"cmd/service/main.go", "go mod download"},
		"late-packages": {"server.js", "apt-get install"},
	} {
		t.Run(name, func(t *testing.T) {
			req := sandbox.BuildRequest{Context: project(t, name), Frontend: frontendRef}
			build(t, req)
			path := filepath.Join(req.Context, test.source)
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, append(src, "// edited for "+t.TempDir()+"\n"...), 0o644); err != nil {
				t.Fatal(err)
			}
			rebuilt := build(t, req)
			seen := false
			for _, v := range rebuilt.Vertices {
				if strings.Contains(v.Name, test.install) {
					seen = true
					if !v.Cached {
						t.Errorf("%q ran again", v.Name)
					}
				}
			}
			if !seen {
				t.Errorf("no step runs %s", test.install)
			}
		})
	}
}

// The rewritten text is one that BuildKit's own parser takes, and that anybody
// can build without us.
func TestRewrittenTextBuildsAlone(t *testing.T) {
	req := sandbox.BuildRequest{Context: project(t, "node-api"), Frontend: frontendRef}
	e := explain(t, req)
	if _, err := dockerfile.Parse("Dockerfile", []byte(e.Dockerfile)); err != nil {
		t.Fatal(err)
	}
	build(t, sandbox.BuildRequest{Context: req.Context, Dockerfile: []byte(e.Dockerfile)})
}
