package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

var update = flag.Bool("update", false, "rewrite the golden files with what the printers give")

// golden compares with, or rewrites, a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test -update rewrites it):\n%s", name, diff)
	}
}

var testRules = []*lint.Rule{
	{
		Name: "ListsLeft", Aliases: []string{"DL3009"}, Severity: lint.Warning, Safety: lint.BuildSafe,
		Doc: lint.Doc{
			Title: "Lists stay in the image",
			Why:   "Lists cost megabytes, e.g. tens of them, that nobody reads once the packages are there. This second sentence is for the documentation.\n\nAnd so is this paragraph.",
			Bad:   lint.Example{Dockerfile: "FROM debian:12\nRUN apt-get update\n"},
			Good:  lint.Example{Dockerfile: "FROM debian:12\nRUN apt-get update && rm -rf /var/lib/apt/lists/*\n"},
		},
	},
	{Name: "Misread", Severity: lint.Error, Safety: lint.Unsafe, Doc: lint.Doc{Title: "The text is misread", Why: "It is."}},
	{Name: "Plain", Severity: lint.Info, Doc: lint.Doc{Title: "Plain remark"}},
}

const testSource = "FROM debian:12\n" +
	"RUN apt-get update && \\\n" +
	"    apt-get install -y --no-install-recommends build-essential ca-certificates curl git openssh-client pkg-config\n" +
	"\tENV NAME=\"größer 日本語\" TOKEN=x\n" +
	"RUN one && \\\n    two && \\\n    three && \\\n    four\n" +
	"LABEL evil=\"\x1b[31mred\x1b[0m\u202e\"\n" +
	"# syntax=docker/dockerfile:1"

// at finds the place of a text in testSource.
func at(text string) edit.Span {
	i := strings.Index(testSource, text)
	return edit.Span{Start: i, End: i + len(text)}
}

// insert makes an edit behind a text.
func insert(behind, text string) edit.Edit {
	i := at(behind).End
	return edit.Edit{Span: edit.Span{Start: i, End: i}, New: text}
}

func testFile() File {
	directive := at("# syntax=docker/dockerfile:1")
	return File{
		Path: "services/api/Dockerfile",
		Src:  []byte(testSource),
		Fixed: []lint.Applied{
			{Rule: "ListsLeft", Message: "Remove the package lists", Line: 12},
		},
		Findings: []lint.Diagnostic{
			{
				Span: at("apt-get update"), Rule: "ListsLeft", Severity: lint.Warning,
				Message:  "apt-get update leaves its package lists in the image, for nothing in this RUN removes them again",
				Evidence: []lint.Evidence{{What: "docker-clean in the base image", Says: "empties the archive, and not the lists"}},
				Fix: &lint.Fix{
					Message: "Remove the package lists in the same RUN", Safety: lint.Safe, Doubt: "the base image isn't known",
					Edits: []edit.Edit{insert("openssh-client pkg-config", " && rm -rf /var/lib/apt/lists/*")},
				},
			},
			{Span: at("TOKEN=x"), Rule: "Plain", Severity: lint.Info, Message: "A mark stands under TOKEN=x"},
			{Span: at("one && \\\n    two && \\\n    three && \\\n    four"), Rule: "Plain", Severity: lint.Info, Message: "Four lines"},
			{Span: at("red"), Rule: "Plain", Severity: lint.Info, Message: "Says \x1b[31mred\x1b[0m and\nbreaks"},
			{
				Span: directive, Rule: "Misread", Severity: lint.Error, Message: "A directive below an instruction is a comment",
				Fix: &lint.Fix{Message: "Move it to the top", Safety: lint.Unsafe, Edits: []edit.Edit{
					{Span: edit.Span{}, New: "# syntax=docker/dockerfile:1\n"}, {Span: directive},
				}},
			},
			{Span: at("FROM"), Rule: "Foreign", Severity: lint.Info, Message: "Known elsewhere", URL: "https://example.com/foreign"},
		},
	}
}

func failedFile() File {
	return File{Path: "bad/Dockerfile", Src: []byte("FROM a\nRUN <<EOF\nnever ends\n"), Problems: []Problem{
		{Message: "the heredoc EOF has no end", Line: 2},
		{Message: "rule X failed:\nits reason"},
	}}
}

