package oracle_test

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/imgmgr/imgmgr/integration/oracle"
)

// built is what a build of the tests' Dockerfile gives.
func built() oracle.Image {
	return oracle.Image{
		Tree: oracle.Tree{
			"/app":             {Type: "dir", Mode: 0o755},
			"/app/main":        {Type: "file", Mode: 0o755, Size: 100, Digest: "sha256:1"},
			"/app/current":     {Type: "symlink", Link: "main"},
			"/var/log/dpkg":    {Type: "file", Mode: 0o644, Size: 10, Digest: "sha256:2"},
			"/root/.npm":       {Type: "dir", Mode: 0o755},
			"/root/.npm/index": {Type: "file", Mode: 0o644, Size: 7, Digest: "sha256:3"},
		},
		Config:  oracle.Config{"config.Env[0]": "A=1", "config.Env[1]": "B=2"},
		History: []string{"COPY . .", "RUN make"},
	}
}

// change returns the built image with one path changed.
func change(path string, edit func(*oracle.Entry)) oracle.Image {
	img := built()
	e := img.Tree[path]
	edit(&e)
	img.Tree[path] = e
	return img
}

func TestJudgeFindsPlantedDifferences(t *testing.T) {
	noisy := change("/var/log/dpkg", func(e *oracle.Entry) { e.Digest = "sha256:other" })
	swapped := built()
	swapped.Config["config.Env[0]"], swapped.Config["config.Env[1]"] = "B=2", "A=1"
	without := func(paths ...string) oracle.Image {
		img := built()
		for _, p := range paths {
			delete(img.Tree, p)
		}
		return img
	}
	extra := built()
	extra.Tree["/app/extra"] = oracle.Entry{Type: "file"}
	unlogged := without("/var/log/dpkg")
	history := built()
	history.History[1] = "RUN make all"

	for name, test := range map[string]struct {
		b    oracle.Image
		want []string // path and kind
	}{
		"nothing":              {built(), nil},
		"noise":                {change("/var/log/dpkg", func(e *oracle.Entry) { e.Digest = "sha256:third" }), nil},
		"declared drop":        {without("/root/.npm/index"), nil},
		"declared drop, whole": {without("/root/.npm/index", "/root/.npm"), nil},
		"dropped file":         {without("/app/main"), []string{"/app/main missing"}},
		"dropped noisy file":   {unlogged, []string{"/var/log/dpkg missing"}},
		"extra file":           {extra, []string{"/app/extra extra"}},
		"swapped ENVs":         {swapped, []string{"config.Env[0] setting", "config.Env[1] setting"}},
		"history":              {history, []string{"history[1] setting"}},
		"mode":                 {change("/app/main", func(e *oracle.Entry) { e.Mode = 0o750 }), []string{"/app/main mode"}},
		"mode of a noisy file": {change("/var/log/dpkg", func(e *oracle.Entry) { e.Mode = 0o600 }), []string{"/var/log/dpkg mode"}},
		"owner":                {change("/app/main", func(e *oracle.Entry) { e.GID = 7 }), []string{"/app/main owner"}},
		"content":              {change("/app/main", func(e *oracle.Entry) { e.Digest = "sha256:9" }), []string{"/app/main content"}},
		"size":                 {change("/app/main", func(e *oracle.Entry) { e.Size++ }), []string{"/app/main content"}},
		"link target":          {change("/app/current", func(e *oracle.Entry) { e.Link = "old" }), []string{"/app/current link"}},
		"type":                 {change("/app/current", func(e *oracle.Entry) { *e = oracle.Entry{Type: "file"} }), []string{"/app/current type"}},
		"xattr": {change("/app/main", func(e *oracle.Entry) { e.Xattrs = map[string]string{"security.capability": "x"} }),
			[]string{"/app/main xattr"}},
		"folder of a drop, as in the base": {change("/root/.npm", func(e *oracle.Entry) { e.UID, e.Mode = 42, 0o700 }), nil},
		"folder":                           {change("/app", func(e *oracle.Entry) { e.UID = 42 }), []string{"/app owner"}},
		"changed drop":                     {change("/root/.npm/index", func(e *oracle.Entry) { e.Digest = "sha256:9" }), []string{"/root/.npm/index content"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := oracle.Judge(built(), noisy, test.b, oracle.Allowed{Drops: []string{"/root/.npm"}})
			var got []string
			for _, d := range v.Differences {
				got = append(got, d.Path+" "+string(d.Kind))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("differences %q, want %q\n%s", got, test.want, v)
			}
			if v.Equal() != (len(test.want) == 0) {
				t.Errorf("Equal() = %v with differences %q", v.Equal(), got)
			}
			if v.NoiseBytes != 10 || v.TotalBytes != 117 {
				t.Errorf("noise %d of %d bytes, want 10 of 117", v.NoiseBytes, v.TotalBytes)
			}
		})
	}
}

