// Package format prints reports. One file is one format.
package format

import (
	"fmt"
	"io"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// Details are what the text says beside the summary.
type Details struct {
	Findings bool // all of them, with their paths
	Secrets  bool // these alone, of all findings
	Layers   bool // with digests, and what comes again when they change
	Files    bool // the paths are the largest files
	Packages bool
}

// top is how many findings the summary shows.
const top = 5

// barWidth is how many columns the largest layer's bar takes.
const barWidth = 16

// ANSI colours.
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
)

// Text prints a report for people. Its summary fits one screen.
func Text(out ui.Output, r *report.Report, d Details) error {
	p := &printer{out: out, width: out.Width, color: out.Color}
	if p.width == 0 {
		p.width = 120
	}
	p.head(r)
	p.layers(r)
	if d.Secrets {
		p.secrets(r)
	} else {
		p.findings(r, d.Findings)
	}
	if d.Layers {
		p.details(r)
	}
	if d.Packages {
		p.packages(r)
	}
	if r.Paths != nil {
		title := ui.Count(len(r.Paths), "matching path")
		if d.Files {
			title = "The largest files"
		}
		p.paths(r, title)
	}
	if r.Comparison != nil {
		p.comparison(r.Comparison)
	}
	p.gates(r)
	if r.Proof != nil {
		p.proof(r.Proof)
	}
	_, err := io.WriteString(out, p.text.String())
	return err
}

type printer struct {
	out   io.Writer
	text  strings.Builder
	width int
	color bool
}

