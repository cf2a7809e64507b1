package tui

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/tree"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// files is the pane of the file tree.
type files struct {
	list
	root *item
	rows []row

	hidden  [changes]bool
	dead    bool // show only what is gone in the finished image
	pattern string
	byName  bool
	attrs   bool // modes and owners

	folds map[*tree.Node]bool // open or not, where the user said so
	open  bool                // all others
}

// row is a line of the tree.
type row struct {
	*item
	depth int
	bytes int64 // of all that is shown here and below
	open  bool
}

// branch is a path that passes the filters, with what passes below it.
type branch struct {
	item  *item
	bytes int64
	below []*branch
}

// show makes the rows anew and keeps the cursor on its path.
func (f *files) show(height int) {
	var at *tree.Node
	if f.cursor < len(f.rows) {
		at = f.rows[f.cursor].node
	}
	f.rows = nil
	if f.root != nil {
		if b := f.sift(f.root, "", f.matcher()); b != nil {
			f.flatten(b.below, 0)
		}
	}
	if i := slices.IndexFunc(f.rows, func(r row) bool { return r.node == at }); i >= 0 {
		f.cursor = i
	}
	f.move(0, len(f.rows), height)
}

// matcher tells which paths the pattern matches: a regular expression, or text
// where it isn't one (yet).
func (f *files) matcher() func(string) bool {
	if f.pattern == "" {
		return func(string) bool { return true }
	}
	re, err := regexp.Compile("(?i)" + f.pattern)
	if err != nil {
		re = regexp.MustCompile("(?i)" + regexp.QuoteMeta(f.pattern))
	}
	return re.MatchString
}

// sift keeps what passes the filters, and the folders that lead there; nil if
// nothing does.
func (f *files) sift(it *item, path string, matches func(string) bool) *branch {
	b := &branch{item: it}
	for _, c := range it.children {
		if below := f.sift(c, path+"/"+c.node.Name, matches); below != nil {
			b.below = append(b.below, below)
			b.bytes += below.bytes
		}
	}
	passes := !f.hidden[it.change] && matches(path) && (!f.dead || it.grave() >= 0)
	if !passes && len(b.below) == 0 {
		return nil
	}
	if passes {
		b.bytes += it.bytes()
	}
	return b
}

func (f *files) flatten(list []*branch, depth int) {
	slices.SortStableFunc(list, func(a, b *branch) int {
		byName := strings.Compare(a.item.node.Name, b.item.node.Name)
		if f.byName {
			return byName
		}
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), byName)
	})
	for _, b := range list {
		open, said := f.folds[b.item.node]
		if !said {
			open = f.open || f.pattern != ""
		}
		f.rows = append(f.rows, row{item: b.item, depth: depth, bytes: b.bytes, open: open})
		if open {
			f.flatten(b.below, depth+1)
		}
	}
}

// fold opens or closes the folder at the cursor.
func (f *files) fold(open bool) {
	if f.cursor < len(f.rows) && f.rows[f.cursor].folder() {
		f.folds[f.rows[f.cursor].node] = open
	}
}

// out closes the folder at the cursor, or goes to the one that it is in.
func (f *files) out() {
	if f.cursor >= len(f.rows) {
		return
	}
	at := f.rows[f.cursor]
	if at.folder() && at.open {
		f.fold(false)
		return
	}
	for i := f.cursor; i >= 0; i-- {
		if f.rows[i].depth < at.depth {
			f.cursor = i
			return
		}
	}
}

// marks and styles are those of the changes.
var (
	marks  = [changes]string{" ", "+", "~", "-"}
	styles = [changes]string{plain, green, yellow, red}
)

// lines draws the pane.
func (f *files) lines(width, height int, focused bool) []string {
	if len(f.rows) == 0 {
		return fill([]string{line(width, "", cell{dim, "  nothing that these filters show"})}, width, height)
	}
	var out []string
	for i := f.top; i < len(f.rows) && len(out) < height; i++ {
		over := ""
		if i == f.cursor && focused {
			over = reverse
		}
		out = append(out, line(width, over, f.cells(f.rows[i])...))
	}
	return fill(out, width, height)
}

func (f *files) cells(r row) []cell {
	style := styles[r.change]
	cells := []cell{{style, marks[r.change]}}
	if f.attrs {
		attrs := ""
		if r.entry != nil {
			attrs = fmt.Sprintf("%s %d:%d", r.entry.File.FileMode(), r.entry.File.UID, r.entry.File.GID)
		}
		cells = append(cells, cell{dim, fmt.Sprintf(" %-19s", attrs)})
	}
	size := "-"
	if r.bytes > 0 {
		size = ui.Size(r.bytes)
	}
	cells = append(cells, cell{plain, fmt.Sprintf(" %7s  ", size)}, cell{style, strings.Repeat("  ", r.depth) + r.label()})
	if grave := r.grave(); grave >= 0 {
		cells = append(cells, cell{dim, fmt.Sprintf("  † layer %d", grave)})
	}
	return cells
}

// label is the name, with what tells what it is.
func (r row) label() string {
	name := ui.Plain(r.node.Name)
	switch {
	case r.folder() && r.open && len(r.children) > 0:
		return "▾ " + name + "/"
	case r.folder():
		return "▸ " + name + "/"
	case r.entry.File.Type == image.Symlink:
		return "  " + name + " → " + ui.Plain(r.entry.File.Link)
	case r.entry.File.Type == image.HardLink:
		return "  " + name + " = /" + ui.Plain(r.entry.File.Link)
	}
	return "  " + name
}
