package makefile

import (
	"errors"
	"fmt"
	"strings"
)

// expander replaces references by values.
type expander struct {
	file *File
	set  map[string]string // by make's command line
	env  Vars
}

// maxDepth bounds references in values of references.
const maxDepth = 20

// expand replaces the references of a text. The values of automatic variables
// are in auto, by their character.
func (e *expander) expand(text string, auto map[string]string, depth int) (string, error) {
	if depth > maxDepth {
		return "", errors.New("a variable refers to itself")
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '$' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		name := text[i : i+1]
		switch text[i] {
		case '$':
			b.WriteByte('$')
			continue
		case '(', '{':
			end := closing(text, i)
			if end < 0 {
				return "", fmt.Errorf("a reference in %q does not end", text)
			}
			name = text[i+1 : end]
			i = end
		}
		value, err := e.value(name, auto, depth+1)
		if err != nil {
			return "", err
		}
		if b.WriteString(value); b.Len() > maxScript {
			return "", errors.New("a value is too long to be followed")
		}
	}
	return b.String(), nil
}

// value is what a reference stands for. Functions have values that aren't known
// here; of what they would do besides, shellCalls knows.
func (e *expander) value(name string, auto map[string]string, depth int) (string, error) {
	if v, ok := auto[name]; ok {
		return v, nil
	}
	if v, ok := e.set[name]; ok {
		return v, nil
	}
	if name == "MAKE" {
		return "make", nil
	}
	if !isName(name) || strings.ContainsAny(name[:1], "@<^+*?%|") {
		return hidden(name)
	}
	v := e.file.vars[name]
	if v == nil || v.unless {
		switch value, set, known := e.env(name); {
		case !known:
			return Unknown, nil
		case set:
			return value, nil
		case v == nil:
			return builtin(name), nil
		}
	}
	if v.unknown {
		return hidden(v.every)
	}
	return e.expand(v.text, nil, depth)
}

// hidden stands for a value that isn't known, but for what it may be made of.
// Nothing may hide in it that starts a command of its own.
func hidden(parts string) (string, error) {
	commands, err := shellCalls("$(" + parts + ")")
	if err != nil {
		return "", err
	}
	for _, c := range commands {
		parts = strings.Replace(parts, c, "", 1) // their output is taken for words
	}
	if strings.ContainsAny(parts, ";&|`<>") {
		return "", fmt.Errorf("what %q stands for is not known", parts)
	}
	return Unknown, nil
}

// builtin is the value that make itself gives a variable (GNU make manual,
// "Variables Used by Implicit Rules"); "" for those that nobody sets.
func builtin(name string) string {
	switch name {
	case "RM":
		return "rm -f"
	case "CC":
		return "cc"
	case "CXX":
		return "g++"
	case "AR":
		return "ar"
	case "CURDIR", "MAKEFILE_LIST", "MAKECMDGOALS", "MAKEFLAGS", "MAKE_VERSION", "MAKE_HOST", "MAKELEVEL", "MAKE_COMMAND", "SHELL", "SUFFIXES", "OUTPUT_OPTION",
		"ARFLAGS", "AS", "CPP", "FC", "F77", "LD", "LEX", "YACC", "LINT", "M2C", "PC", "CO", "GET", "MAKEINFO", "TEX", "TEXI2DVI", "WEAVE", "CWEAVE", "TANGLE", "CTANGLE":
		return Unknown
	}
	if strings.HasPrefix(name, "COMPILE") || strings.HasPrefix(name, "LINK") {
		return Unknown
	}
	return ""
}

// closing is the place of the bracket that closes the one at i.
func closing(text string, i int) int {
	open, end := text[i], byte(')')
	if open == '{' {
		end = '}'
	}
	depth := 0
	for ; i < len(text); i++ {
		switch text[i] {
		case open:
			depth++
		case end:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// shellCalls are the commands of the $(shell …) in a text. Functions that run
// what can't be seen here are an error.
func shellCalls(text string) ([]string, error) {
	var commands []string
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '$' {
			continue
		}
		i++
		if text[i] != '(' && text[i] != '{' {
			continue
		}
		end := closing(text, i)
		if end < 0 {
			return nil, fmt.Errorf("a reference in %q does not end", text)
		}
		inner := text[i+1 : end]
		switch function, rest, _ := strings.Cut(inner, " "); function {
		case "eval", "call", "file", "guile", "load", "foreach", "let":
			return nil, fmt.Errorf("$(%s …) can't be followed", function)
		case "shell":
			commands = append(commands, rest)
		}
		nested, err := shellCalls(inner)
		if err != nil {
			return nil, err
		}
		commands = append(commands, nested...)
		i = end
	}
	return commands, nil
}
