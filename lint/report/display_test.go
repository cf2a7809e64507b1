package report

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/rivo/uniseg"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

func TestLayoutShowsWhatATerminalHides(t *testing.T) {
	for text, want := range map[string]string{
		"a\tb":          "a   b",
		"\x1b[2J":       `\x1b[2J`,
		"a\u202eb":      `a\u202eb`,
		"nbsp\u00a0":    `nbsp\u00a0`,
		"\u200bzero":    `\u200bzero`,
		"bad\xff":       `bad\xff`,
		"\u0085":        `\u0085`,
		"größe 日本語 👩‍💻": "größe 日本語 👩‍💻",
		"e\u0301":       "e\u0301",
		"\U000e0001":    `\U000e0001`,
	} {
		if got := layout(text).String(); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// TestMarksLineUp holds that the mark stands under the text that is meant,
// whatever stands before it and however narrow the terminal is.
func TestMarksLineUp(t *testing.T) {
	const meant = "MEANT"
	for _, before := range []string{"", "RUN ", "\t", "a\tb\t", "größe ", "日本語 ", "👩‍💻 ", "\x1b[31m", "e\u0301 ", strings.Repeat("x", 300), strings.Repeat("日", 100)} {
		for _, behind := range []string{"", " && more", strings.Repeat(" y", 300)} {
			for _, width := range []int{0, 40, 80} {
				src := []byte("FROM a\n" + before + meant + behind + "\n")
				start := len("FROM a\n") + len(before)
				var out bytes.Buffer
				text := &Text{Out: &out, Width: width}
				file := File{Path: "D", Src: src, Findings: []lint.Diagnostic{{Span: edit.Span{Start: start, End: start + len(meant)}, Rule: "R", Severity: lint.Info, Message: "m"}}}
				if err := text.File(file); err != nil {
					t.Fatal(err)
				}
				lines := strings.Split(out.String(), "\n")
				code, mark := lines[1], lines[2]
				i := strings.Index(code, meant)
				if i < 0 {
					t.Errorf("width %d, %q: what is meant isn't shown:\n%s", width, before, out.String())
					continue
				}
				if got, want := strings.Index(mark, "^"), uniseg.StringWidth(code[:i]); got != want {
					t.Errorf("width %d, %q: the mark is in column %d, want %d:\n%s", width, before, got, want, out.String())
				}
				if got := strings.Count(mark, "^"); got != len(meant) {
					t.Errorf("width %d, %q: the mark is %d wide, want %d:\n%s", width, before, got, len(meant), out.String())
				}
			}
		}
	}
}

func TestMarksOfSeveralLines(t *testing.T) {
	src := "RUN a && \\\n\t b && \\\n c\n"
	var out bytes.Buffer
	text := &Text{Out: &out}
	end := strings.Index(src, " c") + 2
	if err := text.File(File{Path: "D", Src: []byte(src), Findings: []lint.Diagnostic{{Span: edit.Span{Start: 4, End: end}, Rule: "R", Severity: lint.Info, Message: "m"}}}); err != nil {
		t.Fatal(err)
	}
	want := "D:1:5: info: m [R]\n" +
		"   1 | RUN a && \\\n     |     ^^^^\n" +
		"   2 |      b && \\\n     |      ^^^^\n" +
		"   3 |  c\n     |  ^\n\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestPreviewShowsAMove(t *testing.T) {
	src := []byte("FROM a\nRUN b\nRUN c\n")
	moved := edit.Span{Start: 13, End: 19}
	changes := changesOf(src, edit.Span{}, []edit.Edit{{Span: moved}, {Span: edit.Span{Start: 7, End: 7}, New: "RUN c\n"}})
	var got []string
	for _, c := range changes {
		got = append(got, string(c.sign)+c.text)
	}
	if want := "+RUN c -RUN c"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// FuzzShow holds for any text: what is shown has no control characters, takes
// the columns that are counted, and is cropped to the width.
func FuzzShow(f *testing.F) {
	for _, seed := range []string{"", "plain", "a\tb", "\x1b]0;t\a", "日本語", "\xff\xfe", "👩‍💻e\u0301", "\r", "\u202e"} {
		f.Add(seed, 10, 3, 5)
	}
	f.Fuzz(func(t *testing.T, text string, width, start, end int) {
		r := layout(text)
		if got := uniseg.StringWidth(r.String()); strings.Trim(text, "abcdefghijklmnopqrstuvwxyz \t\x1b\x00\xff") == "" && got != r.width {
			t.Errorf("%q takes %d columns, counted %d", text, got, r.width)
		}
		for _, c := range r.String() {
			if unicode.IsControl(c) {
				t.Errorf("%q is shown with the control character %q", text, c)
			}
		}
		from, to := r.columns(start, end)
		if from < 0 || to <= from {
			t.Fatalf("%q, bytes %d to %d: columns %d to %d", text, start, end, from, to)
		}
		if width < 4 || width > 1000 {
			return
		}
		shown, cropFrom, cropTo := r.crop(width, from, to)
		if cropFrom < 0 || cropTo <= cropFrom {
			t.Errorf("%q cropped to %d: mark from %d to %d", text, width, cropFrom, cropTo)
		}
		columns := 0
		for _, c := range layout(shown).cells {
			columns += c.width
		}
		if columns > width && r.width > width {
			t.Errorf("%q cropped to %d takes %d columns: %q", text, width, columns, shown)
		}
	})
}
