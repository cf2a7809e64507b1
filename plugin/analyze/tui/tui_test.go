package tui

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/rivo/uniseg"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/analyze/tree"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// model of an image: a base, a layer that adds and changes, and one that removes.
func testModel(t *testing.T) *model {
	t.Helper()
	layers := []*image.Layer{
		{Table: image.Table{Files: []image.File{
			{Path: "etc", Type: image.Dir}, {Path: "etc/config", Size: 10}, {Path: "usr/bin/tool", Size: 5000}}}},
		{Table: image.Table{Files: []image.File{
			{Path: "etc", Type: image.Dir}, {Path: "etc/config", Size: 20}, {Path: "var/cache/a", Size: 700}, {Path: "var/cache/b", Size: 300}, {Path: "app/run", Size: 60}}}},
		{Table: image.Table{Files: []image.File{
			{Path: "var/cache", Type: image.Opaque}, {Path: "app", Type: image.Symlink, Link: "srv"}, {Path: "etc/config", Type: image.Whiteout}}}},
	}
	r := &report.Report{Image: report.Image{Source: "archive:app.tar", Platform: "linux/amd64"}}
	for i, l := range layers {
		var bytes int64
		for _, f := range l.Files {
			bytes += f.Size
		}
		r.Layers = append(r.Layers, report.Layer{Index: i, Instruction: fmt.Sprintf("RUN step %d", i), Base: i == 0, Bytes: bytes})
	}
	r.Findings = []report.Finding{{Layer: 1, Message: "caches are left", Remedy: "mount them"}}
	m := newModel(r, tree.Of(layers, image.Stack(layers)))
	m.Update(tea.WindowSizeMsg{Width: 100, Height: 24})
	return m
}

// keys of messages, by the names that users read.
var named = map[string]tea.KeyPressMsg{
	"tab": {Code: tea.KeyTab}, "up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "left": {Code: tea.KeyLeft}, "end": {Code: tea.KeyEnd},
	"space": {Code: tea.KeySpace, Text: " "}, "enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "all": {Code: tea.KeySpace, Mod: tea.ModCtrl},
}

func press(m *model, keys ...string) (quit bool) {
	for _, k := range keys {
		msg, ok := named[k]
		switch {
		case ok:
		case strings.HasPrefix(k, "^"):
			msg = tea.KeyPressMsg{Code: rune(k[1]), Mod: tea.ModCtrl}
		default:
			msg = tea.KeyPressMsg{Code: rune(k[0]), Text: k}
		}
		_, cmd := m.Update(msg)
		quit = cmd != nil
	}
	return quit
}

// tree is what the file pane shows, a row a line: change, bytes, depth, name.
func (f *files) String() string {
	var out []string
	for _, r := range f.rows {
		out = append(out, fmt.Sprintf("%s%d %s%s", marks[r.change], r.bytes, strings.Repeat("  ", r.depth), strings.TrimSpace(r.label())))
	}
	return strings.Join(out, "\n")
}

