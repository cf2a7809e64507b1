// Command gen writes the reference below docs: a page for each rule, their
// table, the command line, and the JSON schemas of prune's policies and of
// analyze's budgets and reports. It is run in the module's folder:
//
//	go run ./docs/gen
//
// Its test fails when the pages are not what it would write.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/report"
	"github.com/imgmgr/imgmgr/lint/rules"
	"github.com/imgmgr/imgmgr/plugin"
	"github.com/imgmgr/imgmgr/plugin/analyze/budget"
	analysis "github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

func main() {
	all, err := pages()
	if err == nil {
		err = write("docs", all)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "docs/gen: %v\n", err)
		os.Exit(ui.Failure)
	}
}

// pages are all generated files by their path below docs.
func pages() (map[string]string, error) {
	tools, err := ecosystemsPage(ecosystem.All())
	if err != nil {
		return nil, err
	}
	schema, err := configSchema(rules.All)
	if err != nil {
		return nil, fmt.Errorf("write the schema of .imgmgr.yaml: %w", err)
	}
	policySchema, err := schemaText(retention.Schema())
	if err != nil {
		return nil, fmt.Errorf("write the schema of prune's policies: %w", err)
	}
	budgetSchema, err := schemaText(budget.Schema())
	if err != nil {
		return nil, fmt.Errorf("write the schema of analyze's budgets: %w", err)
	}
	reportSchema, err := schemaText(analysis.Schema())
	if err != nil {
		return nil, fmt.Errorf("write the schema of analyze's reports: %w", err)
	}
	all := map[string]string{
		"analyze.schema.json": reportSchema,
		"budget.schema.json":  budgetSchema,
		"imgmgr.schema.json":  schema,
		"cli.md":              cliPage(plugin.Root("", ui.System)),
		"ecosystems.md":       tools,
		"hadolint.md":         hadolintPage(rules.All),
		"rules/README.md":     rulesPage(rules.All),
		"prune.schema.json":   policySchema,
	}
	for _, r := range rules.All {
		all["rules/"+r.Name+".md"] = generated + report.Page(r)
	}
	return all, nil
}

// write makes dir hold the pages, and no page of a rule that isn't there any
// more.
func write(dir string, pages map[string]string) error {
	for name, text := range pages {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			return err
		}
	}
	stale, err := strays(dir, pages)
	for _, name := range stale {
		err = errors.Join(err, os.Remove(filepath.Join(dir, filepath.FromSlash(name))))
	}
	return err
}

// strays are the files in dir/rules that are none of the pages.
func strays(dir string, pages map[string]string) ([]string, error) {
	entries, err := fs.ReadDir(os.DirFS(dir), "rules")
	if err != nil {
		return nil, fmt.Errorf("look for pages of former rules: %w", err)
	}
	var names []string
	for _, e := range entries {
		if name := "rules/" + e.Name(); !e.IsDir() && strings.HasSuffix(name, ".md") {
			if _, ok := pages[name]; !ok {
				names = append(names, name)
			}
		}
	}
	return names, nil
}
