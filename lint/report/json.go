package report

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// The shape of the JSON report. It is a contract: fields are added, never
// renamed, and Version grows when one changes its meaning.
type (
	jsonReport struct {
		Version int        `json:"version"`
		Files   []jsonFile `json:"files"`
		Summary Summary    `json:"summary"`
	}
	jsonFile struct {
		Path     string        `json:"path"`
		Findings []jsonFinding `json:"findings"`
		Errors   []jsonProblem `json:"errors"`
	}
	jsonFinding struct {
		Rule      string        `json:"rule"`
		Aliases   []string      `json:"aliases"`
		Severity  lint.Severity `json:"severity"`
		Message   string        `json:"message"`
		Line      int           `json:"line"`
		Column    int           `json:"column"`
		EndLine   int           `json:"endLine"`
		EndColumn int           `json:"endColumn"`
		URL       string        `json:"url"`
		Fix       *jsonFix      `json:"fix"`
	}
	jsonFix struct {
		Message string      `json:"message"`
		Safety  lint.Safety `json:"safety"`
	}
	jsonProblem struct {
		Message string `json:"message"`
		Line    int    `json:"line,omitempty"`
	}
)

// JSON writes the whole report as one JSON object of version 1, indented.
// Lines and columns count from 1, columns in characters; the end is the place
// right behind the last character. Files come in the order given.
func JSON(w io.Writer, files []File, rules Rules) error {
	report := jsonReport{Version: 1, Files: []jsonFile{}}
	for _, f := range files {
		report.Summary.Add(f)
		report.Files = append(report.Files, toJSON(f, rules))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(report); err != nil {
		return fmt.Errorf("write the JSON report: %w", err)
	}
	return nil
}

func toJSON(f File, rules Rules) jsonFile {
	out := jsonFile{Path: f.Path, Findings: []jsonFinding{}, Errors: []jsonProblem{}}
	for _, p := range f.Problems {
		out.Errors = append(out.Errors, jsonProblem(p))
	}
	lines := edit.NewLines(f.Src)
	for _, d := range f.Findings {
		j := jsonFinding{
			Rule:     d.Rule,
			Aliases:  rules.aliases(d),
			Severity: d.Severity,
			Message:  d.Message,
			URL:      rules.URL(d),
		}
		j.Line, j.Column = position(f.Src, lines, d.Start)
		j.EndLine, j.EndColumn = position(f.Src, lines, max(d.Start, d.End))
		if d.Fix != nil {
			j.Fix = &jsonFix{d.Fix.Message, d.Fix.Safety}
		}
		out.Findings = append(out.Findings, j)
	}
	return out
}
