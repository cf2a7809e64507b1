package shell_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// TestCorpus reads the scripts of real Dockerfiles, those of the folder that
// IMGMGR_CORPUS names or else the repository's own: nothing panics, words stand
// where their spans say, and nearly all scripts parse.
func TestCorpus(t *testing.T) {
	count, broken, commands := 0, 0, 0
	for name, src := range dockerfiles(t) {
		for _, script := range scripts(src) {
			count++
			text := &edit.Text{}
			text.Add([]byte(script), edit.Span{Start: 0, End: len(script)})
			s := shell.Parse(text, shell.POSIX)
			if s.Err != nil {
				broken++
				t.Logf("%s: %v\n%s", name, s.Err, script)
			}
			for _, c := range s.Commands() {
				commands++
				inspect(t, name, script, c)
			}
		}
	}
	t.Logf("%d scripts with %d commands, %d can't be parsed", count, commands, broken)
	if count < 40 || broken*100 > count {
		t.Errorf("%d of %d scripts can't be parsed", broken, count)
	}
}

// inspect holds the words of a command to their places. Those in the script of
// sh -c lack the quoting around it.
func inspect(t *testing.T, name, script string, c *shell.Command) {
	whole := edit.Span{Start: 0, End: len(script)}
	for _, w := range c.Words {
		if !whole.Contains(w.Span) || !c.Span.Contains(w.Span) {
			t.Errorf("%s: %q at %v, outside of its command at %v", name, w.Raw, w.Span, c.Span)
		} else if len(c.Wrappers) == 0 && w.Span.Of([]byte(script)) != w.Raw {
			t.Errorf("%s: %q stands at %q", name, w.Raw, w.Span.Of([]byte(script)))
		}
	}
}

// scripts are what the RUN instructions of a Dockerfile give to a shell.
func scripts(src []byte) []string {
	res, err := parser.Parse(bytes.NewReader(src))
	if err != nil {
		return nil
	}
	var list []string
	shells := true
	for _, n := range res.AST.Children {
		switch {
		case strings.EqualFold(n.Value, "SHELL"):
			shells = false // perhaps another language
		case strings.EqualFold(n.Value, "FROM"):
			shells = true
		case !strings.EqualFold(n.Value, "RUN") || n.Attributes["json"] || n.Next == nil || !shells:
		case len(n.Heredocs) > 0:
			if content := n.Heredocs[0].Content; !strings.HasPrefix(content, "#!") && strings.HasPrefix(n.Next.Value, "<<") {
				list = append(list, content)
			}
		default:
			list = append(list, n.Next.Value)
		}
	}
	return list
}

func dockerfiles(t *testing.T) map[string][]byte {
	files := map[string][]byte{}
	folder := os.Getenv("IMGMGR_CORPUS")
	if folder == "" {
		folder = filepath.Join("..", "..")
	}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name == "node_modules" || (strings.HasPrefix(name, ".") && path != folder) {
				return fs.SkipDir
			}
			return nil
		}
		if name != "Dockerfile" && !strings.HasSuffix(name, ".Dockerfile") && !strings.HasSuffix(name, ".txtar") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(name, ".txtar") {
			files[path] = text
			return nil
		}
		for _, entry := range txtar.Parse(text).Files {
			if filepath.Base(entry.Name) == "Dockerfile" {
				files[path+":"+entry.Name] = entry.Data
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("look for Dockerfiles in %s: %v", folder, err)
	}
	return files
}
