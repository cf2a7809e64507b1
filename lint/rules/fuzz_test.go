package rules_test

import (
	"strings"
	"testing"
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
