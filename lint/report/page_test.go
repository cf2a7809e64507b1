package report

import "testing"

func TestProseKeepsCode(t *testing.T) {
	got := Prose("a_b <c> `d_e <f>` *g*")
	if want := "a\\_b &lt;c> `d_e <f>` \\*g\\*"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
