package format

import (
	"encoding/json"
	"io"
	"path/filepath"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
)

// Types of SARIF 2.1.0, as far as findings need them.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		URI   string      `json:"informationUri"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID string `json:"id"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
)

// SARIF prints findings for code scanning. Those of layers whose line isn't
// known, and those of the configuration, stand at the first line of the
// Dockerfile.
func SARIF(out io.Writer, r *report.Report) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "imgmgr analyze", URI: "https://github.com/imgmgr/imgmgr", Rules: []sarifRule{}}}, Results: []sarifResult{}}
	file := "Dockerfile"
	for _, l := range r.Layers {
		if l.File != "" {
			file = l.File
		}
	}
	seen := map[string]bool{}
	for _, f := range r.Findings {
		if !seen[f.Kind] {
			seen[f.Kind] = true
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{f.Kind})
		}
		at := sarifPhysical{sarifArtifact{filepath.ToSlash(file)}, sarifRegion{1}}
		if f.Layer >= 0 && r.Layers[f.Layer].Line > 0 {
			at = sarifPhysical{sarifArtifact{filepath.ToSlash(r.Layers[f.Layer].File)}, sarifRegion{r.Layers[f.Layer].Line}}
		}
		level := f.Severity
		if level == report.Info {
			level = "note"
		}
		run.Results = append(run.Results, sarifResult{f.Kind, level, sarifText{f.Message + ". " + f.Remedy}, []sarifLocation{{at}}})
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}
