package lint

import "slices"

// withoutDuplicates drops the findings of a rule where another one, which has
// the first one's name among its aliases, reports the same bytes: it makes the
// same check and knows more.
func withoutDuplicates(found []Diagnostic, rules []*Rule) []Diagnostic {
	also := map[string][]string{} // a rule's name to the rules that stand for it
	for _, rule := range rules {
		for _, other := range rules {
			if slices.Contains(rule.Aliases, other.Name) {
				also[other.Name] = append(also[other.Name], rule.Name)
			}
		}
	}
	kept := make([]Diagnostic, 0, len(found))
	for _, d := range found {
		if by := also[d.Rule]; by == nil || !slices.ContainsFunc(found, func(o Diagnostic) bool {
			return slices.Contains(by, o.Rule) && o.Overlaps(d.Span)
		}) {
			kept = append(kept, d)
		}
	}
	return kept
}
