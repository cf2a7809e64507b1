package rules_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/rules"
)

const byteOrderMark = "\xef\xbb\xbf"

// TestFixedFileIsClean makes the fixes of every rule in every file and lints the
// result: what was fixed isn't found again, and nothing is left that the same
// --fix would fix. A byte order mark stays where it is, and so does every
// comment.
func TestFixedFileIsClean(t *testing.T) {
	fixing := slices.DeleteFunc(slices.Clone(rules.All), func(r *lint.Rule) bool { return r.Safety == lint.None })
	for name, src := range dockerfiles(t) {
		if strings.HasSuffix(name, "CRLF") { // as its twin with plain newlines
			continue
		}
		before, err := dockerfile.Parse(name, []byte(src))
		if err != nil {
			continue
		}
		found := check(t, src, facts.Context{}, fixing...)
		for _, floor := range []lint.Safety{lint.Safe, lint.Unsafe} {
			out, err := lint.Rewrite(t.Context(), name, []byte(src), facts.Context{}, fixing, floor)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(out.Applied) == 0 {
				continue
			}
			again := check(t, string(out.Src), facts.Context{}, fixing...)
			for _, d := range again {
				if d.Fix != nil && d.Fix.Safety >= floor {
					t.Errorf("%s, fixed at %s: %s could be fixed once more: %s", name, floor, d.Rule, d.Message)
				}
			}
			left, hopeless := perRule(again), perRule(slices.DeleteFunc(slices.Clone(found), func(d lint.Diagnostic) bool {
				return d.Fix != nil && d.Fix.Safety >= floor
			}))
			for _, a := range out.Applied {
				if left[a.Rule] > hopeless[a.Rule] {
					t.Errorf("%s, fixed at %s: %s has %d findings, of which %d had no fix before", name, floor, a.Rule, left[a.Rule], hopeless[a.Rule])
				}
			}
			keepsComments(t, name, before, out.Src)
		}
		keepsMark(t, name, src, fixing)
	}
}

func perRule(found []lint.Diagnostic) map[string]int {
	n := map[string]int{}
	for _, d := range found {
		n[d.Rule]++
	}
	return n
}

// keepsComments holds a fixed text to the comments of the original.
func keepsComments(t *testing.T, name string, before *dockerfile.File, after []byte) {
	t.Helper()
	for _, c := range before.Comments {
		if text := c.Span.Of(before.Src); !bytes.Contains(after, []byte(text)) {
			t.Errorf("%s: a fix takes the comment %q away", name, text)
		}
	}
}

// keepsMark holds fixes to the same text whether a byte order mark is in front
// or not.
func keepsMark(t *testing.T, name, src string, fixing []*lint.Rule) {
	t.Helper()
	if strings.HasPrefix(src, byteOrderMark) {
		return
	}
	plain := rewrite(t, src, facts.Context{}, lint.Safe, fixing...)
	if marked := rewrite(t, byteOrderMark+src, facts.Context{}, lint.Safe, fixing...); marked != byteOrderMark+plain {
		t.Errorf("%s: with a byte order mark, the fixes give another text:\n%.200q", name, marked)
	}
}
