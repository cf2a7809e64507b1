package lsp

import (
	"context"
	"strings"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/report"
)

// publish sends what was found in a document, nothing where it is closed. It
// sends nothing of a text that is no longer the document's.
func (s *server) publish(ctx context.Context, d *document, c *checked) {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	s.mu.Lock()
	now := s.documents[d.uri]
	current := now == d && c != nil && c.text == d.text
	s.mu.Unlock()
	params := publishParams{URI: d.uri, Diagnostics: []diagnostic{}}
	switch {
	case current:
		params.Version, params.Diagnostics = &c.version, s.diagnostics(c)
	case c != nil || now != nil:
		return
	}
	// An editor that is gone needs none.
	_ = s.rpc.Notify(ctx, "textDocument/publishDiagnostics", params)
}

// diagnostics are the findings and, as errors, the problems.
func (s *server) diagnostics(c *checked) []diagnostic {
	out := []diagnostic{}
	for _, p := range c.report.Problems {
		out = append(out, c.problem(p))
	}
	for _, f := range c.report.Findings {
		out = append(out, s.diagnostic(c, f))
	}
	return out
}

func (s *server) diagnostic(c *checked, f engine.Diagnostic) diagnostic {
	return diagnostic{
		Range: c.text.span(c.shown(f.Span)), Severity: severity(f.Severity), Code: f.Rule, Source: "imgmgr", Message: f.Message,
		Description: &codeDescription{s.links.URL(f)},
	}
}

// shown is a finding's place without the newline at its end.
func (c *checked) shown(place edit.Span) edit.Span {
	for place.End > place.Start && strings.IndexByte("\r\n", c.text.src[place.End-1]) >= 0 {
		place.End--
	}
	return place
}

// problem is an error over the whole of its line, or of the first.
func (c *checked) problem(p report.Problem) diagnostic {
	line := edit.NewLines(c.text.src).Span(max(1, p.Line))
	return diagnostic{Range: c.text.span(c.shown(line)), Severity: severity(engine.Error), Source: "imgmgr", Message: p.Message}
}

// severity is the protocol's number.
func severity(s engine.Severity) int {
	switch s {
	case engine.Error:
		return 1
	case engine.Warning:
		return 2
	}
	return 3
}
