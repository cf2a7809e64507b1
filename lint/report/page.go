package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// Page is the documentation of a rule, in Markdown.
func Page(r *lint.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n**%s.**\n\n", r.Name, Prose(r.Doc.Title))
	fmt.Fprintf(&b, "Severity: %s. Profile: %s.", r.Severity, r.Profile)
	if fix := FixNote(r.Safety); fix != "" {
		fmt.Fprintf(&b, " Fix: %s", fix)
	}
	if len(r.Aliases) > 0 {
		fmt.Fprintf(&b, " Also known as %s.", strings.Join(r.Aliases, ", "))
	}
	fmt.Fprintf(&b, "\n\n%s\n", Prose(strings.TrimSpace(r.Doc.Why)))
	pageExample(&b, "Instead of", r.Doc.Bad)
	pageExample(&b, "write", r.Doc.Good)
	fmt.Fprintf(&b, "\n## Ignore it\n\nPut this comment above the instruction:\n\n%s", CodeBlock("dockerfile", IgnoreComment(r)+"\n"))
	return b.String()
}

// pageExample shows a Dockerfile with the names of the files that it is judged
// by.
func pageExample(b *strings.Builder, heading string, e lint.Example) {
	if e.Dockerfile == "" {
		return
	}
	fmt.Fprintf(b, "\n%s\n\n%s", heading, CodeBlock("dockerfile", e.Dockerfile))
	if e.Config != "" {
		fmt.Fprintf(b, "\nwith this `.imgmgr.yaml`:\n\n%s", CodeBlock("yaml", e.Config))
	}
	if len(e.Files) > 0 {
		var names []string
		for name := range e.Files {
			names = append(names, "`"+name+"`")
		}
		for name, size := range e.Sizes {
			names = append(names, fmt.Sprintf("`%s` (%.1f MB)", name, float64(size)/1e6))
		}
		slices.Sort(names)
		fmt.Fprintf(b, "\nwith %s in the build context.\n", strings.Join(names, ", "))
	}
}

// CodeBlock is a code block of Markdown whose fence the code doesn't contain.
func CodeBlock(language, code string) string {
	fence := "```"
	for strings.Contains(code, fence) {
		fence += "`"
	}
	return fence + language + "\n" + strings.TrimRight(code, "\n") + "\n" + fence + "\n"
}

// Prose keeps Markdown from reading prose as markup, except for code spans.
func Prose(text string) string {
	parts := strings.Split(text, "`")
	for i := range parts {
		if i%2 == 0 {
			parts[i] = strings.NewReplacer("<", "&lt;", "*", `\*`, "_", `\_`).Replace(parts[i])
		}
	}
	return strings.Join(parts, "`")
}
