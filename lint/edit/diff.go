package edit

import "github.com/rogpeppe/go-internal/diff"

// Unified returns the changes from a to b as a unified diff with three lines
// of context, or "" when the texts are equal.
func Unified(name string, a, b []byte) string {
	return string(diff.Diff("a/"+name, a, "b/"+name, b))
}
