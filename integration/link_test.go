//go:build linux

package integration_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/integration/oracle"
	"github.com/imgmgr/imgmgr/integration/sandbox"
	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/linttest"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// TestLinkedCopies builds COPYs as they are and with --link. Where the images
// differ, the rule must not claim that they are the same.
func TestLinkedCopies(t *testing.T) {
	dir := linkContext(t)
	fc := facts.Context{Args: map[string]string{}, NewestSyntax: true, Images: linttest.Images{"debian:bookworm-slim": {}}}
	for _, tt := range []struct {
		lines string // of the last stage
		equal bool   // with --link in the last COPY, as measured with BuildKit 0.34
		safe  bool   // as the rule claims of it
	}{
		{"COPY tree /app/", true, true},
		{"COPY --chown=5:6 tree /app/a/", true, true},
		{"COPY file /app/b", true, true},
		{"COPY file /opt/x/y", true, true},
		{"COPY file /usr/local/bin/", true, true},
		{"COPY file /usr/local/bin/x", true, true},
		{"COPY file /usr/src/app/", true, true},
		{"COPY --from=s /a/b /app/b", true, true},
		{"COPY --from=s /a /app", true, true},
		{"WORKDIR /app\nCOPY tree .", true, true},
		{"WORKDIR /app\nCOPY file .", true, true},
		{"RUN apt-get update\nWORKDIR /app\nCOPY tree ./", true, true},
		{"WORKDIR /app\nCOPY file ./b/\nCOPY file ./c/", true, true},
		{"FROM scratch\nCOPY --from=s /etc /etc\nCOPY --from=s /a/b /usr/x/b", true, true},
		// Equal, but nothing in the file says so.
		{"COPY file /etc/x/y", true, false},
		{"COPY file /home/y", true, false},
		{"COPY file /var/lib/x/y", true, false},
		{"COPY tree /", true, false},
		{"RUN mkdir /app && touch /app/x\nCOPY file /app/", true, false},
		// What --link does otherwise.
		{"WORKDIR /app\nCOPY --chown=5:6 tree ./", false, false},
		{"USER 7:7\nWORKDIR /app\nCOPY tree ./", false, false},
		{"RUN mkdir /app\nCOPY file /app", false, false},
		{"WORKDIR /app\nCOPY file /app", false, false},
		{"RUN mkdir -m 700 /app\nCOPY tree /app/", false, false},
		{"RUN ln -s /srv /app\nCOPY tree /app/", false, false},
		{"COPY --chown=5:6 file /opt/x", false, false},
		{"COPY --chown=5:6 file /app/x\nCOPY file /app/y", false, false},
		{"WORKDIR /app\nCOPY tree ./\nCOPY file ./sub/", false, false},
		{"COPY file /root/x", false, false},
		{"COPY file /tmp/x", false, false},
		{"COPY file /bin/x", false, false},
	} {
		t.Run(strings.ReplaceAll(tt.lines, "\n", "; "), func(t *testing.T) {
			src := "FROM debian:bookworm-slim AS s\nRUN mkdir -m 711 /a && touch /a/b\n\nFROM debian:bookworm-slim\n" + tt.lines + "\n"
			out, err := lint.Rewrite(t.Context(), "Dockerfile", []byte(src), fc, []*lint.Rule{rules.CopyNotLinked}, lint.BuildSafe)
			if err != nil {
				t.Fatal(err)
			}
			if rewritten := string(out.Src); rewritten != src {
				for _, d := range difference(t, dir, src, rewritten) {
					t.Errorf("the rewrite differs: %s", d)
				}
			}
			last := strings.LastIndex(src, "COPY ")
			if safe := !strings.HasSuffix(string(out.Src), src[last:]); safe != tt.safe {
				t.Errorf("the rule claims a proof: %v; it leaves %+v", safe, out.Left)
			}
			if tt.safe {
				return
			}
			linked := src[:last] + "COPY --link " + src[last+len("COPY "):]
			if d := difference(t, dir, src, linked); tt.equal != (len(d) == 0) {
				t.Errorf("differences: %v", d)
			}
		})
	}
}

// linkContext has a file, and folders with modes of their own.
func linkContext(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o644),
		os.MkdirAll(filepath.Join(dir, "tree/sub"), 0o755),
		os.WriteFile(filepath.Join(dir, "tree/sub/f"), []byte("y"), 0o600),
		os.Chmod(filepath.Join(dir, "tree/sub"), 0o775),
		os.Chmod(filepath.Join(dir, "tree"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// difference builds two Dockerfiles from one context and compares the images,
// the history included.
func difference(t *testing.T, dir string, texts ...string) []oracle.Difference {
	t.Helper()
	var reader oracle.Reader
	var images []oracle.Image
	for i, text := range texts {
		req := sandbox.BuildRequest{Context: dir, Dockerfile: []byte(text), Push: sb.Registry + "/linked:" + string(rune('a'+i))}
		build(t, req)
		image, err := reader.Pull(t.Context(), req.Push, "linux/"+runtime.GOARCH)
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, image)
	}
	list := oracle.Diff(images[0].Tree, images[1].Tree)
	list = append(list, oracle.DiffConfig(images[0].Config, images[1].Config)...)
	return append(list, oracle.DiffHistory(images[0].History, images[1].History)...)
}
