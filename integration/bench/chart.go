//go:build linux

package main

import (
	"fmt"
	"html"
	"slices"
	"strings"
)

// The chart's measures, in its own units.
const (
	chartWidth = 860
	barLeft    = 20
	barRight   = 700 // where the longest bar ends
	barHeight  = 13
	blockSpace = 76 // from one project to the next
	headSpace  = 84
)

// chart is docs/rebuild.svg: seconds of a rebuild after a source edit, three
// bars for each project. It is readable on light and on dark pages.
func chart(about about, s summary) string {
	var t table
	for _, one := range s.tables {
		if one.scenario == source {
			t = one
		}
	}
	rows := slices.DeleteFunc(slices.Clone(t.rows), func(r row) bool { return r.Control })
	slices.SortStableFunc(rows, func(a, b row) int {
		return int(1000 * (b.arms[armUpstream].Wall - a.arms[armUpstream].Wall))
	})
	longest := 1e-9
	for _, r := range rows {
		for _, arm := range []string{armUpstream, armExpert, armOurs} {
			longest = max(longest, r.arms[arm].Wall)
		}
	}
	var b strings.Builder
	height := headSpace + blockSpace*len(rows) + 8
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Seconds of a rebuild after a source edit\">\n", chartWidth, height)
	b.WriteString(chartStyle)
	fmt.Fprintf(&b, "<text class=\"title\" x=\"%d\" y=\"28\">Rebuild after a source edit: same Dockerfile, one line more</text>\n", barLeft)
	fmt.Fprintf(&b, "<text class=\"note\" x=\"%d\" y=\"48\">wall seconds, median; BuildKit %s, %d cores, %s</text>\n", barLeft, html.EscapeString(about.buildkit), about.cores, about.date.UTC().Format("January 2006"))
	legend(&b)
	for i, r := range rows {
		block(&b, r, headSpace+blockSpace*i, longest)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

const chartStyle = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 }
.note { font-size: 12px; fill: #59636e }
.gain { font-weight: 600 }
.upstream { fill: #afb8c1 }
.expert { fill: #8ac8a8 }
.imgmgr { fill: #0969da }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.note { fill: #9198a1 }
.upstream { fill: #59636e }
.expert { fill: #2f7d57 }
.imgmgr { fill: #4493f8 }
}
</style>
`

func legend(b *strings.Builder) {
	x := barLeft
	for _, entry := range []struct{ class, text string }{
		{"upstream", "BuildKit's own frontend"}, {"expert", "an expert's Dockerfile"}, {"imgmgr", "imgmgr, Dockerfile unchanged"},
	} {
		fmt.Fprintf(b, "<rect class=\"%s\" x=\"%d\" y=\"59\" width=\"11\" height=\"11\" rx=\"2\"/><text class=\"note\" x=\"%d\" y=\"69\">%s</text>\n",
			entry.class, x, x+16, html.EscapeString(entry.text))
		x += 190
	}
}

// block draws one project.
func block(b *strings.Builder, r row, y int, longest float64) {
	title := strings.ReplaceAll(r.Title, "`", "")
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\">%s</text>\n", barLeft, y+12, html.EscapeString(title))
	plain, ours := r.arms[armUpstream].Wall, r.arms[armOurs].Wall
	for i, bar := range []struct {
		class string
		wall  float64
	}{{"upstream", plain}, {"expert", r.arms[armExpert].Wall}, {"imgmgr", ours}} {
		top := y + 19 + i*(barHeight+3)
		width := max(2, (barRight-barLeft)*bar.wall/longest)
		fmt.Fprintf(b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>", bar.class, barLeft, top, width, barHeight)
		label := fmt.Sprintf("%.1f s", bar.wall)
		class := "note"
		if bar.class == "imgmgr" && ours > 0 {
			label += fmt.Sprintf("  %.1fx", plain/ours)
			class = "gain"
		}
		fmt.Fprintf(b, "<text class=\"%s\" x=\"%.1f\" y=\"%d\">%s</text>\n", class, barLeft+width+6, top+11, label)
	}
}
