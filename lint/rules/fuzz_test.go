package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// FuzzRewrite holds the rewrites of any text at all to the cheap oracle of
// TestTwins, and to coming to rest.
func FuzzRewrite(f *testing.F) {
	// Not the corpus, which TestTwins reads; its files only make mutations slow.
	for name, src := range dockerfiles(f) {
		if !strings.Contains(name, "CRLF") && !strings.Contains(name, "corpus") && len(src) < 4096 {
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		list, out := differences(t, src, likely())
		if len(list) > 0 {
			text := ""
			if out != nil {
				text = string(out.Src)
			}
			t.Fatalf("%s\n%s\nbecomes\n%s", strings.Join(list, "\n"), src, text)
		}
		if out == nil || len(out.Applied) == 0 {
			return
		}
		if _, again := differences(t, string(out.Src), likely()); again == nil || len(again.Applied) > 0 {
			t.Fatalf("the rewrite is rewritten again:\n%s\nbecomes\n%s", src, out.Src)
		}
	})
}

// FuzzCheck holds every rule to what TestEveryRuleOnEveryFile does, on any text
// at all: none fails, findings are lawful, and fixes of all kinds come to rest.
func FuzzCheck(f *testing.F) {
	for name, src := range dockerfiles(f) {
		if !strings.Contains(name, "CRLF") && !strings.Contains(name, "corpus") && len(src) < 2048 {
			f.Add(src)
		}
	}
	fixing := slices.DeleteFunc(slices.Clone(rules.All), func(r *lint.Rule) bool { return r.Safety == lint.None })
	f.Fuzz(func(t *testing.T, src string) {
		if _, err := dockerfile.Parse("Dockerfile", []byte(src)); err != nil || len(src) > 4096 {
			return
		}
		for _, d := range check(t, src, facts.Context{}, rules.All...) {
			lawful(t, "Dockerfile", src, d)
		}
		for _, floor := range []lint.Safety{lint.Unsafe, lint.Safe} {
			stays(t, "Dockerfile", src, likely(), floor, fixing...)
		}
	})
}