func (p *printer) line(format string, args ...any) {
	p.text.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

func (p *printer) paint(style, text string) string {
	if !p.color || text == "" {
		return text
	}
	return style + text + "\x1b[0m"
}

func (p *printer) head(r *report.Report) {
	t := r.Totals
	p.line("%s  %s", p.paint(bold, r.Image.Source), r.Image.Platform)
	dead := ui.Size(t.DeadBytes) + " dead"
	if t.DeadBytes > 0 {
		dead = p.paint(yellow, dead)
	}
	p.line("%s shipped, %s live, %s, %s efficient", ui.Size(t.ShippedBytes), ui.Size(t.LiveBytes), dead, ui.Percent(t.Efficiency))
	pull := fmt.Sprintf("%s to pull", ui.Size(r.Pull.Bytes))
	if t.CompressedBytes == 0 {
		pull += " (uncompressed; a registry would have less)"
	}
	if r.Pull.From != "" {
		pull += fmt.Sprintf(" in %s that %s lacks", ui.Count(r.Pull.Layers, "layer"), r.Pull.From)
	}
	var times []string
	for _, time := range r.Pull.Times {
		times = append(times, fmt.Sprintf("%s at %d Mbit/s", seconds(time.Seconds), time.MegabitsPerSecond))
	}
	p.line("%s: about %s", pull, strings.Join(times, ", "))
	if app := r.Pull.App; app != nil {
		p.line("%s to pull again when a file changes that %s copies", ui.Size(app.Bytes), where(r.Layers[app.Layer]))
	}
	if !r.Image.Contents {
		p.line("Files weren't looked into: packages, secrets and duplicates aren't known")
	}
	p.line("")
}

// seconds is a time with two digits.
func seconds(s float64) string {
	switch {
	case s < 10:
		return fmt.Sprintf("%.1fs", s)
	case s < 100:
		return fmt.Sprintf("%.0fs", s)
	}
	return fmt.Sprintf("%.0fmin", s/60)
}

// layers prints a bar for each layer: what is live of it, and what is dead.
func (p *printer) layers(r *report.Report) {
	var largest int64 = 1
	for _, l := range r.Layers {
		largest = max(largest, l.Bytes)
	}
	p.line("%s", p.paint(dim, fmt.Sprintf("%3s %8s %8s  %-*s  %s", "#", "BYTES", "DEAD", barWidth, "LIVE █ DEAD ░", "INSTRUCTION")))
	for _, l := range r.Layers {
		total := int((l.Bytes*barWidth + largest - 1) / largest)
		dead := int((l.DeadBytes*barWidth + largest/2) / largest)
		dead = min(dead, total)
		bar := strings.Repeat("█", total-dead) + p.paint(yellow, strings.Repeat("░", dead)) + strings.Repeat(" ", barWidth-total)
		text := l.Instruction
		if text == "" {
			text = l.DiffID
		}
		if l.Line > 0 {
			text = fmt.Sprintf("%s:%d %s", l.File, l.Line, text)
		}
		const before = 3 + 1 + 8 + 1 + 8 + 2 + barWidth + 2
		text = ui.Fit(text, max(20, p.width-before))
		if l.Base {
			text = p.paint(dim, text)
		}
		p.line("%3d %8s %8s  %s  %s", l.Index, ui.Size(l.Bytes), orDash(l.DeadBytes), bar, text)
	}
	if n := r.Totals.BaseBytes; n > 0 {
		text := fmt.Sprintf("    %8s of it are the base image's", ui.Size(n))
		if r.Image.Base != "" {
			text += ", " + r.Image.Base
		}
		p.line("%s", p.paint(dim, text))
	}
	p.line("")
}

func orDash(n int64) string {
	if n == 0 {
		return "-"
	}
	return ui.Size(n)
}

// where names a layer by its line, or else by its number.
func where(l report.Layer) string {
	if l.Line > 0 {
		return fmt.Sprintf("%s:%d", l.File, l.Line)
	}
	return fmt.Sprintf("layer %d", l.Index)
}

func (p *printer) findings(r *report.Report, all bool) {
	list := r.Findings
	if len(list) == 0 {
		p.line("%s", p.paint(green, "nothing to complain of"))
		return
	}
	title := ui.Count(len(list), "finding")
	if !all && len(list) > top {
		list = worth(list)
		title += fmt.Sprintf("; the %d worth most, and --findings shows all", top)
	}
	p.line("%s", p.paint(bold, title))
	for _, f := range list {
		p.finding(f, all)
	}
}

// finding prints one, with its paths where they are asked for.
func (p *printer) finding(f report.Finding, paths bool) {
	what := ui.Size(f.Bytes)
	if f.Bytes == 0 || f.Severity == report.Severe {
		what = f.Severity
	}
	color := map[string]string{report.Severe: red, report.Warning: yellow, report.Info: dim}[f.Severity]
	p.wrapped(p.paint(color, fmt.Sprintf("%8s", what))+"  ", 10, f.Message)
	remedy := f.Remedy
	if f.Rule != "" {
		remedy += " (rule " + f.Rule + ")"
	}
	p.wrapped("          → ", 12, remedy)
	if !paths {
		return
	}
	for _, path := range f.Paths {
		p.line("            /%s", strings.TrimPrefix(path, "/"))
	}
	if more := f.Files - len(f.Paths); more > 0 {
		p.line("            and %d more", more)
	}
}

// worth are the findings that a summary shows: errors, then by bytes.
func worth(list []report.Finding) []report.Finding { return list[:top] }

// wrapped prints a text behind its lead, which takes so many columns, as does
// the space in front of all other lines.
func (p *printer) wrapped(lead string, indent int, text string) {
	out, column := lead, indent
	for i, word := range strings.Fields(text) {
		width := uniseg.StringWidth(word)
		if i > 0 && column+1+width > p.width {
			p.line("%s", out)
			out, column = strings.Repeat(" ", indent), indent
		} else if i > 0 {
			out, column = out+" ", column+1
		}
		out, column = out+word, column+width
	}
	p.line("%s", out)
}

func (p *printer) packages(r *report.Report) {
	p.line("\n%s", p.paint(bold, ui.Count(len(r.Packages), "package")+", by the layer that brought them"))
	for _, g := range r.Packages {
		p.line("%3d %8s  %-5s %s %s", g.Layer, orDash(g.Bytes), g.Type, g.Name, p.paint(dim, g.Version))
	}
}

func (p *printer) paths(r *report.Report, title string) {
	p.line("\n%s", p.paint(bold, title))
	for _, e := range r.Paths {
		state := e.State
		if e.BuriedBy >= 0 {
			state = p.paint(yellow, fmt.Sprintf("%s by layer %d", e.State, e.BuriedBy))
		}
		p.line("%3d %8s  /%s  %s", e.Layer, orDash(e.Bytes), e.Path, state)
	}
}

func (p *printer) comparison(c *report.Comparison) {
	p.line("\n%s", p.paint(bold, "Compared with "+c.With))
	if c.Equal {
		p.line("%s", p.paint(green, "the same files, and the same configuration"))
		return
	}
	p.line("%s shipped, %s live; %s added, %d removed, %d changed", signed(c.ShippedBytes), signed(c.LiveBytes), ui.Count(c.Added, "path"), c.Removed, c.Changed)
	for _, path := range c.Paths[:min(2*top, len(c.Paths))] {
		p.line("%9s  %-8s  /%s", signed(path.Bytes), path.Change, path.Path)
	}
	for _, g := range c.Packages {
		p.line("  package %s %s: %s → %s", g.Type, g.Name, orNone(g.From), orNone(g.To))
	}
	for _, name := range c.Setuid {
		p.line("  %s", p.paint(yellow, "setuid or setgid now: /"+name))
	}
	for _, f := range c.Config {
		p.wrapped("  ", 2, fmt.Sprintf("%s: %s → %s", f.Field, orNone(f.From), orNone(f.To)))
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func signed(n int64) string {
	if n < 0 {
		return "-" + ui.Size(-n)
	}
	return "+" + ui.Size(n)
}

func (p *printer) gates(r *report.Report) {
	for _, g := range r.Gates {
		if g.Passed {
			p.line("%s %s: %s", p.paint(green, "met"), g, g.Value)
		} else {
			p.line("%s %s: %s", p.paint(red, "not met"), g, g.Value)
		}
	}
}
