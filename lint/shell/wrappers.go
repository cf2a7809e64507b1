package shell

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// wrapper says how to find the command that another command starts.
type wrapper struct {
	short    string   // short options with a value
	long     []string // long options with a value in the next word
	operands int      // words between the options and the command
	assigns  bool     // NAME=VALUE may stand before the command
	refuses  []string // options with which it starts nothing, or what it starts isn't known
}

// wrapperOf knows the commands that start others, by the manual pages of
// coreutils, util-linux, sudo, doas, gosu and su-exec, and by POSIX for exec
// and command.
func wrapperOf(name string) (wrapper, bool) {
	switch name {
	case "sudo":
		return wrapper{short: "CDghpRrTtUu", long: []string{"--user", "--group", "--host", "--prompt", "--chdir", "--chroot", "--role", "--type", "--command-timeout", "--other-user", "--close-from"},
			assigns: true, refuses: []string{"-l", "--list", "-v", "--validate", "-e", "--edit", "-K", "-V", "-h", "--help"}}, true
	case "doas":
		return wrapper{short: "Cu", refuses: []string{"-L"}}, true
	case "env":
		return wrapper{short: "uC", long: []string{"--unset", "--chdir"}, assigns: true,
			refuses: []string{"-S", "--split-string"}}, true
	case "exec":
		return wrapper{short: "a"}, true
	case "command":
		return wrapper{refuses: []string{"-v", "-V"}}, true
	case "builtin", "nohup", "eatmydata", "chronic":
		return wrapper{}, true
	case "time":
		return wrapper{short: "fo", long: []string{"--format", "--output"}}, true
	case "nice":
		return wrapper{short: "n", long: []string{"--adjustment"}}, true
	case "ionice":
		return wrapper{short: "cn", long: []string{"--class", "--classdata"}, refuses: []string{"-p", "--pid"}}, true
	case "timeout":
		return wrapper{short: "ks", long: []string{"--kill-after", "--signal"}, operands: 1}, true
	case "setsid":
		return wrapper{}, true
	case "stdbuf":
		return wrapper{short: "ioe", long: []string{"--input", "--output", "--error"}}, true
	case "gosu", "su-exec":
		return wrapper{operands: 1}, true
	}
	return wrapper{}, false
}

// unwrapped is where the wrapped command of a simple command starts.
type unwrapped struct {
	starts  []int // first word of each wrapper, then at
	at      int   // first word of the wrapped command
	assigns []Assign
	script  int     // word that holds a script for a shell; 0 if there is none
	dialect Dialect // of that script
}

// outer leaves the last wrapper as the command itself.
func (un unwrapped) outer() unwrapped {
	un.starts = un.starts[:len(un.starts)-1]
	un.at, un.script = un.starts[len(un.starts)-1], 0
	return un
}

func unwrap(words []Word) unwrapped {
	un := unwrapped{}
	for un.at < len(words) && words[un.at].Literal {
		rest := words[un.at:]
		name := path.Base(rest[0].Value)
		if at, d := shellScript(name, rest); at > 0 {
			un.starts = append(un.starts, un.at)
			un.at += at
			un.script, un.dialect = un.at, d
			break
		}
		w, ok := wrapperOf(name)
		if !ok {
			break
		}
		n, assigns := w.skip(rest)
		if n == 0 {
			break
		}
		un.starts = append(un.starts, un.at)
		un.assigns = append(un.assigns, assigns...)
		un.at += n
	}
	un.starts = append(un.starts, un.at)
	return un
}

// skip returns the index of the wrapped command in words, whose first is the
// wrapper's name, and the variables it sets; 0 if it wraps nothing.
func (w wrapper) skip(words []Word) (int, []Assign) {
	var assigns []Assign
	operands, ended := w.operands, false
	for i := 1; i < len(words); i++ {
		v := words[i]
		name, isAssign := assignment(v)
		switch {
		case !ended && v.Literal && v.Value == "--":
			ended = true
		case !ended && v.Literal && len(v.Value) > 1 && v.Value[0] == '-':
			takes, refused := w.option(v.Value)
			if refused {
				return 0, nil
			}
			if takes {
				i++
			}
		case operands > 0:
			operands, ended = operands-1, true
		case w.assigns && isAssign:
			assigns, ended = append(assigns, name), true
		default:
			return i, assigns
		}
	}
	return 0, nil
}

// option reports that an option takes the next word, and that the wrapper
// starts nothing with it.
func (w wrapper) option(v string) (takes, refused bool) {
	for _, r := range w.refuses {
		if v == r || strings.HasPrefix(v, r+"=") || (len(r) == 2 && v[1] != '-' && strings.HasPrefix(v, r)) {
			return false, true
		}
	}
	if strings.HasPrefix(v, "--") {
		for _, l := range w.long {
			takes = takes || v == l
		}
		return takes, false
	}
	for i := 1; i < len(v); i++ {
		if strings.IndexByte(w.short, v[i]) >= 0 {
			return i == len(v)-1, false // otherwise the value is glued to it
		}
	}
	return false, false
}

