package prove

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

func parse(t *testing.T, text string) *dockerfile.File {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A builder gets at hand what a build starts from, and runs none of its steps.
func TestBases(t *testing.T) {
	for _, c := range []struct{ name, target, text, want string }{
		{"one stage", "", "FROM debian:12\nRUN make\n",
			"FROM debian:12 AS imgmgr-base-0\nFROM scratch\nCOPY --from=imgmgr-base-0 /imgmgr-no-such-file-* /\n"},
		{"stages, arguments, images and the context", "",
			"# syntax=docker/dockerfile:1\n# check=error=true\nARG V=12\nFROM --platform=$BUILDPLATFORM golang:$V AS build\nCOPY . .\nRUN go build\nFROM unused\nFROM build AS test\nFROM scratch\nCOPY --from=build /app /app\nCOPY --from=alpine:3 /etc/passwd /etc/\n",
			"# syntax=docker/dockerfile:1\nARG V=12\nFROM --platform=$BUILDPLATFORM golang:$V AS build\nFROM scratch\nCOPY --from=build /imgmgr-no-such-file-* /\nCOPY --from=alpine:3 /imgmgr-no-such-file-* /\nCOPY . /\n"},
		{"a target", "one", "FROM a AS one\nFROM b AS two\nCOPY . .\n", "FROM a AS one\nFROM scratch\nCOPY --from=one /imgmgr-no-such-file-* /\n"},
	} {
		got := Bases(Subject{Written: parse(t, c.text), Target: c.target})
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		parse(t, got)
	}
}

type commits [][]string

func (c commits) Commits(context.Context) ([][]string, error) { return c, nil }

// What is edited is a source that both Dockerfiles copy.
func TestEdited(t *testing.T) {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	files := fstest.MapFS{
		"Dockerfile": text("FROM a"), "README.md": text("words"), "package.json": text("{}"), "logo.js": text("\x00"), ".eslintrc.js": text("x"),
		"server.js": text("x"), "lib/often.js": text("x"), "node_modules/a.js": text("x"), "docs/a.md": text("x"),
	}
	const all = "FROM a\nCOPY . .\n"
	for _, c := range []struct {
		name, written, repaired string
		churn                   commits
		want                    string
	}{
		{"the topmost source", all, all, nil, "server.js"},
		{"what changes most", all, all, commits{{"lib/often.js", "package.json"}, {"lib/often.js", "server.js"}}, "lib/often.js"},
		{"what both take", all, "FROM a\nCOPY lib lib\n", nil, "lib/often.js"},
		{"of a needed stage", "FROM a\nCOPY server.js .\nFROM b\nCOPY lib lib\n", all, nil, "lib/often.js"},
		{"of a mount", "FROM a\nRUN --mount=type=bind,target=/src make\n", all, nil, "server.js"},
		{"no source", "FROM a\nCOPY docs docs\n", all, nil, "docs/a.md"},
		{"manifests alone", "FROM a\nCOPY package.json .\n", all, nil, ""},
		{"another stage's", "FROM a AS x\nFROM b\nCOPY --from=x server.js .\n", all, nil, ""},
	} {
		s := Subject{Written: parse(t, c.written), Repaired: parse(t, c.repaired)}
		if got := Edited(t.Context(), s, files, c.churn); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// of is an image of files by their paths, with a content each; a path that ends in "/"
// is a folder, and its content its mode.
func of(files map[string]string) *image.Image {
	l := &image.Layer{Table: image.Table{Files: []image.File{}}}
	for name, text := range files {
		f := image.File{Path: strings.TrimSuffix(name, "/"), Mode: 0o644, Size: int64(len(text))}
		for _, c := range text {
			f.Hash = f.Hash*31 + uint64(c)
		}
		if strings.HasSuffix(name, "/") {
			f.Type, f.Mode, f.Size, f.Hash = image.Dir, uint16(len(text)), 0, 0
		}
		l.Files = append(l.Files, f)
	}
	return &image.Image{Layers: []*image.Layer{l}}
}

func TestJudge(t *testing.T) {
	type files = map[string]string
	before := files{"app": "1", "cache/": "x", "cache/a": "22", "root/.npm/_c/b": "333", "log": "monday", "tmp/x1": "1"}
	drops := []string{"/cache", "/root/.npm/_c"}
	for _, c := range []struct {
		name         string
		again, after files
		dropped      int
		bytes        int64
		noise        int
		want         string // what differs
	}{
		{"the same", nil, before, 0, 0, 0, ""},
		{"drops, and folders that held nothing else", nil, files{"app": "1", "cache/": "other", "log": "monday", "tmp/x1": "1"}, 5, 5, 0, ""},
		{"a drop that is another", nil, files{"app": "1", "cache/": "x", "cache/a": "23", "log": "monday", "tmp/x1": "1"}, 4, 3, 0, "content cache/a"},
		{"more than the drops", nil, files{"cache/": "x", "cache/a": "22", "root/.npm/_c/b": "333", "log": "monday", "tmp/x1": "1"}, 0, 0, 0, "removed app"},
		{"noise", files{"app": "1", "cache/": "x", "cache/a": "22", "root/.npm/_c/b": "333", "log": "tuesday", "tmp/x2": "1"},
			files{"app": "1", "cache/": "x", "cache/a": "22", "root/.npm/_c/b": "333", "log": "friday", "tmp/x3": "1"}, 0, 0, 3, ""},
		{"noise that isn't known", nil, files{"app": "1", "cache/": "x", "cache/a": "22", "root/.npm/_c/b": "333", "log": "friday", "tmp/x1": "1"}, 0, 0, 0, "content log"},
		{"a difference beside noise", files{"app": "1", "cache/": "x", "cache/a": "22", "root/.npm/_c/b": "333", "log": "tuesday", "tmp/x1": "1"},
			files{"app": "2", "cache/": "x", "cache/a": "22", "root/.npm/_c/b": "333", "log": "friday", "tmp/x1": "1", "new": ""}, 0, 0, 1, "content app, added new"},
	} {
		var again *image.Image
		if c.again != nil {
			again = of(c.again)
		}
		v := Judge(of(before), again, of(c.after), drops)
		var got []string
		for _, d := range v.Differences {
			got = append(got, d.Change+" "+d.Path)
		}
		if text := strings.Join(got, ", "); text != c.want || v.Equal() != (c.want == "") || v.DroppedPaths != c.dropped || v.DroppedBytes != c.bytes || v.NoisePaths != c.noise {
			t.Errorf("%s: %q, %+v; want %q", c.name, text, v, c.want)
		}
	}
	other := of(before)
	other.Config.Config.User = "me"
	if v := Judge(of(before), nil, other, drops); v.Equal() || len(v.Config) != 1 {
		t.Errorf("another user: %+v", v)
	}
}

func TestSteps(t *testing.T) {
	r := newRan()
	began := time.Unix(1, 0)
	var shown []string
	for _, line := range strings.Split(`#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s
#4 [build 1/3] FROM docker.io/library/debian
#4 DONE 8.8s
#5 [build 2/3] WORKDIR /app
#5 CACHED
#6 [stage-1 3/3] RUN make
#6 0.3 [1/2] compiling
#6 DONE 1.2s
#7 [4/4] RUN false
#7 ERROR: process
#8 exporting to oci image format
#8 DONE 2.0s`, "\n") {
		if step := r.line(line, began); step != "" {
			shown = append(shown, step)
		}
		began = began.Add(time.Second)
	}
	if got := r.steps(); !slices.Equal(got, []string{"RUN make"}) {
		t.Errorf("it ran %q", got)
	}
	if len(shown) != 4 || shown[2] != "[stage-1 3/3] RUN make" {
		t.Errorf("shown: %q", shown)
	}
	if !r.packing.Equal(time.Unix(12, 0)) {
		t.Errorf("the image began to be written at %v", r.packing)
	}
}

// The user's files stay as they are, whatever happens to the copy.
func TestCopyContext(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"a.go": "package a", "sub/run.sh": "echo", "left/out": "x"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	err := os.Symlink("sub/run.sh", filepath.Join(dir, "link"))
	if err == nil {
		err = os.Chmod(filepath.Join(dir, "sub/run.sh"), 0o750)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := CopyContext(without{os.DirFS(dir).(fs.ReadDirFS), "left"}, dir, to); err != nil {
		t.Fatal(err)
	}
	undo, err := Edit(to, "sub/run.sh")
	if err != nil {
		t.Fatal(err)
	}
	read := func(in, name string) string {
		text, err := os.ReadFile(filepath.Join(in, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if text := read(to, "sub/run.sh"); text == "echo" || strings.TrimSpace(text) != "echo" {
		t.Errorf("the edited copy is %q", text)
	}
	if text := read(dir, "sub/run.sh"); text != "echo" {
		t.Errorf("the user's own file is %q", text)
	}
	if info, err := os.Stat(filepath.Join(to, "sub/run.sh")); err != nil || info.Mode() != 0o750 {
		t.Errorf("the edited copy: %v, %v", info.Mode(), err)
	}
	if err := undo(); err != nil || read(to, "sub/run.sh") != "echo" {
		t.Errorf("after that it is %q: %v", read(to, "sub/run.sh"), err)
	}
	if link, err := os.Readlink(filepath.Join(to, "link")); err != nil || link != "sub/run.sh" {
		t.Errorf("the link leads to %q: %v", link, err)
	}
	if _, err := os.Stat(filepath.Join(to, "left")); !os.IsNotExist(err) {
		t.Errorf("what is ignored was copied: %v", err)
	}
	if entries, err := os.ReadDir(filepath.Join(to, "sub")); err != nil || len(entries) != 1 {
		t.Errorf("%v: %v", entries, err)
	}
}

// without leaves a folder out.
type without struct {
	fs.ReadDirFS
	name string
}

func (w without) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := w.ReadDirFS.ReadDir(name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == w.name }), err
}

// Bytes go to the line at which the instruction begins, in the file as it is written.
func TestLines(t *testing.T) {
	f := parse(t, "FROM a\nRUN one && \\\n  two\nCOPY . .\n")
	r := &report.Report{Layers: []report.Layer{{Bytes: 100, Line: 1, Base: true}, {Bytes: 7, Line: 2}, {Bytes: 20, Line: 4}, {Bytes: 5}}}
	if got := Lines(f, r, nil); got[2] != 7 || got[4] != 20 || len(got) != 2 {
		t.Errorf("%v", got)
	}
	if got := Lines(f, r, func(int) int { return 3 }); got[2] != 27 || len(got) != 1 {
		t.Errorf("%v", got)
	}
}
