package format

import (
	"io"
	"slices"

	"github.com/imgmgr/imgmgr/lint/report/sarif"
	"github.com/imgmgr/imgmgr/plugin/analyze/report"
)

// SARIF prints findings for code scanning. Those of layers whose line isn't
// known, and those of the configuration, stand at the first line of the
// Dockerfile.
func SARIF(out io.Writer, r *report.Report) error {
	run := sarif.Run{Tool: sarif.Tool{Driver: sarif.Driver{Name: "imgmgr analyze", InformationURI: "https://github.com/imgmgr/imgmgr"}}}
	file := "Dockerfile"
	for _, l := range r.Layers {
		if l.File != "" {
			file = l.File
		}
	}
	rules := &run.Tool.Driver.Rules
	for _, f := range r.Findings {
		if !slices.ContainsFunc(*rules, func(known sarif.Rule) bool { return known.ID == f.Kind }) {
			*rules = append(*rules, sarif.Rule{ID: f.Kind})
		}
		at := sarif.At(file, &sarif.Region{StartLine: 1})
		if f.Layer >= 0 && r.Layers[f.Layer].Line > 0 {
			at = sarif.At(r.Layers[f.Layer].File, &sarif.Region{StartLine: r.Layers[f.Layer].Line})
		}
		level := f.Severity
		if level == report.Info {
			level = sarif.Note
		}
		run.Results = append(run.Results, sarif.Result{
			RuleID: f.Kind, Level: level, Message: sarif.Text{Text: f.Message + ". " + f.Remedy}, Locations: []sarif.Location{at},
		})
	}
	return sarif.Write(out, run)
}
