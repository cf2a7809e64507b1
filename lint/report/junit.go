package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// The shape of JUnit's XML, as far as CI systems agree on it.
type (
	junitReport struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Suites   []junitSuite
	}
	junitSuite struct {
		XMLName  xml.Name `xml:"testsuite"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Cases    []junitCase
	}
	junitCase struct {
		XMLName xml.Name      `xml:"testcase"`
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitOutcome `xml:"failure"`
		Error   *junitOutcome `xml:"error"`
	}
	junitOutcome struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes findings as JUnit's XML: a file is a suite, a finding a test that
// fails, a problem one that ends with an error, and a clean file one that
// passes.
func JUnit(w io.Writer, files []File, rules Rules) error {
	report := junitReport{Name: "imgmgr lint"}
	for _, f := range files {
		suite := junitOf(f, rules)
		report.Suites = append(report.Suites, suite)
		report.Tests += suite.Tests
		report.Failures += suite.Failures
		report.Errors += suite.Errors
	}
	return writeXML(w, report)
}

func junitOf(f File, rules Rules) junitSuite {
	suite := junitSuite{Name: f.Path, Failures: len(f.Findings), Errors: len(f.Problems)}
	for _, p := range f.Problems {
		suite.Cases = append(suite.Cases, junitCase{
			Name: "can be checked", Class: f.Path, File: f.Path, Line: p.Line,
			Error: &junitOutcome{Type: "error", Message: p.Message, Text: p.Message},
		})
	}
	src := newSource(f.Src)
	for _, d := range f.Findings {
		at := src.place(d.Span)
		suite.Cases = append(suite.Cases, junitCase{
			Name: fmt.Sprintf("%s at %d:%d", d.Rule, at.Line, at.Column), Class: f.Path, File: f.Path, Line: at.Line,
			Failure: &junitOutcome{Type: d.Severity.String(), Message: d.Message, Text: junitText(f.Path, at, d, rules)},
		})
	}
	if len(suite.Cases) == 0 {
		suite.Cases = []junitCase{{Name: "no findings", Class: f.Path, File: f.Path}}
	}
	suite.Tests = len(suite.Cases)
	return suite
}

// junitText is what is read where a test failed.
func junitText(path string, at place, d lint.Diagnostic, rules Rules) string {
	lines := []string{fmt.Sprintf("%s:%d:%d: %s: %s", path, at.Line, at.Column, d.Severity, d.Message)}
	for _, e := range d.Evidence {
		lines = append(lines, "seen: "+e.What+": "+e.Says)
	}
	if d.Fix != nil && d.Fix.Safety > lint.None {
		lines = append(lines, "fix: "+d.Fix.Message+" "+howToFix(d.Fix.Safety))
	}
	return strings.Join(append(lines, rules.URL(d)), "\n")
}