func TestKeys(t *testing.T) {
	const layer1 = " 5000 ▸ usr/\n+1000 ▸ var/\n+60 ▸ app/\n~20 ▸ etc/"
	for _, c := range []struct {
		what string
		keys []string
		want string
	}{
		{"the highest layer that ships anything", nil, layer1},
		{"open a folder", []string{"tab", "down", "space"}, " 5000 ▸ usr/\n+1000 ▾ var/\n+1000   ▸ cache/\n+60 ▸ app/\n~20 ▸ etc/"},
		{"left leads out and closes", []string{"tab", "down", "space", "down", "left", "left"}, layer1},
		{"without what is as it was", []string{"tab", "^u"}, "+1000 ▸ var/\n+60 ▸ app/\n~20 ▸ etc/"},
		{"without what was added", []string{"tab", "^a", "^u", "all"}, "~20 ▾ etc/\n~20   config"},
		{"without what was modified", []string{"tab", "enter", "^u"}, "+1000 ▸ var/\n+60 ▸ app/"},
		{"by name", []string{"tab", "^o"}, "+60 ▸ app/\n~20 ▸ etc/\n 5000 ▸ usr/\n+1000 ▸ var/"},
		{"only the dead", []string{"tab", "x", "all"}, "+1000 ▾ var/\n+1000   ▾ cache/\n+700     a\n+300     b\n+60 ▾ app/\n+60   run\n~20 ▾ etc/\n~20   config"},
		{"a filter opens what it finds", []string{"^f", "C", "A", ".", "h", "enter"}, "+1000 ▾ var/\n+1000   ▾ cache/\n+700     a\n+300     b"},
		{"a filter that isn't finished is text", []string{"/", "("}, ""},
		{"no filter any more", []string{"/", "x", "y", "esc"}, layer1},
		{"the next layer removes", []string{"down", "tab", "^u", "all"}, "-1000 ▾ var/\n-1000   ▾ cache/\n-700     a\n-300     b\n+60 ▾ app/\n-60   run\n~20 ▾ etc/\n-20   config"},
		{"all since the base", []string{"down", "^a", "tab", "^u"}, "-1000 ▸ var/\n+60 ▸ app/\n~10 ▸ etc/"},
		{"the base adds all", []string{"up", "tab"}, "+5000 ▸ usr/\n+10 ▸ etc/"},
	} {
		m := testModel(t)
		press(m, c.keys...)
		if got := m.files.String(); got != c.want {
			t.Errorf("%s: %v shows\n%s\nwant\n%s", c.what, c.keys, got, c.want)
		}
	}
}

func TestQuit(t *testing.T) {
	m := testModel(t)
	if press(m, "tab", "?", "q", "/", "q") {
		t.Error("q quits in the help or in the filter")
	}
	if !press(m, "^c") || !press(testModel(t), "q") {
		t.Error("q or Ctrl+C doesn't quit")
	}
}

// Every line has the width of the terminal, and there are as many as it has, so
// that nothing wraps or scrolls.
func TestScreenFits(t *testing.T) {
	for _, size := range []tea.WindowSizeMsg{{Width: 80, Height: 24}, {Width: 120, Height: 40}, {Width: 41, Height: 6}, {Width: 10, Height: 3}, {Width: 1, Height: 1}, {Width: 300, Height: 100}} {
		m := testModel(t)
		m.Update(size)
		for _, keys := range [][]string{nil, {"tab", "all"}, {"?"}, {"?", "/"}, {"end", "x", "down"}} {
			press(m, keys...)
			lines := strings.Split(m.screen(), "\n")
			if len(lines) > max(2, size.Height) {
				t.Errorf("%v: %d lines on %d", keys, len(lines), size.Height)
			}
			for _, l := range lines {
				if got := uniseg.StringWidth(strip(l)); got != size.Width && size.Width >= 41 {
					t.Errorf("%v: a line of %d columns on %d: %q", keys, got, size.Width, l)
				}
			}
		}
	}
}

// strip takes styles away.
func strip(s string) string {
	for _, style := range []string{bold, dim, reverse, red, green, yellow, reset} {
		s = strings.ReplaceAll(s, style, "")
	}
	return s
}

func TestScreenSays(t *testing.T) {
	m := testModel(t)
	screen := strip(m.screen())
	for _, want := range []string{"archive:app.tar", "RUN step 1", "! caches are left", "→ mount them", "Tab files"} {
		if !strings.Contains(screen, want) {
			t.Errorf("the screen lacks %q:\n%s", want, screen)
		}
	}
}

func TestEmptyImage(t *testing.T) {
	m := newModel(&report.Report{}, &tree.Node{})
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	press(m, "down", "tab", "space", "left", "down", "all", "^a", "x")
	if !strings.Contains(m.screen(), "nothing that these filters show") {
		t.Error("an image without layers shows files")
	}
}
