package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

const (
	// narrow is the least width that is respected: below it, wrapping only
	// makes a report harder to read.
	narrow = 40
	// label is the width of what stands in front of source lines and notes.
	label = 7
)

// Text prints findings for people: the place in a form that editors and
// terminals make clickable, the source with what is meant underlined, why it
// matters, and what the fix would change.
type Text struct {
	Out   io.Writer
	Width int // columns to wrap to; 0: don't wrap
	Color bool
	Rules Rules
}

// File prints the repairs and findings of a file; nothing for a clean one.
func (t *Text) File(f File) error {
	var b strings.Builder
	for _, a := range f.Fixed {
		place := word{fmt.Sprintf("%s:%d:", clean(f.Path), a.Line), bold}
		t.paragraph(&b, "", "    ", []word{place, {"fixed:", green}}, words("", clean(a.Message)), words(dim, "["+a.Rule+"]"))
	}
	if len(f.Fixed) > 0 && len(f.Findings) > 0 {
		b.WriteByte('\n')
	}
	source := newSource(f.Src)
	explained := map[string]bool{}
	for _, d := range f.Findings {
		t.finding(&b, f.Path, source, d, !explained[d.Rule])
		explained[d.Rule] = true
	}
	return t.write(&b)
}

// Problems prints what kept a file from being checked, one line each, with the
// source where a problem has a place.
func (t *Text) Problems(f File) error {
	var b strings.Builder
	source := newSource(f.Src)
	for _, p := range f.Problems {
		place := clean(f.Path) + ":"
		if p.Line > 0 {
			place = fmt.Sprintf("%s:%d:", clean(f.Path), p.Line)
		}
		t.paragraph(&b, "", "    ", []word{{place, bold}, {"error:", red}}, words("", clean(p.Message)))
		if p.Line > 0 && p.Line <= source.lines.Count() && len(f.Src) > 0 {
			t.line(&b, source, p.Line, edit.Span{}, "")
		}
	}
	return t.write(&b)
}

// Note prints a remark on the whole run.
func (t *Text) Note(text string) error {
	var b strings.Builder
	t.paragraph(&b, "", "    ", []word{{"note:", cyan}}, words("", clean(text)))
	return t.write(&b)
}

// Summary prints the line that ends a report.
func (t *Text) Summary(s Summary) error {
	var b strings.Builder
	t.paragraph(&b, "", "", words("", s.String()))
	return t.write(&b)
}

// finding prints one finding, followed by an empty line. The reason is given
// where explain is set: once for each rule in a file.
func (t *Text) finding(b *strings.Builder, path string, src *source, d lint.Diagnostic, explain bool) {
	line, column := position(src.text, src.lines, d.Start)
	look := severityStyle(d.Severity)
	t.paragraph(b, "", "    ",
		[]word{{fmt.Sprintf("%s:%d:%d:", clean(path), line, column), bold}, {d.Severity.String() + ":", look}},
		words("", clean(d.Message)), words(dim, ruleName(d)))
	t.excerpt(b, src, d.Span, look)
	if explain {
		t.note(b, "why", t.Rules.why(d.Rule))
	}
	for _, e := range d.Evidence {
		t.note(b, "seen", e.What+": "+e.Says)
	}
	if d.Fix != nil && d.Fix.Safety > lint.None {
		t.note(b, "fix", d.Fix.Message+" "+howToFix(d.Fix.Safety))
		t.preview(b, src.text, d.Span, d.Fix.Edits)
		if d.Fix.Doubt != "" {
			t.note(b, "but", "not "+(d.Fix.Safety+1).String()+", for "+d.Fix.Doubt)
		}
	}
	b.WriteByte('\n')
}

// note prints a labelled sentence below the source.
func (t *Text) note(b *strings.Builder, name, text string) {
	if text = clean(text); text == "" {
		return
	}
	first := strings.Repeat(" ", label-2-len(name))
	t.paragraph(b, first, strings.Repeat(" ", label), []word{{name + ":", bold}}, words("", text))
}

// howToFix names a fix's safety and the flag that makes it.
func howToFix(s lint.Safety) string { return fmt.Sprintf("(%s, %s)", s, fixFlag(s)) }

func fixFlag(s lint.Safety) string {
	if s >= lint.Safe {
		return "--fix"
	}
	return "--fix=" + s.String()
}

// why is the first sentence of the rule's reason.
func (r Rules) why(rule string) string {
	found := r[rule]
	if found == nil {
		return ""
	}
	text := strings.Join(strings.Fields(found.Doc.Why), " ")
	for i := range text {
		if text[i] == '.' && (i+1 == len(text) || text[i+1] == ' ' && endsSentence(text[i+2:])) {
			return text[:i+1]
		}
	}
	return text
}

// endsSentence reports whether a new sentence starts with rest; "e.g. this" and
// "and so on. a" don't.
func endsSentence(rest string) bool {
	return rest == "" || rest[0] == '`' || rest[0] == '"' || 'A' <= rest[0] && rest[0] <= 'Z'
}

func severityStyle(s lint.Severity) style {
	switch s {
	case lint.Error:
		return red
	case lint.Warning:
		return yellow
	}
	return cyan
}

func (t *Text) write(b *strings.Builder) error { return write(t.Out, b) }

// ruleName names the rule, and the one check that it makes for several.
func ruleName(d lint.Diagnostic) string {
	if d.Alias == "" || d.Alias == d.Rule {
		return "[" + d.Rule + "]"
	}
	return "[" + d.Rule + " " + d.Alias + "]"
}
