package report

import (
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// Explain prints all that is to know of a rule.
func (t *Text) Explain(rule *lint.Rule) error {
	var b strings.Builder
	t.paragraph(&b, "", "", words(bold, rule.Name), words(severityStyle(rule.Severity), "("+rule.Severity.String()+")"))
	t.paragraph(&b, "", "", words("", rule.Doc.Title+"."))
	for paragraph := range strings.SplitSeq(rule.Doc.Why, "\n\n") {
		if strings.TrimSpace(paragraph) == "" {
			continue
		}
		b.WriteByte('\n')
		t.paragraph(&b, "", "", words("", paragraph))
	}
	t.example(&b, "Instead of", rule.Doc.Bad.Dockerfile)
	t.example(&b, "write", rule.Doc.Good.Dockerfile)
	b.WriteByte('\n')
	if fix := FixNote(rule.Safety); fix != "" {
		t.paragraph(&b, "", "", words(bold, "Fix:"), words("", fix))
	}
	if len(rule.Aliases) > 0 {
		t.paragraph(&b, "", "", words(bold, "Also known as:"), words("", strings.Join(rule.Aliases, ", ")))
	}
	t.paragraph(&b, "", "", words(bold, "Ignore it:"), words("", "put this comment above the instruction:"), []word{{IgnoreComment(rule), ""}})
	t.paragraph(&b, "", "", words(bold, "More:"), words("", RuleURL(rule.Name)))
	return t.write(&b)
}

// example prints a Dockerfile, indented, below its heading.
func (t *Text) example(b *strings.Builder, heading, dockerfile string) {
	if dockerfile == "" {
		return
	}
	b.WriteString("\n" + t.paint(bold, heading) + "\n\n")
	for line := range strings.Lines(dockerfile) {
		b.WriteString(strings.TrimRight("    "+layout(strings.TrimRight(line, "\r\n")).String(), " ") + "\n")
	}
}

// FixNote says what a rule's fixes may be trusted with, in one sentence; it is
// empty for a rule without.
func FixNote(s lint.Safety) string {
	switch s {
	case lint.BuildSafe:
		return "build-safe where it can be proven that the image stays the same; the frontend then makes it in the build, and --fix writes it."
	case lint.Safe:
		return "safe; --fix writes it."
	case lint.Unsafe:
		return "may change what the image does; --fix=unsafe writes it."
	}
	return ""
}

// IgnoreComment is the comment that keeps a rule quiet for one instruction.
func IgnoreComment(rule *lint.Rule) string {
	return "# imgmgr ignore=" + rule.Name + " # reason"
}

// List prints one line for each rule: its name, severity, the most that its
// fixes are trusted with, and its title.
func (t *Text) List(rules []*lint.Rule) error {
	widest := 0
	for _, r := range rules {
		widest = max(widest, len(r.Name))
	}
	var b strings.Builder
	for _, r := range rules {
		fix := "no fix"
		if r.Safety > lint.None {
			fix = r.Safety.String()
		}
		columns := fmt.Sprintf("%-*s  %-7s  %-10s  ", widest, r.Name, r.Severity, fix)
		title, _, _ := layout(r.Doc.Title).crop(t.room(len(columns)), 0, 1)
		b.WriteString(t.paint(bold, columns[:widest]) + t.paint(severityStyle(r.Severity), columns[widest:widest+9]) + columns[widest+9:] + title + "\n")
	}
	return t.write(&b)
}
