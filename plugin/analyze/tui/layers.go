package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// layers is the pane of the layers, and of what there is to say of one of them.
type layers struct {
	list
	report    *report.Report
	aggregate bool // show the image as of the layer, not what the layer did
}

// span are the states of the image that the choice compares.
func (l *layers) span() span {
	if !l.aggregate {
		return span{before: l.cursor - 1, after: l.cursor}
	}
	base := 0
	for i, layer := range l.report.Layers {
		if layer.Base {
			base = i
		}
	}
	return span{before: min(base, l.cursor-1), after: l.cursor, all: true}
}

// lines draws the pane: the layers above, the chosen one's details below.
func (l *layers) lines(width, height int, focused bool) []string {
	details := l.details(width)
	above := max(min(len(l.report.Layers), height/2), height-len(details)-1)
	above = min(above, len(l.report.Layers))
	l.move(0, len(l.report.Layers), above)
	var out []string
	for i := l.top; i < l.top+above; i++ {
		out = append(out, l.row(i, width, focused))
	}
	out = append(out, line(width, ""))
	return fill(append(out, details...), width, height)
}

func (l *layers) row(i, width int, focused bool) string {
	layer := l.report.Layers[i]
	dead := "-"
	if layer.DeadBytes > 0 {
		dead = ui.Size(layer.DeadBytes)
	}
	over, style, mark := "", plain, " "
	switch {
	case i == l.cursor && focused:
		over, mark = reverse, "▌"
	case i == l.cursor:
		style, mark = bold, "▌"
	case layer.Base:
		style = dim
	}
	return line(width, over, cell{style, fmt.Sprintf("%s%2d %7s ", mark, layer.Index, ui.Size(layer.Bytes))},
		cell{yellow, fmt.Sprintf("%7s  ", dead)}, cell{style, ui.Plain(cmp.Or(layer.Instruction, layer.DiffID))})
}

// detailLines are the most that an instruction takes.
const detailLines = 4

// details says of the chosen layer where it comes from, what it costs and what
// there is to do.
func (l *layers) details(width int) []string {
	if l.cursor >= len(l.report.Layers) {
		return []string{line(width, "", cell{dim, " an image without layers"})}
	}
	layer := l.report.Layers[l.cursor]
	where := fmt.Sprintf(" Layer %d", layer.Index)
	if layer.Line > 0 {
		where += fmt.Sprintf(", %s:%d", layer.File, layer.Line)
	}
	if layer.Base {
		where += ", of the base image"
	}
	out := []string{line(width, "", cell{bold, where})}
	text := ui.Wrap(ui.Plain(strings.Join(strings.Fields(layer.Instruction), " ")), width-2)
	if len(text) > detailLines {
		text = append(text[:detailLines-1], text[detailLines-1]+" …")
	}
	for _, t := range text {
		out = append(out, line(width, "", cell{plain, " " + t}))
	}
	out = append(out, line(width, ""))
	for _, c := range []struct {
		what, style string
		bytes       int64
	}{{"shipped", plain, layer.Bytes}, {"of it dead", yellow, layer.DeadBytes}, {"buried below", plain, layer.BuriedBytes}} {
		if c.bytes > 0 {
			out = append(out, line(width, "", cell{c.style, fmt.Sprintf(" %8s %s", ui.Size(c.bytes), c.what)}))
		}
	}
	return append(out, l.findings(layer.Index, width)...)
}

// findings are those of a layer, the most bytes first.
func (l *layers) findings(layer, width int) (out []string) {
	list := slices.DeleteFunc(slices.Clone(l.report.Findings), func(f report.Finding) bool { return f.Layer != layer })
	slices.SortStableFunc(list, func(a, b report.Finding) int { return cmp.Compare(b.Bytes, a.Bytes) })
	for _, f := range list {
		out = append(out, line(width, ""))
		style := yellow
		if f.Severity == report.Severe {
			style = red
		}
		for i, t := range ui.Wrap(f.Message, width-4) {
			lead := "   "
			if i == 0 {
				lead = " ! "
			}
			out = append(out, line(width, "", cell{style, lead}, cell{plain, t}))
		}
		for _, t := range ui.Wrap("→ "+f.Remedy, width-4) {
			out = append(out, line(width, "", cell{dim, "   " + t}))
		}
	}
	return out
}
