// Package makefile reads a Makefile as the shell script that make would run.
//
// It is for those who want to know what stands behind `RUN make`, and it knows
// a part of GNU make's language: rules, pattern rules, variables, exports and
// $(shell …). Of a file that has more, [Read] says so, and nothing is known of
// it. What is known is on the safe side: recipes of targets that are up to date
// are in the script too, and a value that make alone can tell is an expansion
// that no shell knows.
//
// The facts are from the GNU make manual, sections "Rule Syntax", "Variables
// from the Environment", "Communicating Variables to a Sub-make", "Implicit
// Rules" and "Special Built-in Target Names".
package makefile

import (
	"fmt"
	"strings"
)

// File is a Makefile that was read.
type File struct {
	rules  []*rule
	vars   map[string]*variable
	export map[string]bool // variables that recipes get
	all    bool            // they get every one
}

// rule is targets with what they need, and the recipe.
type rule struct {
	targets, needs string // as written, unexpanded
	recipe         []string
}

// variable is a value as written. One that is assigned under a condition, or by
// a command, has no value that is known here.
type variable struct {
	text     string
	unless   bool // the environment's value comes first: ?=
	unknown  bool
	commands []string // of $(shell …), as written
	every    string   // all values that it may have
}

// Read reads a Makefile. The error names the line that is beyond this package.
func Read(src []byte) (*File, error) {
	f := &File{vars: map[string]*variable{}, export: map[string]bool{}}
	r := &reader{file: f}
	lines := strings.Split(string(src), "\n")
	for i := 0; i < len(lines); i++ {
		line, first := lines[i], i
		for strings.HasSuffix(line, `\`) && i+1 < len(lines) {
			i++
			line += "\n" + lines[i]
		}
		if err := r.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", first+1, err)
		}
	}
	return f, nil
}

// reader takes in a Makefile line by line.
type reader struct {
	file  *File
	open  *rule // that a recipe's line belongs to
	depth int   // of conditionals
}

func (r *reader) line(line string) error {
	if strings.HasPrefix(line, "\t") && r.open != nil {
		r.open.recipe = append(r.open.recipe, line[1:])
		return nil
	}
	line = strings.TrimSpace(joined(uncommented(line)))
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "":
		return nil
	case "ifeq", "ifneq", "ifdef", "ifndef":
		r.depth++
		return nil
	case "else":
		return nil
	case "endif":
		r.depth--
		return nil
	case "include", "-include", "sinclude", "define", "override", "undefine", "unexport", "vpath", "load", "private":
		return fmt.Errorf("%s can't be followed", word)
	case "export":
		return r.exported(strings.TrimSpace(rest))
	}
	if name, op, value, ok := assignment(line); ok {
		return r.assign(name, op, value)
	}
	return r.rule(line)
}

// exported takes in what stands behind export: nothing, names, or an
// assignment.
func (r *reader) exported(rest string) error {
	if rest == "" {
		r.file.all = true
		return nil
	}
	if name, op, value, ok := assignment(rest); ok {
		r.file.export[name] = true
		return r.assign(name, op, value)
	}
	if strings.Contains(rest, "$") {
		return fmt.Errorf("export %s can't be followed", rest)
	}
	for _, name := range strings.Fields(rest) {
		r.file.export[name] = true
	}
	return nil
}

// assignment takes NAME OP VALUE apart.
func assignment(line string) (name, op, value string, ok bool) {
	i := strings.Index(line, "=")
	if i < 0 {
		return "", "", "", false
	}
	head := line[:i]
	for _, op := range []string{":::", "::", ":", "?", "+", "!"} {
		if strings.HasSuffix(head, op) {
			name = strings.TrimSpace(strings.TrimSuffix(head, op))
			return name, op + "=", strings.TrimSpace(line[i+1:]), isName(name)
		}
	}
	name = strings.TrimSpace(head)
	return name, "=", strings.TrimSpace(line[i+1:]), isName(name)
}

func isName(s string) bool {
	return s != "" && !strings.ContainsAny(s, " \t:#$()")
}

func (r *reader) assign(name, op, value string) error {
	switch name {
	case "SHELL":
		if value != "/bin/sh" && value != "/bin/bash" && value != "bash" && value != "sh" {
			return fmt.Errorf("SHELL is %s", value)
		}
		return nil
	case "MAKEFLAGS", "MAKE", "MAKEFILES", ".SHELLFLAGS", ".RECIPEPREFIX", ".DEFAULT_GOAL", ".EXTRA_PREREQS":
		return fmt.Errorf("%s is set", name)
	}
	before := r.file.vars[name]
	v := &variable{text: value, unless: op == "?=", unknown: r.depth > 0}
	switch {
	case op == "!=":
		v.unknown, v.commands = true, []string{value}
	case op == "+=" && before != nil:
		v.text, v.unless, v.unknown = before.text+" "+value, before.unless, v.unknown || before.unknown
	case op == "?=" && before != nil && !before.unknown:
		return nil
	case op == "+=":
		v.unknown = true // the environment may have it
	case op != "=" && op != "?=":
		// Expanded here and now: what is set later has no part in it.
		v.unknown = v.unknown || !r.settled(value, name, 0)
	}
	v.every = v.text
	if before != nil {
		v.every += "\n" + before.every
		v.commands = append(before.commands, v.commands...)
		if before.unknown || before.text != v.text {
			// Which of two values a reference means depends on where it stands.
			v.unknown = v.unknown || op != "+="
		}
	}
	if err := v.shells(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.file.vars[name] = v
	return nil
}

// settled reports that every variable that a text refers to, for the one that
// is named so, has been set above.
func (r *reader) settled(text, name string, depth int) bool {
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '$' {
			continue
		}
		i++
		ref := text[i : i+1]
		if text[i] == '(' || text[i] == '{' {
			end := closing(text, i)
			if end < 0 {
				return false
			}
			ref, i = text[i+1:end], end
		}
		if ref == "$" {
			continue
		}
		v := r.file.vars[ref]
		if v == nil || ref == name || depth > maxDepth || !r.settled(v.text, name, depth+1) {
			return false
		}
	}
	return true
}

// shells takes out the commands of $(shell …), whose output isn't known.
func (v *variable) shells() error {
	commands, err := shellCalls(v.text)
	if err != nil {
		return err
	}
	if len(commands) > 0 {
		v.unknown, v.commands = true, append(v.commands, commands...)
	}
	return nil
}

func (r *reader) rule(line string) error {
	head, recipe, _ := strings.Cut(line, ";")
	targets, needs, ok := strings.Cut(head, ":")
	switch {
	case !ok:
		return fmt.Errorf("%q can't be followed", line)
	case strings.ContainsAny(needs, ":=") || strings.HasSuffix(targets, "&") || strings.TrimSpace(targets) == "":
		return fmt.Errorf("%q is a rule of a kind that can't be followed", line)
	}
	for _, special := range []string{"%", ".ONESHELL", ".DEFAULT", ".EXPORT_ALL_VARIABLES", ".SECONDEXPANSION", ".POSIX"} {
		if strings.TrimSpace(targets) == special {
			return fmt.Errorf("%s can't be followed", special)
		}
	}
	if _, err := shellCalls(head); err != nil {
		return err
	}
	if strings.Contains(head, "$(shell") {
		return fmt.Errorf("the targets of %q can't be followed", line)
	}
	r.open = &rule{targets: targets, needs: needs}
	if recipe = strings.TrimSpace(recipe); recipe != "" {
		r.open.recipe = append(r.open.recipe, recipe)
	}
	r.file.rules = append(r.file.rules, r.open)
	return nil
}

// uncommented is a line without its comment.
func uncommented(line string) string {
	for i := 0; i < len(line); i++ {
		if line[i] == '#' && (i == 0 || line[i-1] != '\\') {
			return line[:i]
		}
	}
	return line
}

// joined puts a continued line together.
func joined(line string) string {
	parts := strings.Split(line, "\\\n")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return strings.Join(parts, " ")
}
