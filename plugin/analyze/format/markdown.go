package format

import (
	"fmt"
	"io"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// Markdown prints a report for a pull request or a job's summary.
func Markdown(out io.Writer, r *report.Report) error {
	var b strings.Builder
	t := r.Totals
	fmt.Fprintf(&b, "### %s (%s)\n\n", cell(r.Image.Source), r.Image.Platform)
	fmt.Fprintf(&b, "| shipped | live | dead | efficiency | to pull | layers |\n|--:|--:|--:|--:|--:|--:|\n| %s | %s | %s | %s | %s | %d |\n\n",
		ui.Size(t.ShippedBytes), ui.Size(t.LiveBytes), ui.Size(t.DeadBytes), ui.Percent(t.Efficiency), ui.Size(r.Pull.Bytes), len(r.Layers))
	if app := r.Pull.App; app != nil {
		fmt.Fprintf(&b, "%s to pull again when a file changes that %s copies\n\n", ui.Size(app.Bytes), cell(where(r.Layers[app.Layer])))
	}
	for _, g := range r.Gates {
		verdict := "met"
		if !g.Passed {
			verdict = "**not met**"
		}
		fmt.Fprintf(&b, "- `%s`: %s (%s)\n", g, verdict, g.Value)
	}
	if c := r.Comparison; c != nil {
		fmt.Fprintf(&b, "- compared with %s: %s shipped, %s live; %s added, %d removed, %d changed; %s\n",
			cell(c.With), signed(c.ShippedBytes), signed(c.LiveBytes), ui.Count(c.Added, "path"), c.Removed, c.Changed, ui.Count(len(c.Packages), "package change"))
	}
	fmt.Fprintf(&b, "\n| | finding | remedy |\n|--:|---|---|\n")
	for _, f := range r.Findings {
		what := f.Severity
		if f.Bytes > 0 && f.Severity != report.Severe {
			what = ui.Size(f.Bytes)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", what, cell(f.Message), cell(f.Remedy))
	}
	fmt.Fprintf(&b, "\n<details><summary>Layers</summary>\n\n| # | bytes | dead | instruction |\n|--:|--:|--:|---|\n")
	for _, l := range r.Layers {
		fmt.Fprintf(&b, "| %d | %s | %s | %s |\n", l.Index, ui.Size(l.Bytes), orDash(l.DeadBytes), cell(ui.Short(l.Instruction, 100)))
	}
	b.WriteString("\n</details>\n")
	if r.Proof != nil {
		b.WriteString(markdownProof(r.Proof))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// cell keeps a text from being read as Markdown or HTML.
var cell = strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", ">", "&gt;", "&", "&amp;", "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`).Replace
