package lint

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/tonistiigi/fsutil"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

func TestIsDockerfile(t *testing.T) {
	for _, name := range []string{
		"Dockerfile", "dockerfile", "DOCKERFILE", "Containerfile", "Dockerfile.dev", "Dockerfile.go", "Dockerfile-alpine",
		"Dockerfile_arm64", "web.Dockerfile", "web.dockerfile", "api.containerfile", "Containerfile.ci",
	} {
		if !isDockerfile(name) {
			t.Errorf("%s is one", name)
		}
	}
	for _, name := range []string{
		"Dockerfile.dockerignore", "web.Dockerfile.dockerignore", "dockerfile.go", "Dockerfile.tmpl", "Dockerfile.md", "Dockerfile~",
		"Dockerfile.orig", "DockerfileBuilder.java", "Dockerfile.", "mydockerfile", "docker-compose.yml", "",
	} {
		if isDockerfile(name) {
			t.Errorf("%s is none", name)
		}
	}
}

// tree makes files, each holding its own path; a name that ends in "/" is a
// folder.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			must(t, os.MkdirAll(path, 0o777))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(path), 0o777))
		must(t, os.WriteFile(path, []byte(name), 0o666))
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestContextIsWhatBuildKitGets compares the filtered context with what
// BuildKit's client sends for the same ignore list.
func TestContextIsWhatBuildKitGets(t *testing.T) {
	files := []string{
		"Dockerfile", "a.txt", "b.log", "src/main.go", "src/a.txt", "src/deep/b.log", "src/deep/keep/c.log",
		"node_modules/x/index.js", "node_modules/x/keep.js", "dist/", "dist/out/app", ".env", "secrets/key", "secrets/pub/key.pem",
	}
	for _, list := range [][]string{
		{"*.log"}, {"**/*.log"}, {"node_modules"}, {"node_modules", "!node_modules/x/keep.js"}, {"*"}, {"*", "!src"},
		{"*", "!src/**", "src/deep"}, {"**", "!**/*.go"}, {"secrets", "!secrets/pub"}, {"secrets/*", "!secrets/pub/*.pem"},
		{"src/deep", "!src/deep/keep/c.log"}, {"/a.txt"}, {"./dist"}, {"dist/"}, {"# comment", "", ".env"}, {"a.txt/"},
	} {
		t.Run(strings.Join(list, " "), func(t *testing.T) {
			dir := tree(t, files...)
			must(t, os.WriteFile(filepath.Join(dir, ".dockerignore"), []byte(strings.Join(list, "\n")), 0o666))
			root, err := os.OpenRoot(dir)
			must(t, err)
			defer root.Close()
			got, _, _, err := ignoring(root, filepath.Join(dir, "Dockerfile"))
			must(t, err)

			all, err := fsutil.NewFS(dir)
			must(t, err)
			sent, err := fsutil.NewFilterFS(all, &fsutil.FilterOpt{ExcludePatterns: patterns(list)})
			must(t, err)
			var want []string
			must(t, sent.Walk(context.Background(), "", func(path string, _ fs.DirEntry, err error) error {
				want = append(want, filepath.ToSlash(path))
				return err
			}))
			if diff := cmp.Diff(sorted(want), sorted(walk(t, got))); diff != "" {
				t.Errorf("(-BuildKit +here):\n%s", diff)
			}
			for _, name := range files {
				name = strings.TrimSuffix(name, "/")
				_, err := fs.Stat(got, name)
				if there := err == nil; there != slices.Contains(want, name) {
					t.Errorf("stat of %s: %v, want it there: %v", name, err, slices.Contains(want, name))
				}
			}
		})
	}
}

// patterns drops what BuildKit's reader of ignore files drops.
func patterns(list []string) []string {
	var out []string
	for _, p := range list {
		if p == "" || strings.HasPrefix(p, "#") {
			continue
		}
		not := strings.HasPrefix(p, "!")
		p = strings.TrimPrefix(filepath.ToSlash(filepath.Clean(strings.TrimPrefix(p, "!"))), "/")
		if not {
			p = "!" + p
		}
		out = append(out, p)
	}
	return out
}

