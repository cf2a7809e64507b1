package lint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// Check runs the rules over a file and returns what they find, ordered by
// place, without what the file's ignore comments take away.
//
// A rule that fails costs its own findings only: the others are returned
// beside an error that joins every failure. Where a rule has another's name
// among its aliases, it speaks for both.
func Check(ctx context.Context, file *dockerfile.File, fc facts.Context, rules []*Rule) ([]Diagnostic, error) {
	found, err := run(ctx, file, fc, rules, &shared{})
	found = withoutDuplicates(found, rules)
	slices.SortStableFunc(found, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Start, b.Start),
			cmp.Compare(b.Severity, a.Severity),
			cmp.Compare(a.Rule, b.Rule),
		)
	})
	return found, err
}

// run is Check in the order of the rules.
func run(ctx context.Context, file *dockerfile.File, fc facts.Context, rules []*Rule, sh *shared) ([]Diagnostic, error) {
	var found []Diagnostic
	var failed []error
	ignored, pins := ignores(file), readPins(file)
	pass := &Pass{Context: ctx, File: file, Facts: fc, shared: sh, ignores: ignored}
	pass.report = func(d Diagnostic) {
		rule := pass.rule
		if rule.Safety == BuildSafe && pass.onWindows(d) {
			pass.Settle(d.Span, "what proves a fix is knowledge of Linux, and this stage runs on Windows")
			return
		}
		if d.Fix != nil && d.Fix.Safety > rule.Safety {
			failed = append(failed, fmt.Errorf("rule %s claims a %s fix, more than its %s", rule.Name, d.Fix.Safety, rule.Safety))
			d.Fix = nil
		}
		if d.Fix != nil {
			if why := cmp.Or(unfinished(file, d.Fix.Edits), pins.against(file, rule, d.Fix.Edits)); why != "" {
				d.Message, d.Fix = d.Message+", and "+why, nil
			}
		}
		if d.Fix != nil {
			fix, why := withSyntax(file, fc, d.Fix)
			if d.Fix = fix; why != "" {
				d.Message += ", and " + why
			}
		}
		if silenced(ignored, file, rule, d) {
			pass.Settle(d.Span, "a comment asks for silence about it")
			return
		}
		found = append(found, d)
	}
	for _, rule := range lastLast(rules) {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		heard(ignored, rule)
		pass.rule = rule
		if err := rule.Run(pass); err != nil {
			failed = append(failed, fmt.Errorf("check %s for %s: %w", file.Name, rule.Name, err))
		}
	}
	return found, errors.Join(failed...)
}

// lastLast are the rules in their order, those that run Last behind the others.
func lastLast(rules []*Rule) []*Rule {
	if !slices.ContainsFunc(rules, func(r *Rule) bool { return r.Last }) {
		return rules
	}
	sorted := slices.Clone(rules)
	slices.SortStableFunc(sorted, func(a, b *Rule) int {
		switch {
		case a.Last == b.Last:
			return 0
		case a.Last:
			return 1
		}
		return -1
	})
	return sorted
}
