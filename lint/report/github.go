package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// GitHub writes findings as workflow commands, which GitHub Actions shows in
// the log and on the changed lines of a pull request. The summary is the last
// line.
//
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
func GitHub(w io.Writer, files []File, rules Rules) error {
	var b strings.Builder
	var s Summary
	for _, f := range files {
		s.Add(f)
		for _, p := range f.Problems {
			githubCommand(&b, "error", f.Path, place{Line: p.Line}, "imgmgr", clean(p.Message))
		}
		src := newSource(f.Src)
		for _, d := range f.Findings {
			message := clean(d.Message)
			if d.Fix != nil && d.Fix.Safety > lint.None {
				message += "\nFix: " + clean(d.Fix.Message) + " " + howToFix(d.Fix.Safety)
			}
			message += "\n" + rules.URL(d)
			githubCommand(&b, githubLevel(d.Severity), f.Path, src.place(trim(src.text, d.Span)), strings.Trim(ruleName(d), "[]"), message)
		}
	}
	if len(files) > 0 {
		b.WriteString(s.String() + "\n")
	}
	return write(w, &b)
}

// githubCommand writes one command. Columns are only understood within a line.
func githubCommand(b *strings.Builder, level, path string, at place, title, message string) {
	fmt.Fprintf(b, "::%s file=%s", level, githubProperty(slashed(path)))
	if at.Line > 0 {
		fmt.Fprintf(b, ",line=%d", at.Line)
	}
	switch {
	case at.EndLine > at.Line:
		fmt.Fprintf(b, ",endLine=%d", at.EndLine)
	case at.Column > 0:
		fmt.Fprintf(b, ",endLine=%d,col=%d,endColumn=%d", at.EndLine, at.Column, at.EndColumn)
	}
	fmt.Fprintf(b, ",title=%s::%s\n", githubProperty(title), githubData.Replace(message))
}

var githubData = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

// githubProperty escapes the value of a command's property.
func githubProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(githubData.Replace(s))
}

func githubLevel(s lint.Severity) string {
	switch s {
	case lint.Error:
		return "error"
	case lint.Warning:
		return "warning"
	}
	return "notice"
}
