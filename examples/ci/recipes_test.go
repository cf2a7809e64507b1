// Package ci_test keeps the recipes true: they are YAML, and every make target
// that they run is there.
package ci_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
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
