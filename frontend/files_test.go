package frontend

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"

	"github.com/imgmgr/imgmgr/lint/facts"
)

func openFiles(t *testing.T, d *daemon) *files {
	t.Helper()
	ui, err := dockerui.NewClient(d)
	if err != nil {
		t.Fatal(err)
	}
	return newFiles(context.Background(), d, ui)
}

// contextSolves counts what was fetched of the build context, .dockerignore
// apart.
func (d *daemon) contextSolves() (n int) {
	for _, req := range d.solved {
		src := loneSource(req.Definition)
		if src.GetIdentifier() == "local://context" && !strings.Contains(src.Attrs[pb.AttrSharedKeyHint], ".dockerignore") {
			n++
		}
	}
	return n
}

var project = map[string]string{
	".dockerignore":           "vendor\n",
	"package.json":            "{}",
	"node_modules/a/index.js": "x",
	"vendor/modules.txt":      "x",
	"web/package.json":        "{}",
	"web/src/main.js":         "x",
	"odd name.txt":            "x",
	"link":                    "-> web",
}

func TestFiles(t *testing.T) {
	d := newDaemon(twoSteps, nil)
	d.context = project
	f := openFiles(t, d)
	for _, tc := range []struct {
		name string
		mode fs.FileMode
		err  error
	}{
		{name: ".", mode: fs.ModeDir},
		{name: "package.json"},
		{name: "package-lock.json", err: fs.ErrNotExist},
		{name: "node_modules", mode: fs.ModeDir},
		{name: "vendor", err: fs.ErrNotExist}, // ignored
		{name: "web", mode: fs.ModeDir},
		{name: "web/package.json"},
		{name: "web/go.mod", err: fs.ErrNotExist},
		{name: "web/src/main.js"},
		{name: "nowhere/package.json", err: fs.ErrNotExist},
		{name: "package.json/package.json", err: fs.ErrNotExist},
		{name: "odd name.txt"},
		{name: "link", mode: fs.ModeSymlink},
		{name: "*.json", err: facts.ErrUnknown},
		{name: "!package.json", err: facts.ErrUnknown},
		{name: "../package.json", err: fs.ErrInvalid},
	} {
		st, err := fs.Lstat(f, tc.name)
		switch {
		case tc.err != nil:
			if !errors.Is(err, tc.err) {
				t.Errorf("%s: %v, not %v", tc.name, err, tc.err)
			}
		case err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case st.Mode().Type() != tc.mode:
			t.Errorf("%s is of mode %v", tc.name, st.Mode())
		}
	}
	data, err := fs.ReadFile(f, "web/package.json")
	if string(data) != "{}" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
	if _, err := fs.ReadFile(f, "link"); !errors.Is(err, facts.ErrUnknown) {
		t.Errorf("a link was read: %v", err)
	}
	if _, err := fs.Stat(f, "link"); !errors.Is(err, facts.ErrUnknown) {
		t.Errorf("a link was followed: %v", err)
	}
	if target, err := fs.ReadLink(f, "link"); target != "web" || err != nil {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	opened, err := f.Open("package.json")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(opened); string(data) != "{}" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
}

func TestFilesAreAskedForTogether(t *testing.T) {
	d := newDaemon(twoSteps, nil)
	d.context = project
	f := openFiles(t, d)
	for range 3 {
		for _, name := range manifests() {
			fs.Stat(f, name)
			fs.ReadFile(f, name)
		}
	}
	if n := d.contextSolves(); n != 1 {
		t.Errorf("a project's manifests took %d exchanges, not one", n)
	}
	for _, req := range d.solved {
		if hint := loneSource(req.Definition).GetAttrs()[pb.AttrSharedKeyHint]; hint == "context" {
			t.Error("the look shares the key of the build's own transfer")
		}
	}
}

// What .dockerignore takes back must not look absent.
func TestFilesWithExceptions(t *testing.T) {
	d := newDaemon(twoSteps, nil)
	d.context = map[string]string{
		".dockerignore": "*\n!vendor/keep\n!package.json\n",
		"package.json":  "{}",
		"vendor/keep":   "x",
		"vendor/other":  "x",
		"go.mod":        "module x",
	}
	f := openFiles(t, d)
	if st, err := fs.Stat(f, "vendor"); err != nil || !st.IsDir() {
		t.Errorf("vendor: %v, %v", st, err)
	}
	if _, err := fs.Stat(f, "go.mod"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("go.mod: %v", err)
	}
}

func TestFilesOfAContextThatCannotBeRead(t *testing.T) {
	d := newDaemon(twoSteps, nil)
	d.context = nil
	_, err := fs.Stat(openFiles(t, d), "package.json")
	if !errors.Is(err, facts.ErrUnknown) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it says: %v", err)
	}
}

func TestFilesOfAGitContext(t *testing.T) {
	d := newDaemon(twoSteps, map[string]string{"context": "https://github.com/imgmgr/example.git"})
	d.context = map[string]string{"package.json": "{}", "node_modules/a": "x"}
	f := openFiles(t, d)
	if data, err := fs.ReadFile(f, "package.json"); string(data) != "{}" {
		t.Errorf("read %q, %v", data, err)
	}
	if st, err := fs.Stat(f, "node_modules"); err != nil || !st.IsDir() {
		t.Errorf("node_modules: %v, %v", st, err)
	}
	if _, err := fs.Stat(f, "go.mod"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("go.mod: %v", err)
	}
	for _, req := range d.solved {
		if id := loneSource(req.Definition).GetIdentifier(); !strings.HasPrefix(id, "git://") {
			t.Errorf("it asked for %s", id)
		}
	}
}

// What the rules ask of a project is in the list of names that travel together.
func TestTheRulesAskForListedNames(t *testing.T) {
	for name, tc := range map[string]struct {
		dockerfile string
		asked      int // exchanges
		context    map[string]string
	}{
		"npm": {"FROM debian:12\nWORKDIR /app\nCOPY . .\nRUN npm ci\n", 1, map[string]string{
			"package.json":      `{"name":"x","version":"1.0.0"}`,
			"package-lock.json": `{"name":"x","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"x","version":"1.0.0"}}}`,
		}},
		// The second one is for the names of C headers, which cgo may include.
		"go": {"FROM debian:12\nWORKDIR /app\nCOPY . .\nRUN go mod download\nRUN go build .\n", 2, map[string]string{
			"go.mod": "module example.com/x\n\ngo 1.26\n", "go.sum": "", "main.go": "package main\n",
		}},
	} {
		d := newDaemon(tc.dockerfile, map[string]string{"requestid": RequestRewrite})
		d.context = tc.context
		res, err := run(context.Background(), d, allRules())
		if err != nil {
			t.Fatal(err)
		}
		if text := string(res.Metadata["result.txt"]); !strings.Contains(text, "(DependenciesAfterSource)") {
			t.Errorf("%s: nothing was moved:\n%s", name, text)
		}
		if n := d.contextSolves(); n != tc.asked {
			t.Errorf("%s: the context was asked %d times, not %d", name, n, tc.asked)
		}
	}
}