func TestJudgeCountsDrops(t *testing.T) {
	b := built()
	delete(b.Tree, "/root/.npm/index")
	delete(b.Tree, "/root/.npm")
	v := oracle.Judge(built(), built(), b, oracle.Allowed{Drops: []string{"/root/.npm/"}})
	if want := (oracle.Dropped{Entries: 2, Bytes: 7}); v.Dropped != want {
		t.Errorf("dropped %+v, want %+v", v.Dropped, want)
	}
	if v := oracle.Judge(built(), built(), b, oracle.Allowed{Drops: []string{"/root/.np"}}); v.Equal() {
		t.Error("a drop of /root/.np excused a loss in /root/.npm")
	}
}

// A folder that was made for a cache goes with it, unless it holds more.
func TestJudgeLetsEmptyFoldersGoWithTheirDrop(t *testing.T) {
	b := built()
	delete(b.Tree, "/root/.npm/index")
	delete(b.Tree, "/root/.npm")
	if v := oracle.Judge(built(), built(), b, oracle.Allowed{Drops: []string{"/root/.npm/index"}}); !v.Equal() {
		t.Error(v)
	}
	a := built()
	a.Tree["/root/.npm/more"] = oracle.Entry{Type: "dir"}
	if v := oracle.Judge(a, a, b, oracle.Allowed{Drops: []string{"/root/.npm/index"}}); v.Equal() {
		t.Error("a folder went with its drop although it held another")
	}
}

// A log that is named after the time is another file in every build.
func TestJudgeKnowsNamesThatVary(t *testing.T) {
	with := func(paths ...string) oracle.Image {
		img := built()
		for _, p := range paths {
			img.Tree[p] = oracle.Entry{Type: "file"}
		}
		return img
	}
	a, again := with("/logs/2026-01-02-debug.log"), with("/logs/2026-01-03-debug.log")
	if v := oracle.Judge(a, again, with("/logs/2026-01-05-debug.log"), oracle.Allowed{}); !v.Equal() {
		t.Error(v)
	}
	if v := oracle.Judge(a, again, with("/logs/2026-01-05-error.log"), oracle.Allowed{}); v.Equal() {
		t.Error("a log of another name passed for noise")
	}
	if v := oracle.Judge(built(), built(), with("/logs/2026-01-05-debug.log"), oracle.Allowed{}); v.Equal() {
		t.Error("an extra file passed although no build has such noise")
	}
}

