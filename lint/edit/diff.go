package edit

import "github.com/rogpeppe/go-internal/diff"

// Unified returns the changes from a to b as a unified diff with three lines
// of context, or "" when the texts are equal. A nil a is a file that isn't there.
func Unified(name string, a, b []byte) string {
	if a == nil {
		return string(diff.Diff("/dev/null", nil, "b/"+name, b))
	}
	return string(diff.Diff("a/"+name, a, "b/"+name, b))
}
