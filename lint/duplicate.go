package lint

import "slices"

// withoutDuplicates drops the findings of a rule where another one, which has
// the first one's name among its aliases, reports the same bytes: it makes the
// same check and knows more.
func withoutDuplicates(found []Diagnostic, rules []*Rule) []Diagnostic {
	standsFor := func(rule, other string) bool {
		return slices.ContainsFunc(rules, func(r *Rule) bool { return r.Name == rule && slices.Contains(r.Aliases, other) })
	}
	kept := make([]Diagnostic, 0, len(found))
	for _, d := range found {
		if !slices.ContainsFunc(found, func(o Diagnostic) bool { return o.Rule != d.Rule && o.Overlaps(d.Span) && standsFor(o.Rule, d.Rule) }) {
			kept = append(kept, d)
		}
	}
	return kept
}
