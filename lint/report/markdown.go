package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// Markdown writes findings for a comment, an issue or a job's summary: a table
// for each file that has any.
func Markdown(w io.Writer, files []File, rules Rules) error {
	var b strings.Builder
	var s Summary
	for _, f := range files {
		s.Add(f)
	}
	if len(files) > 0 {
		fmt.Fprintf(&b, "**%s**\n", s)
	}
	for _, f := range files {
		if len(f.Problems)+len(f.Findings) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n", markdownText(f.Path))
		for _, p := range f.Problems {
			where := ""
			if p.Line > 0 {
				where = fmt.Sprintf("line %d: ", p.Line)
			}
			fmt.Fprintf(&b, "- **not checked:** %s%s\n", where, markdownText(p.Message))
		}
		if len(f.Problems) > 0 && len(f.Findings) > 0 {
			b.WriteByte('\n')
		}
		markdownTable(&b, f, rules)
	}
	return write(w, &b)
}

func markdownTable(b *strings.Builder, f File, rules Rules) {
	if len(f.Findings) == 0 {
		return
	}
	b.WriteString("| line | severity | finding | rule | fix |\n| ---: | --- | --- | --- | --- |\n")
	src := newSource(f.Src)
	for _, d := range f.Findings {
		fix := ""
		if d.Fix != nil && d.Fix.Safety > lint.None {
			fix = markdownText(d.Fix.Message) + " (`" + fixFlag(d.Fix.Safety) + "`)"
		}
		fmt.Fprintf(b, "| %d | %s | %s | [%s](%s) | %s |\n",
			src.lines.Line(d.Start), d.Severity, markdownText(d.Message), strings.Trim(ruleName(d), "[]"), rules.URL(d), fix)
	}
}

// markdownMeant is what would be taken for markup in the middle of a line.
var markdownMeant = regexp.MustCompile("[\\\\`*_\\[\\]<>#|~&]")

// markdownText makes text one line that is shown as it stands.
func markdownText(s string) string {
	return markdownMeant.ReplaceAllString(clean(s), `\$0`)
}
