package report

import (
	"io"

	"github.com/imgmgr/imgmgr/lint"
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
		Rule     string        `json:"rule"`
		Aliases  []string      `json:"aliases"`
		Severity lint.Severity `json:"severity"`
		Message  string        `json:"message"`
		place
		URL string   `json:"url"`
		Fix *jsonFix `json:"fix"`
	}
	jsonFix struct {
		Message string      `json:"message"`
		Safety  lint.Safety `json:"safety"`
		Edits   []jsonEdit  `json:"edits"`
	}
	// jsonEdit puts New in place of what is there; a fix's are made together.
	jsonEdit struct {
		place
		New string `json:"new"`
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
	return writeJSON(w, report)
}

func toJSON(f File, rules Rules) jsonFile {
	out := jsonFile{Path: f.Path, Findings: []jsonFinding{}, Errors: []jsonProblem{}}
	for _, p := range f.Problems {
		out.Errors = append(out.Errors, jsonProblem(p))
	}
	src := newSource(f.Src)
	for _, d := range f.Findings {
		j := jsonFinding{
			Rule:     d.Rule,
			Aliases:  rules.aliases(d),
			Severity: d.Severity,
			Message:  d.Message,
			place:    src.place(d.Span),
			URL:      rules.URL(d),
		}
		if d.Fix != nil {
			j.Fix = &jsonFix{d.Fix.Message, d.Fix.Safety, []jsonEdit{}}
			for _, e := range d.Fix.Edits {
				j.Fix.Edits = append(j.Fix.Edits, jsonEdit{src.place(e.Span), e.New})
			}
		}
		out.Findings = append(out.Findings, j)
	}
	return out
}
