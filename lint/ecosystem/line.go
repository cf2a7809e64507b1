package ecosystem

import (
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// line is a command line taken apart.
type line struct {
	flags    []flag
	operands []shell.Word
}

// flag is an option. Its name keeps its dashes; value is "" for a bare one.
type flag struct {
	name, value string
	known       bool // the value is literal
	word        shell.Word
}

// parseLine takes the arguments of a command apart. The flags of valued take
// the next word unless a value is joined to them by "=", or is glued to a
// short one.
func parseLine(c *shell.Command, valued ...string) line {
	args := c.Args()
	l := line{operands: make([]shell.Word, 0, len(args))}
	for i := 0; i < len(args); i++ {
		w := args[i]
		if w.Literal && w.Value == "--" {
			l.operands = append(l.operands, args[i+1:]...)
			break
		}
		if len(w.Value) < 2 || w.Value[0] != '-' {
			l.operands = append(l.operands, w)
			continue
		}
		name, value, joined := strings.Cut(w.Value, "=")
		f := flag{name, value, w.Literal, w}
		switch {
		case slices.Contains(valued, name):
			if !joined && i+1 < len(args) {
				i++
				f.value, f.known = args[i].Value, args[i].Literal
			}
		case len(name) > 2 && name[1] != '-' && slices.Contains(valued, name[:2]):
			f.name, f.value = name[:2], w.Value[2:]
		}
		l.flags = append(l.flags, f)
	}
	return l
}

// last returns the last flag of one of names; ok is false where there is none.
func (l line) last(names ...string) (flag, bool) {
	for _, f := range slices.Backward(l.flags) {
		if slices.Contains(names, f.name) {
			return f, true
		}
	}
	return flag{}, false
}

// on reports that one of the switches is given and not turned off.
func (l line) on(names ...string) bool {
	f, ok := l.last(names...)
	return ok && f.value != "false"
}

// operand is the literal value of the i-th operand, "" where there is none or
// it isn't known.
func (l line) operand(i int) string {
	if i >= len(l.operands) || !l.operands[i].Literal {
		return ""
	}
	return l.operands[i].Value
}
