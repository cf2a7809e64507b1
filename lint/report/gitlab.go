package report

import (
	"io"

	"github.com/imgmgr/imgmgr/lint"
)

// The shape of GitLab's code quality report, a part of Code Climate's.
type (
	gitlabIssue struct {
		Description string         `json:"description"`
		CheckName   string         `json:"check_name"`
		Fingerprint string         `json:"fingerprint"`
		Severity    string         `json:"severity"`
		Location    gitlabLocation `json:"location"`
	}
	gitlabLocation struct {
		Path  string      `json:"path"`
		Lines gitlabLines `json:"lines"`
	}
	gitlabLines struct {
		Begin int `json:"begin"`
		End   int `json:"end,omitempty"`
	}
)

// GitLab writes findings as GitLab's code quality report, which merge requests
// show. A file that could not be checked is a blocker.
//
// https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
func GitLab(w io.Writer, files []File, _ Rules) error {
	issues := []gitlabIssue{}
	for _, f := range files {
		src := newSource(f.Src)
		prints := newPrints(f.Path, src)
		for _, p := range f.Problems {
			issues = append(issues, gitlabIssue{
				Description: p.Message, CheckName: "imgmgr", Severity: "blocker",
				// The message stands where a finding has its rule.
				Fingerprint: prints.of(lint.Diagnostic{Rule: p.Message}),
				Location:    gitlabLocation{slashed(f.Path), gitlabLines{Begin: max(1, p.Line)}},
			})
		}
		for _, d := range f.Findings {
			issues = append(issues, gitlabIssue{
				Description: d.Message, CheckName: d.Rule, Severity: gitlabSeverity(d.Severity),
				Fingerprint: prints.of(d),
				Location:    gitlabLocation{slashed(f.Path), gitlabLines{src.lines.Line(d.Start), src.lastLine(d.Span)}},
			})
		}
	}
	return writeJSON(w, issues)
}

// gitlabSeverity gives the same severities as hadolint's report for GitLab.
func gitlabSeverity(s lint.Severity) string {
	switch s {
	case lint.Error:
		return "critical"
	case lint.Warning:
		return "major"
	}
	return "minor"
}
