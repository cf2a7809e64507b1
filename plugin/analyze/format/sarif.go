package format

import (
	"fmt"
	"io"
	"slices"

	"github.com/imgmgr/imgmgr/lint/report/sarif"
	"github.com/imgmgr/imgmgr/plugin/analyze/report"
)

// SARIF prints findings and limits that aren't met for code scanning. Those of layers whose line isn't
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
	add := func(kind, level, message string, layer int) {
		rules := &run.Tool.Driver.Rules
		if !slices.ContainsFunc(*rules, func(known sarif.Rule) bool { return known.ID == kind }) {
			*rules = append(*rules, sarif.Rule{ID: kind})
		}
		at := sarif.At(file, &sarif.Region{StartLine: 1})
		if layer >= 0 && r.Layers[layer].Line > 0 {
			at = sarif.At(r.Layers[layer].File, &sarif.Region{StartLine: r.Layers[layer].Line})
		}
		if level == report.Info {
			level = sarif.Note
		}
		run.Results = append(run.Results, sarif.Result{RuleID: kind, Level: level, Message: sarif.Text{Text: message}, Locations: []sarif.Location{at}})
	}
	for _, g := range r.Gates {
		if !g.Passed {
			add("limit", report.Severe, fmt.Sprintf("%s is not met: %s", g, g.Value), g.Layer)
		}
	}
	for _, f := range r.Findings {
		add(f.Kind, f.Severity, f.Message+". "+f.Remedy, f.Layer)
	}
	return sarif.Write(out, run)
}
