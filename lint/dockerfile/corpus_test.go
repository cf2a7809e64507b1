package dockerfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// TestCorpus reads real Dockerfiles: those of the folder IMGMGR_CORPUS, or the
// repository's own.
func TestCorpus(t *testing.T) {
	root := os.Getenv("IMGMGR_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..")
	}
	read, unread, instructions, refused := 0, 0, 0, 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if strings.HasPrefix(d.Name(), ".") && path != root {
				return fs.SkipDir // caches and version control
			}
			return nil
		}
		if d.Name() != "Dockerfile" && filepath.Ext(d.Name()) != ".Dockerfile" {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := dockerfile.Parse(path, src)
		if err != nil {
			var pe *dockerfile.ParseError
			if !errors.As(err, &pe) || pe.Err == nil {
				t.Errorf("%s", err)
			}
			t.Logf("not parsed: %s", err)
			unread++
			return nil
		}
		read++
		instructions += len(f.Instructions)
		for _, in := range f.Instructions {
			if in.Err != nil {
				refused++
				t.Logf("refused: %s:%d: %s", path, in.StartLine, in.Err)
			}
		}
		for _, complaint := range audit(f) {
			t.Errorf("%s: %s", path, complaint)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read == 0 {
		t.Fatalf("no Dockerfile found under %s", root)
	}
	t.Logf("%d files read, %d not; of %d instructions, BuildKit refuses %d", read, unread, instructions, refused)
}