func TestParseConfig(t *testing.T) {
	got, history, err := oracle.ParseConfig([]byte(`{
		"created": "2026-01-02T03:04:05Z", "os": "linux",
		"config": {"Env": ["A=1"], "Labels": {"a.b": "c"}},
		"rootfs": {"type": "layers", "diff_ids": ["sha256:1"]},
		"history": [{"created": "2026-01-02T03:04:05Z", "created_by": "RUN x", "comment": "buildkit"},
			{"created_by": "ENV A=1", "empty_layer": true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := oracle.Config{
		"os": "linux", "config.Env[0]": "A=1", "config.Labels.a.b": "c"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if want := []string{"RUN x", "ENV A=1 (no layer)"}; !slices.Equal(history, want) {
		t.Errorf("history %q, want %q", history, want)
	}
}

// A moved install adds a step and changes the order; a lost step stays lost.
func TestJudgeAllowsDeclaredReordering(t *testing.T) {
	moved := built()
	moved.History = []string{"COPY package.json ./", "RUN make", "COPY . ."}
	if v := oracle.Judge(built(), built(), moved, oracle.Allowed{}); v.Equal() {
		t.Error("steps in another order passed although nobody declared it")
	}
	if v := oracle.Judge(built(), built(), moved, oracle.Allowed{Reorders: true}); !v.Equal() {
		t.Error(v)
	}
	moved.History = []string{"COPY package.json ./", "RUN make"}
	if v := oracle.Judge(built(), built(), moved, oracle.Allowed{Reorders: true}); v.Equal() {
		t.Error("a lost step passed for a reordering")
	}
}

// A fix that takes a word out of a command changes one step of the history.
func TestJudgeAllowsDeclaredRewording(t *testing.T) {
	reworded := built()
	reworded.History = slices.Clone(reworded.History)
	reworded.History[len(reworded.History)-1] += " --more"
	if v := oracle.Judge(built(), built(), reworded, oracle.Allowed{}); v.Equal() {
		t.Error("another step passed although nobody declared it")
	}
	if v := oracle.Judge(built(), built(), reworded, oracle.Allowed{Rewords: 1}); !v.Equal() {
		t.Error(v)
	}
	reworded.History = reworded.History[:len(reworded.History)-1]
	if v := oracle.Judge(built(), built(), reworded, oracle.Allowed{Rewords: 1}); v.Equal() {
		t.Error("a lost step passed for a reworded one")
	}
}

// layer makes a layer of headers; a file's content is its name.
func layer(t *testing.T, headers ...tar.Header) v1.Layer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		h.ModTime = time.Unix(0, 0)
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(h.Name))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			io.Copy(w, strings.NewReader(h.Name))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestReadAppliesWhiteouts(t *testing.T) {
	file := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644} }
	dir := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755} }
	img, err := mutate.AppendLayers(empty.Image,
		layer(t, dir("keep/"), file("keep/a"), dir("opaque/"), file("opaque/old"), dir("gone/"), file("gone/x"), dir("turned/"), file("turned/x")),
		layer(t, file("opaque/new"), file("opaque/.wh..wh..opq"), file(".wh.gone"), file("turned"),
			tar.Header{Typeflag: tar.TypeLink, Name: "keep/b", Linkname: "keep/a"},
			tar.Header{Typeflag: tar.TypeSymlink, Name: "keep/c", Linkname: "a"},
			tar.Header{Typeflag: tar.TypeChar, Name: "null", Devmajor: 1, Devminor: 3},
			tar.Header{Typeflag: tar.TypeReg, Name: "suid", Mode: 0o4755, Uid: 5, PAXRecords: map[string]string{"SCHILY.xattr.user.x": "y"}}),
	)
	if err != nil {
		t.Fatal(err)
	}
	got, err := new(oracle.Reader).Read(img)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/keep", "/keep/a", "/keep/b", "/keep/c", "/null", "/opaque", "/opaque/new", "/suid", "/turned"}
	if paths := slices.Sorted(maps.Keys(got.Tree)); !slices.Equal(paths, want) {
		t.Errorf("paths %q, want %q", paths, want)
	}
	if got.Tree["/keep/a"].Digest != got.Tree["/keep/b"].Digest {
		t.Error("a hard link has another content than its target")
	}
	for path, want := range map[string]string{
		"/keep/c": "symlink to a", "/null": "char", "/turned": "file of 6 bytes",
	} {
		if e := got.Tree[path]; e.String() != want {
			t.Errorf("%s is %s, want %s", path, e, want)
		}
	}
	if e := got.Tree["/suid"]; e.Mode.String() != "urwxr-xr-x" || e.UID != 5 || e.Xattrs["user.x"] != "y" || e.Type != "file" {
		t.Errorf("/suid is %+v", e)
	}
	if e := got.Tree["/null"]; e.Device != "1:3" {
		t.Errorf("/null is %+v", e)
	}
}

func TestFurtherBuildsTellNoise(t *testing.T) {
	b := built()
	for path, entry := range b.Tree {
		if entry.Type == "file" {
			entry.Digest = "sha256:other"
			b.Tree[path] = entry
			break
		}
	}
	if v := oracle.Judge(built(), built(), b, oracle.Allowed{}); v.Equal() {
		t.Error("what two builds have alike is no noise")
	}
	if v := oracle.Judge(built(), built(), b, oracle.Allowed{}, built(), b); !v.Equal() {
		t.Errorf("what differs in a further build is noise: %s", v)
	}
}
