package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// print is what a format makes of files.
func print(t *testing.T, f Format, files ...File) string {
	t.Helper()
	var out bytes.Buffer
	if err := f.Write(&out, files, Index(testRules)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// hostileFile has in its names and texts what each format has to escape, CRLF,
// and characters of every width.
func hostileFile() File {
	src := "\xef\xbb\xbfFROM \U0001F433:1\r\nRUN a\xff\x00 |<b>&amp; \r\n"
	nasty := "50% of | *it*, <b>: ]]> \x1b[31m\x00 \xff::error::"
	edits := []edit.Edit{{Span: edit.Span{Start: 5, End: len(src)}, New: "]]>\r\n"}}
	return File{
		Path: "a b/%,:|<x>&\"'/Dockerfile", Src: []byte(src),
		Findings: []lint.Diagnostic{
			{Span: edit.Span{Start: 0, End: len(src)}, Rule: "ListsLeft", Alias: "DL3009", Severity: lint.Warning, Message: nasty,
				Fix: &lint.Fix{Message: nasty, Safety: lint.Unsafe, Edits: edits}, Evidence: []lint.Evidence{{What: nasty, Says: nasty}}},
			{Span: edit.Span{Start: len(src), End: len(src)}, Rule: "Plain", Severity: lint.Info, Message: nasty},
		},
		Problems: []Problem{{Message: nasty, Line: 2}, {Message: nasty}},
	}
}

func TestFormatsGolden(t *testing.T) {
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			golden(t, "report."+f.Name, print(t, f, testFile(), File{Path: "clean/Dockerfile"}, failedFile()))
			golden(t, "hostile."+f.Name, print(t, f, hostileFile()))
		})
	}
}

func TestFormatsSayThatTheyCannotWrite(t *testing.T) {
	full := errors.New("no space left on device")
	for _, f := range Formats() {
		if err := f.Write(failing{full}, []File{testFile()}, nil); !errors.Is(err, full) {
			t.Errorf("%s: a writer that fails gives %v", f.Name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestSARIFKeepsToItsSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("sarif/testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(text string) error {
		log, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(log)
	}
	f := format(t, "sarif")
	for _, files := range [][]File{nil, {testFile(), failedFile()}, {hostileFile(), {Path: "/clean"}}} {
		if err := valid(print(t, f, files...)); err != nil {
			t.Errorf("%d files: %v", len(files), err)
		}
	}
	if broken := strings.Replace(print(t, f, testFile()), `"level": "warning"`, `"level": "bad"`, 1); valid(broken) == nil {
		t.Error("the schema accepts a level that there isn't")
	}
}

// TestSARIFFixesDoWhatTheFixDoes makes the fixes as a reader of the log would,
// by lines and columns alone.
func TestSARIFFixesDoWhatTheFixDoes(t *testing.T) {
	type region struct{ StartLine, StartColumn, EndLine, EndColumn int }
	var log struct {
		Runs []struct {
			Results []struct {
				Fixes []struct {
					ArtifactChanges []struct {
						Replacements []struct {
							DeletedRegion   region
							InsertedContent struct{ Text string }
						}
					}
				}
			}
		}
	}
	wide := File{Path: "wide", Src: []byte("\xef\xbb\xbfFROM \U0001F433 größe\r\nRUN e\u0301 \U0001F433\r\n"), Findings: []lint.Diagnostic{{Fix: &lint.Fix{Safety: lint.Safe}}}}
	for i := range len(wide.Src) {
		if i >= len(bom) && utf8.RuneStart(wide.Src[i]) {
			e := edit.Edit{Span: edit.Span{Start: i, End: len(wide.Src)}, New: "\r\n"}
			wide.Findings[0].Fix.Edits = append(wide.Findings[0].Fix.Edits, e)
		}
	}
	for _, file := range []File{testFile(), wide} {
		if err := json.Unmarshal([]byte(print(t, format(t, "sarif"), file)), &log); err != nil {
			t.Fatal(err)
		}
		offset := func(line, column int) int {
			at := 0
			for range line - 1 {
				at += bytes.IndexByte(file.Src[at:], '\n') + 1
			}
			if line == 1 && bytes.HasPrefix(file.Src, bom) {
				at = len(bom)
			}
			return at + len(string([]rune(string(file.Src[at:]))[:column-1]))
		}
		for i, d := range file.Findings {
			fixes := log.Runs[0].Results[i].Fixes
			if (d.Fix == nil) != (len(fixes) == 0) {
				t.Fatalf("finding %d has %d fixes", i, len(fixes))
			}
			if d.Fix == nil {
				continue
			}
			for k, r := range fixes[0].ArtifactChanges[0].Replacements {
				got := edit.Edit{New: r.InsertedContent.Text, Span: edit.Span{
					Start: offset(r.DeletedRegion.StartLine, r.DeletedRegion.StartColumn),
					End:   offset(r.DeletedRegion.EndLine, r.DeletedRegion.EndColumn),
				}}
				if want := d.Fix.Edits[k]; got != want {
					t.Errorf("%s, finding %d: the fix is %+v, want %+v", file.Path, i, got, want)
				}
			}
		}
	}
}

func TestXMLParses(t *testing.T) {
	for _, name := range []string{"checkstyle", "junit"} {
		text := print(t, format(t, name), testFile(), hostileFile(), failedFile())
		dec := xml.NewDecoder(strings.NewReader(text))
		for {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}

// TestGitHubCommandsAreOneLineEach holds that no text of a file ends a command or
// starts another.
func TestGitHubCommandsAreOneLineEach(t *testing.T) {
	file := hostileFile()
	file.Problems[0].Message += "\r\n::error::\u2028::error::"
	file.Path += "\n::error::"
	text := print(t, format(t, "github"), file)
	if got, want := strings.Count(text, "\n"), 5; got != want { // 2 problems, 2 findings, the summary
		t.Errorf("%d lines, want %d:\n%s", got, want, text)
	}
	if i := strings.IndexFunc(text, func(c rune) bool { return c != '\n' && !unicode.IsPrint(c) }); i >= 0 {
		t.Errorf("a log would obey %q", text[i:i+4])
	}
}

func TestFingerprintsAreUniqueAndStay(t *testing.T) {
	file := testFile()
	file.Findings = append(file.Findings, file.Findings[0], file.Findings[1]) // the same once more
	before := fingerprints(t, file)
	if unique := slices.Compact(slices.Sorted(slices.Values(before))); len(unique) != len(before) {
		t.Errorf("two of %d findings share a fingerprint", len(before))
	}
	const above = "# a line more\n"
	file.Path = "./" + file.Path
	file.Src = append([]byte(above), file.Src...)
	for i := range file.Findings {
		file.Findings[i].Start += len(above)
		file.Findings[i].End += len(above)
	}
	if after := fingerprints(t, file); !slices.Equal(before, after) {
		t.Errorf("a line above changes fingerprints:\n%v\n%v", before, after)
	}
}

func fingerprints(t *testing.T, file File) (prints []string) {
	t.Helper()
	var issues []struct{ Fingerprint string }
	if err := json.Unmarshal([]byte(print(t, format(t, "gitlab"), file)), &issues); err != nil {
		t.Fatal(err)
	}
	for _, issue := range issues {
		prints = append(prints, issue.Fingerprint)
	}
	return prints
}

func format(t *testing.T, name string) Format {
	t.Helper()
	for _, f := range Formats() {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("there is no format %s", name)
	return Format{}
}
