package format

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// mostShown is how many differing paths a proof shows to people.
const mostShown = 10

// figure is one line of a proof's table.
type figure struct{ what, before, after, saved string }

// figures are what was measured of both builds.
func figures(p *report.Proof) (out []figure) {
	bytes := func(what string, before, after int64) {
		f := figure{what, ui.Size(before), ui.Size(after), ui.Size(before - after)}
		if after < before {
			f.saved += " (" + ui.Percent(float64(before-after)/float64(before)) + ")"
		} else if after > before {
			f.saved = "-" + ui.Size(after-before)
		}
		out = append(out, f)
	}
	time := func(what string, before, after float64) {
		f := figure{what, seconds(before), seconds(after), seconds(before - after)}
		if before < after {
			f.saved = "-" + seconds(after-before)
		}
		out = append(out, f)
	}
	bytes("shipped", p.Before.ShippedBytes, p.After.ShippedBytes)
	bytes("dead", p.Before.DeadBytes, p.After.DeadBytes)
	if p.Before.CompressedBytes > 0 {
		bytes("compressed", p.Before.CompressedBytes, p.After.CompressedBytes)
	}
	time("build", p.Before.BuildSeconds, p.After.BuildSeconds)
	if p.Before.RebuildSeconds > 0 {
		time("rebuild", p.Before.RebuildSeconds, p.After.RebuildSeconds)
	}
	return out
}

// measured says what the seconds are of.
func measured(p *report.Proof) string {
	text := "Measured once each: build with no step from the cache and empty cache mounts, but with its base images at hand, until the image is written"
	if p.Edited != "" {
		return text + "; rebuild after an edit of " + p.Edited
	}
	return text + "; no rebuild, for it copies no file of sources from its context"
}

// rebuilt says which steps a rebuild ran.
func rebuilt(b *report.Built) string {
	if len(b.RebuildSteps) == 0 {
		return "nothing"
	}
	var steps []string
	for _, s := range b.RebuildSteps {
		steps = append(steps, ui.Short(ui.Plain(s), 60))
	}
	return strings.Join(steps, "; ")
}

// alike says whether both images are the same.
func alike(p *report.Proof) string {
	text := "The images have the same files and configuration"
	if !p.Equal {
		text = fmt.Sprintf("The images differ in %s and %s", ui.Count(p.Different, "path"), ui.Count(len(p.Config), "field")) + " of the configuration"
	}
	var but []string
	if p.DroppedPaths > 0 {
		but = append(but, fmt.Sprintf("%s (%s) that the repairs leave out", ui.Count(p.DroppedPaths, "path"), ui.Size(p.DroppedBytes)))
	}
	if p.NoisePaths > 0 {
		but = append(but, fmt.Sprintf("%s that any two builds have different", ui.Count(p.NoisePaths, "path")))
	}
	if len(but) == 0 {
		return text
	}
	word := ", but for "
	if !p.Equal {
		word = ", beside "
	}
	return text + word + strings.Join(but, " and ")
}

// byLine are repairs with those of a line together, what saves most first.
func byLine(fixes []report.Fixed) []report.Fixed {
	return slices.SortedStableFunc(slices.Values(fixes), func(a, b report.Fixed) int {
		return cmp.Or(cmp.Compare(b.BeforeBytes-b.AfterBytes, a.BeforeBytes-a.AfterBytes), cmp.Compare(a.Line, b.Line))
	})
}

// proof prints what repairs save.
func (p *printer) proof(r *report.Proof) {
	if len(r.Fixes) == 0 {
		p.line("\n%s", p.paint(green, "Nothing to prove: there is no repair of this kind for "+r.Dockerfile))
		return
	}
	p.line("\n%s", p.paint(bold, fmt.Sprintf("What %s of %s would save, built before and after (driver %s)", ui.Count(len(r.Fixes), "repair"), r.Dockerfile, r.Driver)))
	p.line("%s", p.paint(dim, fmt.Sprintf("%-10s %9s %9s  %s", "", "BEFORE", "AFTER", "SAVED")))
	for _, f := range figures(r) {
		p.line("%-10s %9s %9s  %s", f.what, f.before, f.after, f.saved)
	}
	p.wrapped("", 0, measured(r))
	if r.Edited != "" {
		p.wrapped("  before, it ran: ", 4, rebuilt(r.Before))
		p.wrapped("  after, it ran: ", 4, rebuilt(r.After))
	}
	line := 0
	for _, f := range byLine(r.Fixes) {
		if f.Line != line {
			p.line("  line %d ships %s, and %s when it is repaired", f.Line, ui.Size(f.BeforeBytes), ui.Size(f.AfterBytes))
			line = f.Line
		}
		p.wrapped("    → ", 6, fmt.Sprintf("%s (%s, rule %s)", f.Message, f.Safety, f.Rule))
	}
	color := green
	if !r.Equal {
		color = yellow
	}
	p.wrapped("", 0, p.paint(color, alike(r)))
	for _, c := range r.Differences[:min(mostShown, len(r.Differences))] {
		p.line("%9s  %-8s  /%s", signed(c.Bytes), c.Change, c.Path)
	}
	for _, f := range r.Config {
		p.wrapped("  ", 2, fmt.Sprintf("%s: %s → %s", f.Field, orNone(f.From), orNone(f.To)))
	}
}

// markdownProof is the same for Markdown.
func markdownProof(r *report.Proof) string {
	var b strings.Builder
	if len(r.Fixes) == 0 {
		fmt.Fprintf(&b, "\nNothing to prove: there is no repair of this kind for %s.\n", cell(r.Dockerfile))
		return b.String()
	}
	fmt.Fprintf(&b, "\n#### What %s of %s would save\n\n| | before | after | saved |\n|---|--:|--:|--:|\n", ui.Count(len(r.Fixes), "repair"), cell(r.Dockerfile))
	for _, f := range figures(r) {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.what, f.before, f.after, f.saved)
	}
	fmt.Fprintf(&b, "\n%s.", cell(measured(r)))
	if r.Edited != "" {
		fmt.Fprintf(&b, " Before, it ran: %s. After, it ran: %s.", cell(rebuilt(r.Before)), cell(rebuilt(r.After)))
	}
	b.WriteString("\n\n| line | before | after | fix | rule |\n|--:|--:|--:|---|---|\n")
	for _, f := range byLine(r.Fixes) {
		fmt.Fprintf(&b, "| %d | %s | %s | %s (%s) | %s |\n", f.Line, ui.Size(f.BeforeBytes), ui.Size(f.AfterBytes), cell(f.Message), f.Safety, f.Rule)
	}
	fmt.Fprintf(&b, "\n%s.\n", cell(alike(r)))
	for _, c := range r.Differences[:min(mostShown, len(r.Differences))] {
		fmt.Fprintf(&b, "- %s %s `/%s`\n", signed(c.Bytes), c.Change, c.Path)
	}
	for _, f := range r.Config {
		fmt.Fprintf(&b, "- %s: %s → %s\n", f.Field, cell(orNone(f.From)), cell(orNone(f.To)))
	}
	return b.String()
}
