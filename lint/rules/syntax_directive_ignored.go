package rules

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// SyntaxDirectiveIgnored finds parser directives in places where they are
// comments.
var SyntaxDirectiveIgnored = &lint.Rule{
	Name:     "SyntaxDirectiveIgnored",
	Severity: lint.Warning,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "Parser directive is not on top of the file, so it is a comment",
		Why: `"# syntax=", "# escape=" and "# check=" are read only on the first lines of the file. The first blank line, other
comment or instruction ends them, and from there on they are comments: the build uses BuildKit's built-in frontend
instead of the one that is asked for, the backslash stays the escape character, and checks keep their defaults. Nothing
says so.

A "# check=skip=…" above an instruction is left alone, for it is meant for that instruction. The fix moves the directive
to the top. It is unsafe, because another frontend or escape character may then read the file differently.`,
		Bad:  file("# Builds the service.\n# syntax=docker/dockerfile:1\nFROM alpine:3.20\n"),
		Good: file("# syntax=docker/dockerfile:1\n# Builds the service.\nFROM alpine:3.20\n"),
	},
	Run: func(p *lint.Pass) error {
		var fixed []string
		for _, c := range p.File.Comments {
			name, value, ok := lostDirective(p.File, c)
			if !ok {
				continue
			}
			d := lint.Diagnostic{Span: c.Span, Message: lostMessage(p.File, c, name, value)}
			if !slices.Contains(fixed, name) {
				d.Fix = moveToTop(p.File, c, name)
				fixed = append(fixed, name)
			}
			p.Report(d)
		}
		return nil
	},
}

// directiveValues match what a directive's value looks like; prose doesn't.
var directiveValues = map[string]*regexp.Regexp{
	"syntax": regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*([:/@][A-Za-z0-9._:/@-]+)(\s+[\w.-]+=\S+)*$`),
	"escape": regexp.MustCompile("^[\\\\`]$"),
	"check":  regexp.MustCompile(`^(.*;)?(error|experimental)=[\w,;=]+$`),
}

var directiveLine = regexp.MustCompile(`^#\s*([A-Za-z]+)\s*=\s*(.+?)\s*$`)

// lostDirective reads a comment that would be a directive on top of the file.
func lostDirective(f *dockerfile.File, c dockerfile.Comment) (name, value string, ok bool) {
	m := directiveLine.FindStringSubmatch(c.Span.Of(f.Src))
	if m == nil || c.Within != nil {
		return "", "", false
	}
	name, value = strings.ToLower(m[1]), m[2]
	form := directiveValues[name]
	if form == nil || !form.MatchString(value) {
		return "", "", false
	}
	syntax, _ := f.Syntax()
	return name, value, !syntax.Span.Contains(c.Span)
}

func lostMessage(f *dockerfile.File, c dockerfile.Comment, name, value string) string {
	why := "something else stands above it"
	switch before := string(bytes.TrimPrefix(f.Src[:c.Span.Start], []byte("\ufeff"))); {
	case len(f.Instructions) > 0 && f.Instructions[0].Span.Start < c.Span.Start:
		why = "it stands below an instruction"
	case strings.Contains(before, "#") && !onlyDirectives(f, before):
		why = "it stands below another comment"
	case strings.TrimSpace(before) == "" || onlyDirectives(f, before):
		why = "it stands below a blank line"
	}
	return fmt.Sprintf("# %s=%s is a comment here, not a directive: %s", name, value, why)
}

// onlyDirectives reports that the text holds no comments but directives.
func onlyDirectives(f *dockerfile.File, before string) bool {
	comments := 0
	for line := range strings.Lines(before) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			comments++
		}
	}
	return comments == len(f.Directives)
}

// moveToTop makes the comment a directive.
func moveToTop(f *dockerfile.File, c dockerfile.Comment, name string) *lint.Fix {
	if sets(f, name) {
		return nil // a second one is an error
	}
	at := directivesEnd(f)
	line := f.WholeLines(c.Span)
	edits := []edit.Edit{
		{Span: edit.Span{Start: at, End: at}, New: c.Span.Of(f.Src) + f.Newline, Origin: c.Span},
		{Span: line},
	}
	src, err := edit.Apply(f.Src, edits)
	if err != nil {
		return nil
	}
	// Another escape character may leave a text that BuildKit refuses.
	moved, err := dockerfile.Parse(f.Name, src)
	if err != nil || refused(moved) > refused(f) {
		return nil
	}
	if !sets(moved, name) {
		return nil // below a "#!" it is a comment still
	}
	return &lint.Fix{
		Message: "Move the " + name + " directive to the top",
		Safety:  lint.Unsafe,
		Doubt:   "it changes how the file is read",
		Edits:   edits,
	}
}

// sets reports whether a file has a directive.
func sets(f *dockerfile.File, name string) bool {
	if name == "syntax" {
		_, ok := f.Syntax()
		return ok
	}
	return slices.ContainsFunc(f.Directives, func(d dockerfile.Directive) bool { return d.Name == name })
}

// refused counts the instructions that BuildKit doesn't take.
func refused(f *dockerfile.File) int {
	n := 0
	for _, in := range f.Instructions {
		if in.Err != nil {
			n++
		}
	}
	return n
}

// directivesEnd is where a further directive goes: behind a byte order mark,
// a #! line and the directives that are there.
func directivesEnd(f *dockerfile.File) int {
	if n := len(f.Directives); n > 0 {
		return f.WholeLines(f.Directives[n-1].Span).End
	}
	at := 0
	if bytes.HasPrefix(f.Src, []byte("\ufeff")) {
		at = len("\ufeff")
	}
	if bytes.HasPrefix(f.Src[at:], []byte("#!")) {
		return f.Lines.Span(1).End
	}
	return at
}
