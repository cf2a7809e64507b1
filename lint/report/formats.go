package report

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// Format writes the whole report of a run.
type Format struct {
	Name  string // as on the command line
	Title string // one line, no full stop
	Write func(w io.Writer, files []File, rules Rules) error
}

// Formats are those that need all files at once, which is all but [Text].
func Formats() []Format {
	return []Format{
		{"json", "Everything that is known of a finding, in a shape that stays", JSON},
		{"sarif", "SARIF 2.1.0, for code scanning", SARIF},
		{"github", "Annotations of GitHub Actions", GitHub},
		{"gitlab", "Code quality report of GitLab", GitLab},
		{"checkstyle", "Checkstyle's XML", Checkstyle},
		{"junit", "JUnit's XML", JUnit},
		{"markdown", "A table for a comment or a job's summary", Markdown},
	}
}

// The writers below buffer a report, so that a reader gets all of it or an
// error says why not.

func write(w io.Writer, b *strings.Builder) error {
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func writeJSON(w io.Writer, document any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(document); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return write(w, &b)
}

// writeXML replaces characters that XML can't hold by U+FFFD.
func writeXML(w io.Writer, document any) error {
	var b strings.Builder
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", "  ")
	if err := enc.Encode(document); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	b.WriteByte('\n')
	return write(w, &b)
}