func TestTextGolden(t *testing.T) {
	for _, c := range []struct {
		name  string
		width int
		color bool
	}{{"text80.golden", 80, false}, {"text120.golden", 120, false}, {"pipe.golden", 0, false}, {"color80.golden", 80, true}} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			text := &Text{Out: &out, Width: c.width, Color: c.color, Rules: Index(testRules)}
			var s Summary
			for _, f := range []File{testFile(), {Path: "clean/Dockerfile"}, failedFile()} {
				s.Add(f)
				for _, print := range []func(File) error{text.Problems, text.File} {
					if err := print(f); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := text.Summary(s); err != nil {
				t.Fatal(err)
			}
			golden(t, c.name, out.String())
			for n, line := range strings.Split(out.String(), "\n") {
				if w := layout(line).width; c.width > 0 && !c.color && w > c.width {
					t.Errorf("line %d takes %d columns of %d: %s", n+1, w, c.width, line)
				}
			}
		})
	}
}

func TestExplainAndListGolden(t *testing.T) {
	var out bytes.Buffer
	text := &Text{Out: &out, Width: 60}
	for _, r := range testRules {
		if err := text.Explain(r); err != nil {
			t.Fatal(err)
		}
		out.WriteString("----\n")
	}
	if err := text.List(testRules); err != nil {
		t.Fatal(err)
	}
	golden(t, "rules60.golden", out.String())
}

func TestPositionCountsCharacters(t *testing.T) {
	src := []byte("\xef\xbb\xbfFROM a\r\n# größe x\n\xff!")
	lines := edit.NewLines(src)
	for _, c := range []struct{ offset, line, column int }{
		{0, 1, 1},                         // the byte order mark
		{3, 1, 1},                         // F
		{8, 1, 6},                         // a
		{bytes.IndexByte(src, 'x'), 2, 9}, // behind two-byte characters
		{bytes.IndexByte(src, '!'), 3, 2}, // behind a byte that is no UTF-8
		{len(src), 3, 3},                  // the end
		{len(src) + 9, 3, 3}, {-1, 1, 1},  // outside
	} {
		if line, column := position(src, lines, c.offset); line != c.line || column != c.column {
			t.Errorf("offset %d is at %d:%d, want %d:%d", c.offset, line, column, c.line, c.column)
		}
	}
}

func TestSummarySaysWhatToDo(t *testing.T) {
	for _, c := range []struct {
		s    Summary
		want string
	}{
		{Summary{Files: 1}, "no findings in 1 file"},
		{Summary{Files: 3, Failed: 1}, "no findings in 2 files; 1 file could not be checked"},
		{Summary{Files: 2, Findings: 4, Warnings: 3, Infos: 1, Fixable: 2, found: 2}, "3 warnings, 1 info in 2 files; 2 can be fixed with --fix"},
		{Summary{Files: 5, Findings: 2, Errors: 2, Unsafe: 1, found: 1}, "2 errors in 1 of 5 files; 1 can be fixed with --fix=unsafe"},
		{Summary{Files: 1, Fixed: 2, mended: 1}, "2 findings fixed in 1 file; no findings in 1 file"},
		{Summary{Files: 1, Failed: 1}, "1 file could not be checked"},
	} {
		if got := c.s.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestDiffForPeopleAndForPatch(t *testing.T) {
	diff := "diff a/D b/D\n--- a/D\n+++ b/D\n@@ -1 +1 @@\n-a\x1b\n+b\n"
	var plain, colored bytes.Buffer
	if err := (&Text{Out: &plain}).Diff(diff); err != nil {
		t.Fatal(err)
	}
	if plain.String() != diff {
		t.Errorf("without colours a diff must stay as it is, got %q", plain.String())
	}
	if err := (&Text{Out: &colored, Color: true}).Diff(diff); err != nil {
		t.Fatal(err)
	}
	if got := colored.String(); !strings.Contains(got, `-a\x1b`) || !strings.Contains(got, string(green)+"+b") {
		t.Errorf("with colours: %q", got)
	}
}
