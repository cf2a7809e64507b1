package rules

import (
	"fmt"
	"slices"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// CacheMountEmptied finds cache mounts that a step empties again.
var CacheMountEmptied = &lint.Rule{
	Name:     "CacheMountEmptied",
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "A step empties the cache mount that it has",
		Why: `A cache mount isn't part of the image, so cleaning it makes nothing smaller: it throws away what the next build was to
find there, and that build downloads everything again. The same command in a RUN without a cache mount is right.`,
		Bad:  file("FROM node:22\nRUN --mount=type=cache,target=/root/.npm npm ci && npm cache clean --force\n"),
		Good: file("FROM node:22\nRUN --mount=type=cache,target=/root/.npm npm ci\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, u := range installs(p) {
			if u.use.Kind&ecosystem.Clean == 0 || u.use.Kind&ecosystem.Locate != 0 {
				continue
			}
			if m := cacheOf(p, u); m != "" {
				p.Report(lint.Diagnostic{Span: u.Span, Message: fmt.Sprintf("%s empties the cache mount at %s, which the next build then finds empty", u.use.Title, m)})
			}
		}
		for _, c := range commands(p) {
			for _, m := range mounts(p, c.in) {
				if m.Kind == "cache" && m.Target != "" && c.Name() == "rm" && deletesAll(c, m.Target) {
					p.Report(lint.Diagnostic{Span: c.Span, Message: fmt.Sprintf("this empties the cache mount at %s, which the next build then finds empty", m.Target)})
				}
			}
		}
		return nil
	},
}

// cacheOf is the cache mount that a cleaning command empties: one that a use of
// the same tool in the same RUN fills; "" where there is none.
func cacheOf(p *lint.Pass, clean install) string {
	for _, u := range installs(p) {
		if u.in != clean.in || u.use.Tool.Name != clean.use.Tool.Name || u.use.Tool.Caches == nil {
			continue
		}
		state := p.State(u.in)
		env := ecosystem.Env{Home: state.Home, HomeKnown: state.HomeKnown, Vars: state.Env, Open: state.Open, Complete: state.EnvKnown}
		for _, c := range u.use.Tool.Caches(u.use, env) {
			for _, m := range mounts(p, u.in) {
				if m.Kind == "cache" && m.Target != "" && (within(m.Target, c.Path) || within(c.Path, m.Target)) {
					return m.Target
				}
			}
		}
	}
	return ""
}

// deletesAll reports that rm takes the folder, or all in it.
func deletesAll(c ran, folder string) bool {
	return slices.ContainsFunc(c.Args(), func(w shell.Word) bool {
		return w.Value == folder || w.Value == folder+"/" || w.Value == folder+"/*"
	})
}
