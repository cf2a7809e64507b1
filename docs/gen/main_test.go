package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

const hint = "run: go run ./docs/gen"

func TestDocsAreFresh(t *testing.T) {
	want, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil {
			t.Errorf("%v; %s", err, hint)
			continue
		}
		if diff := cmp.Diff(text, string(got)); diff != "" {
			t.Errorf("docs/%s is stale; %s (-generated +there):\n%s", name, hint, diff)
		}
	}
	stray, err := strays("..", want)
	if err != nil {
		t.Fatal(err)
	}
	if len(stray) > 0 {
		t.Errorf("pages of no rule: %v; %s", stray, hint)
	}
}

func TestWriteRemovesPagesOfFormerRules(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir, map[string]string{"rules/A.md": "a", "rules/B.md": "b", "cli.md": "c"}); err != nil {
		t.Fatal(err)
	}
	if err := write(dir, map[string]string{"rules/A.md": "new", "cli.md": "c"}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "rules", "B.md")); !os.IsNotExist(err) {
		t.Errorf("the page of a rule that is gone is still there: %v", err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "rules", "A.md")); string(got) != "new" {
		t.Errorf("A.md holds %q, want the new text", got)
	}
}

// Every field of a policy is explained in docs/prune.md.
func TestPolicyFieldsAreExplained(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "prune.md"))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	fields := 0
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if properties, ok := v["properties"].(map[string]any); ok {
				for name := range properties {
					fields++
					if !strings.Contains(string(page), "`"+name+"`") && !strings.Contains(string(page), name+":") {
						t.Errorf("docs/prune.md does not explain %s", name)
					}
				}
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	text, err := schemaText(retention.Schema())
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		t.Fatal(err)
	}
	walk(schema)
	if fields < 30 {
		t.Errorf("only %d fields were found in the schema", fields)
	}
}
