package edit_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// plan makes edits of a text of size bytes from arbitrary bytes, three for
// each: a gap to the edit before, the bytes to replace, and the new length.
// They come in an order that isn't that of their places.
func plan(script []byte, size int) []edit.Edit {
	var edits []edit.Edit
	at := 0
	for ; len(script) >= 3; script = script[3:] {
		start := min(at+int(script[0]%16), size)
		end := min(start+int(script[1]%8), size)
		text := bytes.Repeat([]byte("+\n"), int(script[2]%4))
		e := edit.Edit{Span: edit.Span{Start: start, End: end}, New: string(text)}
		if script[2]&4 != 0 {
			e.Origin = edit.Span{Start: size / 2, End: size}
		}
		edits = append([]edit.Edit{e}, edits...)
		at = end + 1
		if at > size {
			break
		}
	}
	return edits
}

// FuzzApply makes two rounds of edits and holds that every byte that neither
// round touched leads back to its place, that all others lead into the text,
// and that all edits reversed give the original again.
func FuzzApply(f *testing.F) {
	f.Add([]byte("FROM a\nRUN b\n"), []byte{0, 0, 1, 3, 2, 2}, []byte{5, 1, 0})
	f.Add([]byte("a\r\n\nb"), []byte{0, 7, 5}, []byte{0, 0, 2, 0, 0, 6})
	f.Add([]byte(""), []byte{0, 0, 3}, []byte{1, 1, 1})
	f.Fuzz(func(t *testing.T, src, first, second []byte) {
		original := bytes.Clone(src)
		m := edit.Identity(src)
		text := src
		places := make([]int, len(src)) // of each byte of text in src; -1 for a new one
		for i := range places {
			places[i] = i
		}
		for _, script := range [][]byte{first, second} {
			edits := plan(script, len(text))
			out, next, err := m.Apply(text, edits)
			if err != nil {
				t.Fatalf("edits %v of %q: %s", edits, text, err)
			}
			plain, err := edit.Apply(text, edits)
			if err != nil || !bytes.Equal(plain, out) {
				t.Fatalf("Apply gives %q, %v; Map.Apply %q", plain, err, out)
			}
			checkReverse(t, text, out, edits)
			for _, e := range edits { // from the end, so places stay valid
				fresh := slices.Repeat([]int{-1}, len(e.New))
				places = slices.Replace(places, e.Start, e.End, fresh...)
			}
			text, m = out, next
		}
		if !bytes.Equal(src, original) {
			t.Fatal("the source was changed")
		}
		checkMap(t, src, text, places, m)
	})
}

// checkReverse undoes the edits.
func checkReverse(t *testing.T, text, out []byte, edits []edit.Edit) {
	t.Helper()
	var back []edit.Edit
	shift := 0
	for i := len(edits) - 1; i >= 0; i-- { // plan's edits are ordered from the end
		e := edits[i]
		at := e.Start + shift
		back = append(back, edit.Edit{Span: edit.Span{Start: at, End: at + len(e.New)}, New: e.Of(text)})
		shift += len(e.New) - e.Len()
	}
	if again, err := edit.Apply(out, back); err != nil || !bytes.Equal(again, text) {
		t.Fatalf("undone: %q, %v; want %q", again, err, text)
	}
}

// checkMap holds that the map leads into the source, and bytes that no edit
// made to themselves.
func checkMap(t *testing.T, src, text []byte, places []int, m *edit.Map) {
	t.Helper()
	for i := range text {
		at := m.Offset(i)
		if at < 0 || at > len(src) {
			t.Fatalf("byte %d leads to %d of %d", i, at, len(src))
		}
		if places[i] >= 0 && at != places[i] {
			t.Fatalf("byte %d of %q leads to %d of %q, want %d", i, text, at, src, places[i])
		}
	}
	lines := edit.NewLines(src)
	for line := range edit.NewLines(text).Count() + 2 {
		if got := m.Line(line); got < 1 || got > lines.Count() {
			t.Fatalf("line %d leads to %d of %d", line, got, lines.Count())
		}
	}
}
