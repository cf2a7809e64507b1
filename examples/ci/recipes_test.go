// Package ci_test keeps the recipes and the hooks true: they are YAML, every make
// target that they run is there, and so is every verb and flag of imgmgr.
package ci_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/imgmgr/imgmgr/plugin"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

func TestRecipes(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recipes: %v", err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	target := regexp.MustCompile(`\bmake ([a-z][a-z-]*)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var recipe map[string]any
		if err := yaml.Unmarshal(text, &recipe); err != nil || len(recipe) == 0 {
			t.Errorf("%s: %v", file, err)
		}
		if !strings.Contains(string(readme), "("+file+")") {
			t.Errorf("README.md does not name %s", file)
		}
		found := target.FindAllStringSubmatch(string(text), -1)
		if strings.Contains(file, "nightly") && len(found) < 3 {
			t.Errorf("%s runs %d make targets, want upstream-suite, bench-rebuild and frontend-image", file, len(found))
		}
		for _, m := range found {
			if !strings.Contains(string(makefile), "\n"+m[1]+":") {
				t.Errorf("%s runs make %s, which is not there", file, m[1])
			}
		}
	}
}

// TestCommandsOfRecipes parses each call of imgmgr as the program would.
func TestCommandsOfRecipes(t *testing.T) {
	files, err := filepath.Glob("*.yml")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`\bdocker imgmgr ([a-z][^|>;\n]*)`)
	calls := 0
	for _, file := range append(files, "../../.pre-commit-hooks.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(text), -1) {
			words := strings.Fields(m[1])
			if words[0] == "that" {
				continue // prose
			}
			calls++
			root := plugin.Root("test", ui.System)
			cmd, rest, err := root.Find(words)
			if err == nil && cmd == root {
				err = errors.New("there is no such verb")
			}
			if err == nil {
				err = cmd.ParseFlags(rest)
			}
			if err != nil {
				t.Errorf("%s: docker imgmgr %s: %v", file, m[1], err)
			}
		}
	}
	if calls < 5 {
		t.Errorf("only %d calls of imgmgr were found", calls)
	}
}

func TestHooksTakeDockerfiles(t *testing.T) {
	text, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []struct{ ID, Files, Exclude string }
	if err := yaml.Unmarshal(text, &hooks); err != nil || len(hooks) != 2 {
		t.Fatalf("%d hooks, %v", len(hooks), err)
	}
	for _, h := range hooks {
		files, exclude := regexp.MustCompile(h.Files), regexp.MustCompile(h.Exclude)
		for name, want := range map[string]bool{
			"Dockerfile": true, "a/Containerfile": true, "Dockerfile.prod": true, "a/b/web.Dockerfile": true, "x.dockerfile": true, "Dockerfile-dev": true,
			"Dockerfile.dockerignore": false, "Dockerfile.md": false, "dockerfile.go": false, "MyDockerfile": false, "Dockerfiles/readme": false, "Dockerfile.j2": false,
		} {
			if got := files.MatchString(name) && !exclude.MatchString(name); got != want {
				t.Errorf("%s takes %s: %v, want %v", h.ID, name, got, want)
			}
		}
	}
}
