package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/ui"
)

func writeMarkdown(out io.Writer, r *Report) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "# Images of %s\n\n%s.\n", cell(r.Registry), r.summary())
	for _, g := range r.groups() {
		fmt.Fprintf(w, "\n| %s | images | tags | size | of its own | newest |\n|---|--:|--:|--:|--:|---|\n", g.title)
		for _, t := range g.totals {
			fmt.Fprintf(w, "| %s | %d | %d | %s | %s | %s |\n", cell(t.Name), t.Images, t.Tags, ui.Size(t.Size), ui.Size(t.Own), day(t.Newest))
		}
	}
	fmt.Fprintf(w, "\n| largest images | size | created |\n|---|--:|---|\n")
	for _, img := range r.Images[:min(len(r.Images), topImages)] {
		fmt.Fprintf(w, "| `%s` | %s | %s |\n", cell(r.short(img.Tag)), ui.Size(img.Size), day(img.Created))
	}
	for _, problem := range r.Incomplete {
		fmt.Fprintf(w, "\nNot read to its end: %s\n", cell(problem))
	}
	return w.Flush()
}

// cell keeps text within its cell, and from being read as markup.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "`", "'").Replace(ui.Plain(s))
}
