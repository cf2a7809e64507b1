// Package tui shows a report and the files of its layers in a terminal, to walk
// through with keys that users of dive know.
//
// The model is pure: messages in, a screen of text out. change.go says what a
// layer did to each path, layers.go and files.go are the two panes, keys.go what
// keys do. Only Show touches the terminal.
package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/rivo/uniseg"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/analyze/tree"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// Check is an error where there is no terminal to show anything on.
func Check() error {
	in, out, err := tea.OpenTTY()
	if err != nil {
		return fmt.Errorf("--tui needs a terminal to read keys from and to draw on: leave it away, or use --format html (%w)", err)
	}
	return release(in, out)
}

// Show lets the user walk through a report and the tree of its image's paths,
// until they quit or the context is done. It uses the terminal that the process
// belongs to: standard input may be the image.
func Show(ctx context.Context, r *report.Report, root *tree.Node) (err error) {
	in, out, err := tea.OpenTTY()
	if err != nil {
		return fmt.Errorf("open the terminal: %w", err)
	}
	defer func() { err = errors.Join(err, release(in, out)) }()
	program := tea.NewProgram(newModel(r, root), tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out))
	if _, err := program.Run(); err != nil {
		return fmt.Errorf("show the report in the terminal: %w", err)
	}
	return nil
}

// release closes what was opened of the terminal: on Unix in and out are one.
func release(in, out *os.File) error {
	err := in.Close()
	if out != in {
		err = errors.Join(err, out.Close())
	}
	return err
}

// model is all that is on the screen.
type model struct {
	root          *tree.Node
	layers        layers
	files         files
	width, height int // of the terminal

	inFiles bool // which pane has the keys
	typing  bool // the filter
	help    bool
}

// newModel starts at the highest layer that ships anything.
func newModel(r *report.Report, root *tree.Node) *model {
	m := &model{root: root, layers: layers{report: r}, files: files{folds: map[*tree.Node]bool{}}}
	for i, l := range r.Layers {
		if l.Bytes > 0 {
			m.layers.cursor = i
		}
	}
	m.choose()
	return m
}

// choose shows the files of the chosen layer.
func (m *model) choose() {
	m.files.root = m.layers.span().compare(m.root)
	m.files.show(m.body())
}

// Init has nothing to wait for.
func (m *model) Init() tea.Cmd { return nil }

// Update takes keys, the wheel, and the terminal's size.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.files.attrs = m.files.attrs || msg.Width >= wide
		m.files.show(m.body())
	case tea.KeyPressMsg:
		return m, m.key(msg)
	}
	return m, nil
}

// wide is the number of columns from which modes and owners are shown unasked.
const wide = 140

// View draws the screen.
func (m *model) View() tea.View {
	v := tea.NewView(m.screen())
	v.AltScreen = true
	v.WindowTitle = "imgmgr " + m.layers.report.Image.Source
	return v
}

// body is the height of the panes: the screen without head, titles and foot.
func (m *model) body() int { return max(1, m.height-4) }

// screen is the text of the whole screen.
func (m *model) screen() string {
	if m.width == 0 {
		return ""
	}
	lines := []string{m.head()}
	if m.help {
		lines = append(lines, m.helpLines()...)
	} else {
		lines = append(lines, m.panes()...)
	}
	return strings.Join(append(lines, m.foot()), "\n")
}

func (m *model) head() string {
	r := m.layers.report
	numbers := fmt.Sprintf("%s shipped  %s dead  %s efficient ", ui.Size(r.Totals.ShippedBytes), ui.Size(r.Totals.DeadBytes), ui.Percent(r.Totals.Efficiency))
	room := m.width - len(numbers) - 2
	name := ui.Plain(r.Image.Source)
	if full := name + "  " + r.Image.Platform; uniseg.StringWidth(full) <= room {
		name = full
	}
	name = " " + ui.Fit(name, room)
	return line(m.width, reverse, cell{bold, line(m.width-len(numbers), "", cell{plain, name})}, cell{plain, numbers})
}

func (m *model) panes() []string {
	left := min(max(m.width*2/5, 30), 70)
	right := max(0, m.width-left-1)
	height := m.body()
	mode := "what the layer changed"
	if m.layers.aggregate {
		mode = "all since the base image"
	}
	a := append([]string{title(left, "Layers", !m.inFiles), line(left, "", cell{dim, fmt.Sprintf("%3s %7s %7s  %s", "#", "BYTES", "DEAD", "INSTRUCTION")})},
		m.layers.lines(left, height, !m.inFiles)...)
	b := append([]string{title(right, "Files: "+mode, m.inFiles), m.columns(right)}, m.files.lines(right, height, m.inFiles)...)
	for i := range a {
		a[i] += dim + "│" + reset + b[i]
	}
	return a[:max(0, min(len(a), m.height-2))]
}

// title is a pane's first line; the one that has the keys stands out.
func title(width int, text string, focused bool) string {
	style, rule := dim, "─"
	if focused {
		style, rule = bold, "━"
	}
	text = rule + " " + text + " "
	return line(width, "", cell{style, text + strings.Repeat(rule, max(0, width-len([]rune(text))))})
}

// columns says what the columns of the files are, and which filters hold.
func (m *model) columns(width int) string {
	f := &m.files
	text := "  "
	if f.attrs {
		text += fmt.Sprintf("%-19s ", "MODE UID:GID")
	}
	order := "PATH (by bytes)"
	if f.byName {
		order = "PATH (by name)"
	}
	text += fmt.Sprintf("%6s  %s", "BYTES", order)
	var off []string
	for i, name := range [changes]string{"unmodified", "added", "modified", "removed"} {
		if f.hidden[i] {
			off = append(off, name)
		}
	}
	note := ""
	if len(off) > 0 {
		note = "  without " + strings.Join(off, ", ")
	}
	if f.dead {
		note += "  only dead"
	}
	return line(width, "", cell{dim, text}, cell{yellow, note})
}

// foot is the filter, or the keys that matter most here.
func (m *model) foot() string {
	switch {
	case m.typing:
		return line(m.width, "", cell{bold, " Filter: "}, cell{plain, m.files.pattern + "█"}, cell{dim, "  Enter: done  Esc: all paths"})
	case m.help:
		return line(m.width, "", cell{dim, " Any key goes back"})
	case m.files.pattern != "":
		return line(m.width, "", cell{yellow, " Filter: " + m.files.pattern}, cell{dim, "  Esc: all paths  ? help  q quit"})
	case m.inFiles:
		return line(m.width, "", cell{dim, " Tab layers  Space fold  / filter  ^A +  ^M ~  ^R -  ^U unmodified  x dead  ? help"})
	}
	return line(m.width, "", cell{dim, " Tab files  ^A all since the base  ^L the layer alone  / filter  ? help  q quit"})
}

func (m *model) helpLines() []string {
	out := []string{line(m.width, "")}
	for _, h := range help {
		out = append(out, line(m.width, "", cell{bold, fmt.Sprintf("  %-14s", h[0])}, cell{plain, h[1]}))
	}
	return fill(out, m.width, m.height-2)
}
