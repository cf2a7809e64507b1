package lsp

import (
	"context"
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/report"
)

// hover documents the rules of what was found at a position; null where there
// is nothing.
func (s *server) hover(ctx context.Context, p hoverParams) (*hoverResult, error) {
	c, err := s.check(ctx, p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	at := c.text.offset(p.Position)
	var pages []string
	var around edit.Span
	told := map[string]bool{}
	for _, f := range c.report.Findings {
		place := c.shown(f.Span)
		rule := s.rules[f.Rule]
		if at < place.Start || at > place.End || rule == nil || told[f.Rule] {
			continue
		}
		// The part that all pages are about.
		if len(pages) == 0 {
			around = place
		}
		around = edit.Span{Start: max(around.Start, place.Start), End: min(around.End, place.End)}
		told[f.Rule] = true
		var page strings.Builder
		page.WriteString(report.Page(rule))
		for _, e := range f.Evidence {
			fmt.Fprintf(&page, "\n*Seen:* %s: %s\n", report.Prose(e.What), report.Prose(e.Says))
		}
		fmt.Fprintf(&page, "\n[More](%s)\n", s.links.URL(f))
		pages = append(pages, page.String())
	}
	if len(pages) == 0 {
		return nil, nil
	}
	return &hoverResult{markup{"markdown", strings.Join(pages, "\n---\n\n")}, c.text.span(around)}, nil
}
