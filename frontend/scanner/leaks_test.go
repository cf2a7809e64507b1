package scanner

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func symlink(t *testing.T, to, root, name string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

func TestScanStaysInRoot(t *testing.T) {
	dir := t.TempDir()
	root, outside := filepath.Join(dir, "sbom"), filepath.Join(dir, "outside")
	writeFile(t, outside, "node_modules/stranger/package.json", `{"name": "stranger", "version": "6.6.6"}`)
	writeFile(t, root, "app/node_modules/left-pad/package.json", leftPad)
	symlink(t, outside, root, "absolute")
	symlink(t, "../outside", root, "relative")
	symlink(t, "../../../../../../../../.."+outside, root, "far")
	symlink(t, outside+"/node_modules/stranger/package.json", root, "file/package.json")
	// These go through a link, and that is where a naive walk leaves.
	symlink(t, "absolute/node_modules", root, "chained")
	symlink(t, "/absolute/node_modules", root, "chained-absolute")
	symlink(t, "/relative/node_modules/stranger", root, "odd [*?{a}] name")
	symlink(t, "absolute/node_modules/stranger/package.json", root, "chained-file/package.json")

	got := slices.Sorted(maps.Keys(purls(decode(t, scanned(t, root)))))
	if want := []string{"pkg:npm/left-pad@1.3.0"}; !slices.Equal(got, want) {
		t.Errorf("the scan found %v, want only the root's own %v", got, want)
	}
}

func TestFindLeaks(t *testing.T) {
	dir := t.TempDir()
	root, outside := filepath.Join(dir, "sbom"), filepath.Join(dir, "outside")
	writeFile(t, outside, "lib/a", "a")
	writeFile(t, root, "usr/lib/a", "a")
	symlink(t, "usr/lib", root, "lib")             // merged /usr: harmless
	symlink(t, "/lib/a", root, "through")          // through it: stays inside
	symlink(t, "/", root, "self")                  // the root
	symlink(t, "lib/missing", root, "dangling")    // nothing there
	symlink(t, "loop", root, "loop")               // nothing there either
	symlink(t, outside, root, "door")              // resolved in the root by syft
	symlink(t, "door/lib", root, "window")         // not so
	symlink(t, "/door/lib/a", root, "etc/[a].txt") // nor this
	got, err := findLeaks(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{`./etc/\[a\].txt`, "./window"}; !slices.Equal(got, want) {
		t.Errorf("leaks are %q, want %q", got, want)
	}
}