func walk(t *testing.T, files fs.FS) []string {
	t.Helper()
	var names []string
	must(t, fs.WalkDir(files, ".", func(path string, _ fs.DirEntry, err error) error {
		if path != "." {
			names = append(names, path)
		}
		return err
	}))
	return names
}

func sorted(names []string) []string {
	slices.Sort(names)
	return names
}

func TestFilteredIsAFileSystem(t *testing.T) {
	dir := tree(t, "a", "b/c", "b/d", "gone/x", "gone/kept")
	must(t, os.WriteFile(filepath.Join(dir, ".dockerignore"), []byte("gone\n!gone/kept\n"), 0o666))
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	files, list, _, err := ignoring(root, filepath.Join(dir, "Dockerfile"))
	must(t, err)
	if string(list) != "gone\n!gone/kept\n" {
		t.Errorf("ignore list %q", list)
	}
	if err := fstest.TestFS(files, "a", "b/c", "b/d", "gone/kept"); err != nil {
		t.Error(err)
	}
	if _, err := fs.ReadFile(files, "gone/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an ignored file is read: %v", err)
	}
}

func TestContextStaysInItsFolder(t *testing.T) {
	dir := tree(t, "ctx/a", "outside")
	must(t, os.Symlink(filepath.Join("..", "outside"), filepath.Join(dir, "ctx", "link")))
	root, err := os.OpenRoot(filepath.Join(dir, "ctx"))
	must(t, err)
	defer root.Close()
	files, _, _, err := ignoring(root, Stdin)
	must(t, err)
	if text, err := fs.ReadFile(files, "link"); err == nil {
		t.Errorf("a link out of the context is followed: %q", text)
	}
}

func TestHoldsWhatIsCopied(t *testing.T) {
	dir := tree(t, "app/main.go", "go.mod")
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	for text, want := range map[string]bool{
		"COPY . .":                            true,
		"COPY go.mod app/ ./":                 true,
		"COPY /go.mod /":                      true,
		"COPY go.sum ./":                      false,
		"COPY *.sum $FILE ./":                 true, // not known by name
		"COPY --from=build /out /":            true,
		"ADD https://example.com/x.tar.gz /":  true,
		"ADD missing.tar /":                   false,
		"COPY <<EOF /etc/motd\nhello\nEOF":    true,
		"ADD git@example.com:team/repo.git /": true,
	} {
		file, err := dockerfile.Parse("Dockerfile", []byte("FROM scratch AS build\nFROM scratch\n"+text+"\n"))
		must(t, err)
		if got := holds(root, file); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestReplace(t *testing.T) {
	dir := tree(t, "Dockerfile")
	path, link := filepath.Join(dir, "Dockerfile"), filepath.Join(dir, "link")
	must(t, os.Chmod(path, 0o604))
	must(t, os.Symlink("Dockerfile", link))
	must(t, replace(link, []byte("Dockerfile"), []byte("new")))
	if text, _ := os.ReadFile(path); string(text) != "new" {
		t.Errorf("the file holds %q", text)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is a link no more: %v %v", info, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o604 {
		t.Errorf("mode %v, want 0604 (%v)", info.Mode(), err)
	}
	if err := replace(path, []byte("what was linted"), []byte("newer")); err == nil || !strings.Contains(err.Error(), "changed meanwhile") {
		t.Errorf("a file that changed was overwritten: %v", err)
	}
	if err := replace(dir, nil, nil); err == nil {
		t.Error("a folder was replaced")
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name()] = true
	}
	if want := map[string]bool{"Dockerfile": true, "link": true}; !maps.Equal(names, want) {
		t.Errorf("the folder holds %v, want %v", names, want)
	}
}
