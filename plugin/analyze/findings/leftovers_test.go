package findings

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint/rules"
)

// What is left over leads to the page of the rule that prevents it.
func TestRulesOfLeftovers(t *testing.T) {
	there := map[string]bool{"": true}
	for _, r := range rules.All {
		there[r.Name] = true
	}
	for _, l := range leftoverKinds {
		if !there[l.rule] {
			t.Errorf("%s names the rule %s, and there is none", l.kind, l.rule)
		}
	}
}
