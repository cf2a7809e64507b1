package tui

import tea "charm.land/bubbletea/v2"

// help are the keys, as the help screen lists them. They are dive's, where dive
// has them.
var help = [][2]string{
	{"Tab", "go to the other pane"},
	{"↑ ↓, k j", "move; PgUp PgDn, u d by a page; Home End, g G to the ends"},
	{"Space", "open or close a folder; → l opens, ← h closes or goes up"},
	{"Ctrl+Space", "open or close all folders"},
	{"Ctrl+F, /", "show only paths that match a regular expression; Esc: all"},
	{"Ctrl+A", "files: show or hide what was added (+)"},
	{"Ctrl+R", "files: what was removed (-)"},
	{"Ctrl+M, Enter", "files: what was modified (~)"},
	{"Ctrl+U", "files: what wasn't"},
	{"x", "files: only dead bytes (†): gone in the finished image"},
	{"Ctrl+O", "files: by bytes, or by name"},
	{"Ctrl+B", "files: modes and owners"},
	{"Ctrl+L", "layers: what the layer changed"},
	{"Ctrl+A", "layers: all since the base image, what is gone included"},
	{"q, Ctrl+C", "quit"},
}

// key does what a key says; the command is nil or quits.
func (m *model) key(key tea.KeyPressMsg) tea.Cmd {
	name := key.String()
	switch {
	case name == "ctrl+c":
		return tea.Quit
	case m.help:
		m.help = false
		return nil
	case m.typing:
		m.typed(key)
		return nil
	}
	switch name {
	case "q":
		return tea.Quit
	case "?":
		m.help = true
	case "tab", "shift+tab":
		m.inFiles = !m.inFiles
	case "ctrl+f", "/":
		m.typing, m.inFiles = true, true
	case "esc":
		m.files.pattern = ""
	default:
		if !m.moved(name) {
			m.paneKey(name)
		}
	}
	m.files.show(m.body())
	return nil
}

// typed is a key in the line of the filter.
func (m *model) typed(key tea.KeyPressMsg) {
	switch pattern := []rune(m.files.pattern); key.String() {
	case "enter", "tab", "down":
		m.typing = false
	case "esc", "ctrl+f":
		m.typing, m.files.pattern = false, ""
	case "ctrl+u":
		m.files.pattern = ""
	case "backspace":
		m.files.pattern = string(pattern[:max(0, len(pattern)-1)])
	default:
		m.files.pattern += key.Text
	}
	m.files.show(m.body())
}

// moved moves the cursor of the pane that has the keys.
func (m *model) moved(name string) bool {
	by := 0
	switch page := max(1, m.body()-2); name {
	case "up", "k":
		by = -1
	case "down", "j":
		by = 1
	case "pgup", "u":
		by = -page
	case "pgdown", "d":
		by = page
	case "home", "g":
		by = -1 << 30
	case "end", "G", "shift+g":
		by = 1 << 30
	default:
		return false
	}
	if m.inFiles {
		m.files.move(by, len(m.files.rows), m.body())
		return true
	}
	m.layers.move(by, len(m.layers.report.Layers), m.body())
	m.choose()
	return true
}

// paneKey is a key that means something in one pane.
func (m *model) paneKey(name string) {
	if !m.inFiles {
		switch name {
		case "ctrl+a", "ctrl+l":
			m.layers.aggregate = name == "ctrl+a"
			m.choose()
		case "enter", "right", "l":
			m.inFiles = true
		}
		return
	}
	f := &m.files
	switch name {
	case "space":
		f.fold(f.cursor < len(f.rows) && !f.rows[f.cursor].open)
	case "right", "l":
		f.fold(true)
	case "left", "h":
		f.out()
	case "ctrl+space", "ctrl+@":
		f.open = !f.open
		clear(f.folds)
	case "ctrl+a":
		f.hidden[added] = !f.hidden[added]
	case "ctrl+r":
		f.hidden[removed] = !f.hidden[removed]
	case "ctrl+m", "enter":
		f.hidden[changed] = !f.hidden[changed]
	case "ctrl+u":
		f.hidden[unmodified] = !f.hidden[unmodified]
	case "x":
		f.dead = !f.dead
	case "ctrl+o":
		f.byName = !f.byName
	case "ctrl+b":
		f.attrs = !f.attrs
	}
}
