package retention

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Numbers stand for digests: the same one for the same text, which comes back, in the
// order of the texts.
func TestDigestsKeepTheirText(t *testing.T) {
	d := newDigests()
	texts := []string{"", "sha256:", "x", sha("a"), strings.ToUpper(sha("a")), "sha256:" + strings.ToUpper(strings.Repeat("a", 64)), "sha512:" + strings.Repeat("b", 128), sha("a") + "0", "sha256:" + strings.Repeat("g", 64)}
	for i := range 5000 { // more than a block, and than the first slots
		texts = append(texts, fmt.Sprintf("sha256:%064x", i*7919))
	}
	numbers := map[digest]string{}
	for range 2 {
		for _, text := range texts {
			n := d.number(text)
			if other, known := numbers[n]; known && other != text {
				t.Fatalf("%q and %q have the same number", other, text)
			}
			numbers[n] = text
			if d.text(n) != text {
				t.Fatalf("%q comes back as %q", text, d.text(n))
			}
		}
	}
	if len(numbers) != len(texts) {
		t.Errorf("%d numbers for %d texts", len(numbers), len(texts))
	}
	for _, some := range [][]string{texts[:20], texts[10:40]} {
		sorted := slices.SortedFunc(slices.Values(some), func(a, b string) int { return d.compare(d.number(a), d.number(b)) })
		if !slices.IsSorted(sorted) {
			t.Errorf("sorted as %q", sorted)
		}
	}
}
