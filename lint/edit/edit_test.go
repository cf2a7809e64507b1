package edit_test

import (
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/edit"
)

func span(start, end int) edit.Span { return edit.Span{Start: start, End: end} }

func replace(start, end int, text string) edit.Edit {
	return edit.Edit{Span: span(start, end), New: text}
}

func TestApply(t *testing.T) {
	for _, c := range []struct {
		name  string
		edits []edit.Edit
		want  string
		fail  string
	}{
		{"nothing", nil, "abcdef", ""},
		{"replace, delete and insert in any order", []edit.Edit{replace(4, 6, "Z"), replace(0, 1, ""), replace(2, 2, "++")}, "b++cdZ", ""},
		{"insert in front of a replacement", []edit.Edit{replace(2, 3, "C"), replace(2, 2, "<")}, "ab<Cdef", ""},
		{"insert behind a replacement", []edit.Edit{replace(3, 3, ">"), replace(2, 3, "C")}, "abC>def", ""},
		{"insertions at one place keep their order", []edit.Edit{replace(6, 6, "1"), replace(6, 6, "2")}, "abcdef12", ""},
		{"neighbours", []edit.Edit{replace(2, 4, "x"), replace(0, 2, "y")}, "yxef", ""},
		{"overlap", []edit.Edit{replace(0, 3, "x"), replace(2, 4, "y")}, "", "two edits change the bytes from 2 to 3"},
		{"insert inside a replacement", []edit.Edit{replace(0, 3, "x"), replace(1, 1, "y")}, "", "two edits"},
		{"behind the end", []edit.Edit{replace(5, 7, "")}, "", "outside a text of 6 bytes"},
		{"in front of the start", []edit.Edit{replace(-1, 1, "")}, "", "outside"},
		{"backwards", []edit.Edit{replace(3, 2, "")}, "", "outside"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := edit.Apply([]byte("abcdef"), c.edits)
			if c.fail != "" {
				if err == nil || !strings.Contains(err.Error(), c.fail) {
					t.Errorf("got %q and error %v, want %q", out, err, c.fail)
				}
				return
			}
			if err != nil || string(out) != c.want {
				t.Errorf("got %q, %v; want %q", out, err, c.want)
			}
		})
	}
}

func TestConflict(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b edit.Edit
		want bool
	}{
		{"apart", replace(0, 1, ""), replace(2, 3, ""), false},
		{"neighbours", replace(0, 2, ""), replace(2, 3, ""), false},
		{"overlap", replace(0, 2, ""), replace(1, 3, ""), true},
		{"insertions at one place", replace(1, 1, "x"), replace(1, 1, "y"), true},
		{"insert at the start", replace(1, 1, "x"), replace(1, 2, ""), true},
		{"insert inside", replace(2, 2, "x"), replace(1, 3, ""), true},
		{"insert at the end", replace(3, 3, "x"), replace(1, 3, ""), false},
	} {
		a, b := []edit.Edit{c.a}, []edit.Edit{c.b}
		if got := edit.Conflict(a, b); got != c.want {
			t.Errorf("%s: got %t", c.name, got)
		}
		if got := edit.Conflict(b, a); got != c.want {
			t.Errorf("%s, the other way round: got %t", c.name, got)
		}
	}
	if edit.Conflict(nil, []edit.Edit{replace(0, 1, "")}) {
		t.Error("no edits conflict with some")
	}
}

func TestLines(t *testing.T) {
	l := edit.NewLines([]byte("ab\r\n\nc"))
	if l.Count() != 3 {
		t.Errorf("%d lines", l.Count())
	}
	for offset, want := range map[int][2]int{-1: {1, 1}, 0: {1, 1}, 3: {1, 4}, 4: {2, 1}, 5: {3, 1}, 6: {3, 2}, 9: {3, 2}} {
		if line, column := l.Position(offset); line != want[0] || column != want[1] {
			t.Errorf("offset %d is at %d:%d, want %v", offset, line, column, want)
		}
	}
	for line, want := range map[int]edit.Span{0: {}, 1: span(0, 4), 2: span(4, 5), 3: span(5, 6), 4: span(6, 6)} {
		if got := l.Span(line); got != want {
			t.Errorf("line %d is %v, want %v", line, got, want)
		}
	}
}

