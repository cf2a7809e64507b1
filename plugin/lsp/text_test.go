package lsp

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/imgmgr/imgmgr/lint/edit"
)

func TestPositionsAreUTF16(t *testing.T) {
	txt := newText([]byte("a\U0001F433b\r\ngröße\rx\n"))
	for _, c := range []struct {
		offset int
		at     position
	}{
		{0, position{0, 0}},
		{1, position{0, 1}},  // the whale
		{5, position{0, 3}},  // behind it: it takes two units
		{6, position{0, 4}},  // the end of the line
		{8, position{1, 0}},  // behind CRLF
		{10, position{1, 2}}, // ö
		{12, position{1, 3}}, // behind it: two bytes, and one unit
		{17, position{2, 1}},
		{18, position{3, 0}}, // behind the last newline
	} {
		if got := txt.position(c.offset); got != c.at {
			t.Errorf("byte %d is at %v, want %v", c.offset, got, c.at)
		}
		if got := txt.offset(c.at); got != c.offset {
			t.Errorf("%v is byte %d, want %d", c.at, got, c.offset)
		}
	}
	for at, want := range map[position]int{
		{0, 2}:  1, // within the whale
		{0, 99}: 6, // behind the end of a line
		{9, 0}:  18,
		{-1, 3}: 0,
	} {
		if got := txt.offset(at); got != want {
			t.Errorf("%v is byte %d, want %d", at, got, want)
		}
	}
}

// FuzzText holds that bytes that start a character, but within a line's end,
// come back from where they are, and that no position leads out of the text.
func FuzzText(f *testing.F) {
	f.Add([]byte("a\U0001F433\r\nb\rc\n"), 0, 2)
	f.Add([]byte("\xff\xf0\x9f\x90"), 7, -1)
	f.Fuzz(func(t *testing.T, src []byte, line, character int) {
		txt := newText(src)
		if at := txt.offset(position{line, character}); at < 0 || at > len(src) {
			t.Fatalf("%d:%d is byte %d of %d", line, character, at, len(src))
		}
		if !utf8.Valid(src) {
			return // the protocol has none
		}
		for i := range len(src) + 1 {
			if i < len(src) && !utf8.RuneStart(src[i]) || i > 0 && i < len(src) && src[i-1] == '\r' && src[i] == '\n' {
				continue
			}
			if back := txt.offset(txt.position(i)); back != i {
				t.Fatalf("byte %d is at %v, which is byte %d", i, txt.position(i), back)
			}
		}
	})
}

func TestDifferenceLeadsFromOneToTheOther(t *testing.T) {
	for _, c := range [][2]string{
		{"a\nb\nc\n", "a\nx\ny\nc\n"}, {"a\n", ""}, {"", "a"}, {"a\na\n", "a\na\na\n"}, {"a\r\nb", "a\r\nb\r\n"}, {"x\ny\n", "x\nz\n"},
	} {
		e := difference([]byte(c[0]), []byte(c[1]))
		got, err := edit.Apply([]byte(c[0]), []edit.Edit{e})
		if err != nil || !bytes.Equal(got, []byte(c[1])) {
			t.Errorf("%q to %q: %+v gives %q, %v", c[0], c[1], e, got, err)
		}
	}
}

func TestPathsOfURIs(t *testing.T) {
	for uri, want := range map[string]string{
		"file:///srv/a%20b/gr%C3%B6%C3%9Fe": "/srv/a b/größe",
		"file://localhost/x":                "/x",
		"untitled:Untitled-1":               "-",
		"file:///c%3A/Users/x":              "c:/Users/x",
		"::":                                "-",
	} {
		if got := path(uri); got != want {
			t.Errorf("%s is %s, want %s", uri, got, want)
		}
	}
}