// assignment splits NAME=VALUE; the name must be known.
func assignment(w Word) (Assign, bool) {
	name, value, ok := strings.Cut(w.Value, "=")
	if !ok || !syntax.ValidName(name) {
		return Assign{}, false
	}
	return Assign{Name: name, Value: Word{Span: w.Span, Raw: w.Raw, Value: value, Literal: w.Literal}}, true
}

// starts reports that a command of this name may start another, or a script.
func starts(name Word) bool {
	switch base := path.Base(name.Value); base {
	case "sh", "dash", "ash", "bash", "su", "eval":
		return true
	default:
		_, wraps := wrapperOf(base)
		return wraps
	}
}

// shellScript returns the index of the word that holds the script of sh -c or
// su -c, or 0.
func shellScript(name string, words []Word) (int, Dialect) {
	switch name {
	case "sh", "dash", "ash":
		return scriptOf(words), POSIX
	case "bash":
		return scriptOf(words), Bash
	case "eval":
		if len(words) == 2 && words[1].Literal {
			return 1, POSIX
		}
	case "su":
		for i, w := range words[:len(words)-1] {
			if w.Literal && (w.Value == "-c" || w.Value == "--command") && words[i+1].Literal {
				return i + 1, POSIX
			}
		}
	}
	return 0, POSIX
}

// scriptOf finds the script among the arguments of a shell.
func scriptOf(words []Word) int {
	asked := false
	for i := 1; i < len(words); i++ {
		v := words[i].Value
		switch {
		case !words[i].Literal:
			return 0
		case v == "--" || v == "-":
			i++
		case v == "--rcfile" || v == "--init-file":
			i++
			continue
		case strings.HasPrefix(v, "--"):
			continue
		case len(v) > 1 && (v[0] == '-' || v[0] == '+'):
			if v[0] == '-' && strings.Contains(v, "n") {
				return 0 // reads the script and runs nothing
			}
			asked = asked || (v[0] == '-' && strings.Contains(v, "c"))
			i += strings.Count(v, "o") + strings.Count(v, "O")
			continue
		}
		if asked && i < len(words) && words[i].Literal {
			return i
		}
		return 0
	}
	return 0
}

// wrapped is a script inside a word of another script.
type wrapped struct {
	reader *reader
	tree   *syntax.File
}

// innerScript parses the script of sh -c. It is false where there is none or
// it can't be parsed.
func (r *reader) innerScript(c *syntax.CallExpr, un unwrapped) (*wrapped, bool) {
	if un.script == 0 {
		return nil, false
	}
	text := &edit.Text{}
	for _, s := range r.decode(c.Args[un.script]).runs {
		text.AddText(r.text, s)
	}
	tree, err := parseTree(text.String(), un.dialect)
	if err != nil {
		return nil, false
	}
	return &wrapped{&reader{text: text, src: text.String()}, tree}, true
}

// Exec reads a command that is started by its words, without a shell: as the command
// that its wrappers start, or those of the script that a shell is given, which all stand
// where that does. It is opaque where a shell or env starts something that can't be read.
func Exec(c *Command) (commands []*Command, opaque bool) {
	un := unwrap(c.Words)
	r := &reader{}
	inner := *c
	inner.Wrappers, inner.Assigns = r.wrappers(nil, c.Words, un.starts), un.assigns
	inner.Words = c.Words[un.at:]
	if un.script == 0 {
		return []*Command{&inner}, slices.Contains([]string{"sh", "bash", "dash", "ash", "env"}, inner.Name())
	}
	script := c.Words[un.script]
	text := &edit.Text{}
	text.Add([]byte(script.Value), edit.Span{End: len(script.Value)})
	parsed := Parse(text, un.dialect)
	for _, one := range parsed.Commands() {
		one.Wrappers = slices.Concat(inner.Wrappers, one.Wrappers)
		one.Assigns = slices.Concat(inner.Assigns, one.Assigns)
		one.StandAt(script.Span)
	}
	return parsed.Commands(), parsed.Err != nil
}

// StandAt gives a command and all its words another place in the Dockerfile.
func (c *Command) StandAt(at edit.Span) {
	c.Span = at
	for _, words := range [][]Word{c.Words, c.Wrappers} {
		for i := range words {
			words[i].Span = at
		}
	}
	for i := range c.Assigns {
		c.Assigns[i].Value.Span = at
	}
	for i := range c.Redirects {
		c.Redirects[i].Path.Span = at
	}
}

// inner is innerScript for a simple command that isn't unwrapped yet.
func (r *reader) inner(c *syntax.CallExpr) (*wrapped, bool) {
	if len(c.Args) < 2 || !starts(r.word(c.Args[0])) {
		return nil, false
	}
	words := make([]Word, len(c.Args))
	for i, w := range c.Args {
		words[i] = r.word(w)
	}
	return r.innerScript(c, unwrap(words))
}
