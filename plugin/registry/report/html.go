package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/imgmgr/imgmgr/plugin/ui"
)

//go:embed report.html
var page string

// writeHTML writes one file that needs no other: styles and script are in it, and
// all that was read from the registry is escaped.
func writeHTML(w io.Writer, r *Report) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"bytes": ui.Size, "day": day, "short": r.short,
		"share": func(part, whole int64) string {
			if whole == 0 {
				return "0"
			}
			return fmt.Sprintf("%.1f", 100*float64(part)/float64(whole))
		},
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("make the page: %w", err)
	}
	type table struct {
		Title  string
		Totals []Total
	}
	var tables []table
	for _, g := range r.groups() {
		tables = append(tables, table{g.title, g.totals})
	}
	return t.Execute(w, struct {
		*Report
		Summary string
		Tables  []table
	}{r, r.summary(), tables})
}
