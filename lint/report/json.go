package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/imgmgr/imgmgr/lint"
)

// The shape of the JSON report: an object with a version, files, and a summary.
// It is a contract: fields are added, never renamed, and the version grows when
// one changes its meaning.
type (
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
		// Ignore are lines for .dockerignore; Edits are empty then.
		Ignore []string `json:"dockerignore,omitempty"`
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
	// File by file: the whole of a large report would be in memory several times.
	out := bufio.NewWriter(w)
	enc := newIndenter()
	var summary Summary
	out.WriteString("{\n  \"version\": 1,\n  \"files\": [")
	for i, f := range files {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n    ")
		summary.Add(f)
		if err := enc.write(out, "    ", toJSON(f, rules)); err != nil {
			return err
		}
	}
	if len(files) > 0 {
		out.WriteString("\n  ")
	}
	out.WriteString("],\n  \"summary\": ")
	if err := enc.write(out, "  ", summary); err != nil {
		return err
	}
	out.WriteString("\n}\n")
	if err := out.Flush(); err != nil { // as the first write that failed did
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// indenter writes values as parts of an indented document.
type indenter struct {
	text bytes.Buffer
	enc  *json.Encoder
}

func newIndenter() *indenter {
	in := &indenter{}
	in.enc = json.NewEncoder(&in.text)
	in.enc.SetEscapeHTML(false)
	return in
}

// write writes a value without a newline behind it; its lines but the first
// begin with prefix.
func (in *indenter) write(w io.Writer, prefix string, value any) error {
	in.text.Reset()
	in.enc.SetIndent(prefix, "  ")
	err := in.enc.Encode(value)
	if err == nil {
		_, err = w.Write(bytes.TrimSuffix(in.text.Bytes(), []byte("\n")))
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
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
			j.Fix = &jsonFix{d.Fix.Message, d.Fix.Safety, []jsonEdit{}, d.Fix.Ignore}
			for _, e := range d.Fix.Edits {
				j.Fix.Edits = append(j.Fix.Edits, jsonEdit{src.place(e.Span), e.New})
			}
		}
		out.Findings = append(out.Findings, j)
	}
	return out
}
