package frontend

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
	lintrequest "github.com/moby/buildkit/frontend/subrequests/lint"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// check answers `docker build --check`: BuildKit's own findings and ours, in
// BuildKit's own format. What the file's ignore comments name is left out of
// both.
//
// BuildKit's findings have no severity and each makes a check fail, so ours of
// severity info stay out of it; `docker imgmgr lint` shows them.
func (b *build) check(ctx context.Context) (*client.Result, error) {
	res, err := builder.Build(ctx, withOpts(b.client, nil))
	if err != nil || b.file == nil {
		return res, err
	}
	merged := res
	b.guard(ctx, "the findings are BuildKit's own only", func() error {
		results, err := decodeLint(res)
		if err != nil {
			return err
		}
		ours, failed := lint.Check(ctx, b.file, b.facts(ctx), b.ownRules())
		b.merge(results, ours)
		out, err := results.ToResult(nil)
		if err == nil {
			merged = out
		}
		return errors.Join(failed, err)
	})
	return merged, nil
}

func decodeLint(res *client.Result) (*lintrequest.LintResults, error) {
	results := &lintrequest.LintResults{}
	if err := json.Unmarshal(res.Metadata["result.json"], results); err != nil {
		return nil, fmt.Errorf("read BuildKit's findings: %w", err)
	}
	if len(results.Sources) == 0 {
		return nil, errors.New("read BuildKit's findings: they name no source")
	}
	return results, nil
}

// ownRules are the rules that aren't BuildKit's own: those have spoken.
func (b *build) ownRules() []*lint.Rule {
	return slices.DeleteFunc(slices.Clone(b.rules), func(r *lint.Rule) bool {
		return slices.Contains(rules.BuildKit, r)
	})
}

// merge puts our findings beside BuildKit's and takes out what the file's
// comments ignore.
func (b *build) merge(results *lintrequest.LintResults, ours []lint.Diagnostic) {
	results.Warnings = slices.DeleteFunc(results.Warnings, func(w lintrequest.Warning) bool {
		return b.ignored(w)
	})
	config := b.checkConfig()
	var called []string
	for _, d := range ours {
		rule := b.rule(d.Rule)
		if d.Severity < lint.Warning || rule == nil || skipped(config, rule) {
			continue
		}
		results.AddWarning(d.Rule, rule.Doc.Title, cmp.Or(d.URL, docs+d.Rule+".md"), detail(d), 0, b.ranges(d.Span))
		called = append(called, d.Rule)
	}
	if config.ReturnAsError && results.Error == nil && len(called) > 0 {
		slices.Sort(called)
		results.Error = &lintrequest.BuildError{
			Message: "lint violation found for rules: " + strings.Join(slices.Compact(called), ", "),
		}
	}
}

// docs is where rules are explained.
const docs = "https://github.com/imgmgr/imgmgr/blob/main/docs/rules/"

// detail is a finding in one or two sentences.
func detail(d lint.Diagnostic) string {
	switch {
	case d.Fix == nil || d.Fix.Safety == lint.None:
		return d.Message
	case d.Fix.Safety == lint.BuildSafe:
		return d.Message + "\nFix: " + d.Fix.Message + " (this frontend does it in the build)"
	}
	return d.Message + "\nFix: " + d.Fix.Message
}

// ignored reports whether a comment asks to be quiet about BuildKit's warning.
func (b *build) ignored(w lintrequest.Warning) bool {
	rule := b.rule(w.RuleName)
	if rule == nil {
		rule = &lint.Rule{Name: w.RuleName}
	}
	at := edit.Span{}
	if ranges := w.Location.GetRanges(); len(ranges) > 0 {
		at = b.file.Lines.Span(int(ranges[0].GetStart().GetLine()))
	}
	return lint.Ignored(b.file, rule, at)
}

func (b *build) rule(name string) *lint.Rule {
	i := slices.IndexFunc(b.rules, func(r *lint.Rule) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return b.rules[i]
}

// checkConfig is how BuildKit was told to check: by the build argument, else by
// the directive on top of the file.
func (b *build) checkConfig() *linter.Config {
	if b.ui.LinterConfig != nil {
		return b.ui.LinterConfig
	}
	value, _, _, _ := parser.ParseDirective("check", b.src.Data)
	config, err := linter.ParseLintOptions(value)
	if err != nil { // BuildKit has said so
		return &linter.Config{}
	}
	return config
}

func skipped(config *linter.Config, rule *lint.Rule) bool {
	return config.SkipAll || slices.Contains(config.SkipRules, rule.Name) ||
		slices.ContainsFunc(rule.Aliases, func(a string) bool { return slices.Contains(config.SkipRules, a) })
}

// ranges are the lines of a span, as BuildKit's findings give them.
func (b *build) ranges(s edit.Span) []parser.Range {
	return []parser.Range{{
		Start: parser.Position{Line: b.file.Lines.Line(s.Start)},
		End:   parser.Position{Line: b.file.Lines.Line(max(s.Start, s.End-1))},
	}}
}
