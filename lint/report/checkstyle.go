package report

import (
	"encoding/xml"
	"io"
)

// The shape of Checkstyle's XML.
type (
	checkstyleReport struct {
		XMLName xml.Name         `xml:"checkstyle"`
		Version string           `xml:"version,attr"`
		Files   []checkstyleFile `xml:"file"`
	}
	checkstyleFile struct {
		Name   string            `xml:"name,attr"`
		Errors []checkstyleError `xml:"error"`
	}
	checkstyleError struct {
		Line     int    `xml:"line,attr"`
		Column   int    `xml:"column,attr,omitempty"`
		Severity string `xml:"severity,attr"`
		Message  string `xml:"message,attr"`
		Source   string `xml:"source,attr"`
	}
)

// Checkstyle writes findings as Checkstyle's XML, which many CI systems read.
// The source of a finding is its rule, and "imgmgr" where a file could not be
// checked.
func Checkstyle(w io.Writer, files []File, _ Rules) error {
	report := checkstyleReport{Version: "4.3"}
	for _, f := range files {
		out := checkstyleFile{Name: f.Path}
		for _, p := range f.Problems {
			out.Errors = append(out.Errors, checkstyleError{Line: max(1, p.Line), Severity: "error", Message: p.Message, Source: "imgmgr"})
		}
		src := newSource(f.Src)
		for _, d := range f.Findings {
			at := src.place(d.Span)
			out.Errors = append(out.Errors, checkstyleError{at.Line, at.Column, d.Severity.String(), d.Message, d.Rule})
		}
		report.Files = append(report.Files, out)
	}
	return writeXML(w, report)
}
