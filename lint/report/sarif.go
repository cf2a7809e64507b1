package report

import (
	"io"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/report/sarif"
)

// SARIF writes findings for code scanning, with their fixes. What kept a file
// from being checked makes the invocation one that failed.
func SARIF(w io.Writer, files []File, rules Rules) error {
	run := sarif.Run{
		Tool:        sarif.Tool{Driver: sarif.Driver{Name: "imgmgr lint", InformationURI: "https://github.com/imgmgr/imgmgr"}},
		Invocations: []sarif.Invocation{{Successful: true}},
		ColumnKind:  "unicodeCodePoints",
	}
	described := map[string]bool{}
	for _, f := range files {
		src := newSource(f.Src)
		prints := newPrints(f.Path, src)
		for _, d := range f.Findings {
			if !described[d.Rule] {
				described[d.Rule] = true
				run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rules.sarif(d))
			}
			run.Results = append(run.Results, sarif.Result{
				RuleID:              d.Rule,
				Level:               sarifLevel(d.Severity),
				Message:             sarif.Text{Text: d.Message},
				Locations:           []sarif.Location{sarif.At(f.Path, src.region(d.Span))},
				PartialFingerprints: map[string]string{"imgmgr/v1": prints.of(d)},
				Fixes:               src.sarifFixes(f.Path, d.Fix),
			})
		}
		for _, p := range f.Problems {
			run.Invocations[0].Successful = false
			run.Invocations[0].Notifications = append(run.Invocations[0].Notifications, sarifProblem(f.Path, p))
		}
	}
	return sarif.Write(w, run)
}

// sarif describes a finding's rule.
func (r Rules) sarif(d lint.Diagnostic) sarif.Rule {
	out := sarif.Rule{ID: d.Rule, HelpURI: r.URL(d)}
	known := r[d.Rule]
	if known == nil {
		return out
	}
	out.ShortDescription = &sarif.Text{Text: known.Doc.Title}
	out.FullDescription = &sarif.Text{Text: known.Doc.Why}
	out.Default = &sarif.Default{Level: sarifLevel(known.Severity)}
	if len(known.Aliases) > 0 {
		out.Properties = &sarif.Properties{Tags: known.Aliases}
	}
	return out
}

func sarifLevel(s lint.Severity) string {
	switch s {
	case lint.Error:
		return sarif.Error
	case lint.Warning:
		return sarif.Warning
	}
	return sarif.Note
}

func sarifProblem(path string, p Problem) sarif.Notification {
	var region *sarif.Region
	if p.Line > 0 {
		region = &sarif.Region{StartLine: p.Line}
	}
	return sarif.Notification{
		Level: sarif.Error, Message: sarif.Text{Text: p.Message}, Locations: []sarif.Location{sarif.At(path, region)},
	}
}

func (s *source) region(span edit.Span) *sarif.Region {
	p := s.place(span)
	return &sarif.Region{StartLine: p.Line, StartColumn: p.Column, EndLine: p.EndLine, EndColumn: p.EndColumn}
}

// sarifFixes is the fix, if there is one.
func (s *source) sarifFixes(path string, fix *lint.Fix) []sarif.Fix {
	if fix == nil || fix.Safety <= lint.None || len(fix.Edits) == 0 {
		return nil
	}
	change := sarif.Change{Artifact: sarif.At(path, nil).Physical.Artifact}
	for _, e := range fix.Edits {
		r := sarif.Replacement{Deleted: *s.region(e.Span)}
		if e.New != "" {
			r.Inserted = &sarif.Text{Text: e.New}
		}
		change.Replacements = append(change.Replacements, r)
	}
	return []sarif.Fix{{
		Description: sarif.Text{Text: fix.Message + " (" + fix.Safety.String() + ")"},
		Changes:     []sarif.Change{change},
	}}
}