// TestMapFollowsMovedLines moves a line up, puts a new one in front and gives
// another a flag; each line must lead to the one its owner wrote.
func TestMapFollowsMovedLines(t *testing.T) {
	src := "FROM a\nCOPY . .\nCOPY p .\nRUN i\n" // lines of 7, 9, 9 and 6 bytes
	m := edit.Identity([]byte(src))
	moved := edit.Edit{Span: span(7, 7), New: "COPY p .\nRUN i\n", Origin: span(16, 31)}
	text, m, err := m.Apply([]byte(src), []edit.Edit{moved, replace(16, 31, "")})
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != "FROM a\nCOPY p .\nRUN i\nCOPY . .\n" {
		t.Fatalf("got %q", text)
	}
	at := strings.Index(string(text), " i\n")
	text, m, err = m.Apply(text, []edit.Edit{replace(0, 0, "FROM scratch AS x\n"), replace(at, at, " --mount=x")})
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != "FROM scratch AS x\nFROM a\nCOPY p .\nRUN --mount=x i\nCOPY . .\n" {
		t.Fatalf("got %q", text)
	}
	for line, want := range []int{1, 1, 3, 4, 2} {
		if got := m.Line(line + 1); got != want {
			t.Errorf("line %d leads to %d, want %d", line+1, got, want)
		}
	}
	if (*edit.Map)(nil).Offset(5) != 5 {
		t.Error("no map isn't the identity")
	}
}

func TestMapRefusesBadEdits(t *testing.T) {
	src := []byte("abc")
	if _, _, err := edit.Identity(src).Apply(src, []edit.Edit{replace(2, 9, "")}); err == nil {
		t.Error("an edit outside the text is made")
	}
}

func TestText(t *testing.T) {
	src := []byte("RUN a \\\n  b\n")
	var text, more edit.Text
	text.Add(src, span(4, 6))
	text.Add(src, span(5, 5))
	more.Add(src, span(8, 11))
	text.Append(&more)
	if text.String() != "a   b" || text.Len() != 5 {
		t.Fatalf("text is %q", text.String())
	}
	for i, want := range []int{4, 5, 8, 9, 10, 11} {
		if got := text.Offset(i); got != want {
			t.Errorf("byte %d is at %d, want %d", i, got, want)
		}
	}
	for s, want := range map[edit.Span]edit.Span{span(0, 5): span(4, 11), span(0, 2): span(4, 6), span(4, 5): span(10, 11), span(2, 2): span(8, 8), span(5, 5): span(11, 11)} {
		if got := text.Span(s); got != want {
			t.Errorf("%v is at %v, want %v", s, got, want)
		}
	}
	if empty := new(edit.Text); empty.Offset(0) != 0 || empty.Span(span(0, 0)) != span(0, 0) {
		t.Error("an empty text isn't at 0")
	}
}

func TestSpan(t *testing.T) {
	s := span(2, 5)
	if s.Len() != 3 || s.Of([]byte("abcdefg")) != "cde" {
		t.Errorf("%v is %q", s, s.Of([]byte("abcdefg")))
	}
	if !s.Contains(span(2, 5)) || !s.Contains(span(5, 5)) || s.Contains(span(1, 3)) {
		t.Error("Contains")
	}
	if s.Overlaps(span(5, 6)) || !s.Overlaps(span(4, 9)) || s.Overlaps(span(0, 2)) {
		t.Error("Overlaps")
	}
}

func TestUnified(t *testing.T) {
	if got := edit.Unified("f", []byte("a\n"), []byte("a\n")); got != "" {
		t.Errorf("equal texts differ: %s", got)
	}
	got := edit.Unified("Dockerfile", []byte("a\nb\n"), []byte("a\nc\n"))
	for _, want := range []string{"--- a/Dockerfile\n", "+++ b/Dockerfile\n", "\n-b\n+c\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
