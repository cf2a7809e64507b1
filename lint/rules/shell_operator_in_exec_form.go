package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// ShellOperatorInExecForm finds pipes, redirections and variables where no
// shell reads them.
var ShellOperatorInExecForm = &lint.Rule{
	Name:     "ShellOperatorInExecForm",
	Severity: lint.Error,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "Shell syntax in a command in JSON form",
		Why: `The JSON form starts the program itself, with the strings as its arguments: no shell reads them. "2>&1", "|" and
"&&" reach the program as words that it doesn't know, nothing is redirected or piped, the second command never runs, and
"$PORT" stays the five letters that it is.

A command that needs a shell has to name one: ["sh", "-c", "…"]. The fix writes that for CMD, RUN and HEALTHCHECK. It is
unsafe, because the image needs a shell then, and because the shell stands between the program and its signals.`,
		Bad:  file("FROM node:22-alpine\nCMD [\"node\", \"server.js\", \"2>&1\", \"|\", \"tee\", \"/tmp/log\"]\n"),
		Good: file("FROM node:22-alpine\nCMD [\"sh\", \"-c\", \"node server.js 2>&1 | tee /tmp/log\"]\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			if args, ok := execArgs(in); ok {
				reportOperators(p, in, args)
			}
		}
		return nil
	},
}

// shellOperator matches a word that a shell takes for an operator.
var shellOperator = regexp.MustCompile(`^(\|\|?|\|&|&&?|;|\d?>>?|<|\d?>>?&\d|\d?>&-|\d?>>?/\S*|&>>?/?\S*)$`)

// joinedOperator matches an operator within a whole command line.
var joinedOperator = regexp.MustCompile(`\S (\|\||&&|\||\d?>>?|\d>&\d) ?\S`)

// variable matches a word that is nothing but a variable, is a path below one,
// or holds one in braces.
var variable = regexp.MustCompile(`^\$[A-Z_][A-Z0-9_]*(/|$)|\$\{[A-Za-z_][A-Za-z0-9_]*(:[-=?+][^}]*)?\}`)

// execArgs are the strings of a command in JSON form.
func execArgs(in *dockerfile.Instruction) ([]dockerfile.Word, bool) {
	if !in.JSON || in.Err != nil || len(in.Args) == 0 {
		return nil, false
	}
	switch in.Name {
	case "CMD", "ENTRYPOINT", "RUN":
		return in.Args, true
	case "HEALTHCHECK":
		return in.Args[1:], len(in.Args) > 1
	}
	return nil, false
}

func reportOperators(p *lint.Pass, in *dockerfile.Instruction, args []dockerfile.Word) {
	operators, variables := unread(in, args)
	found := slices.Concat(operators, variables)
	if len(found) == 0 {
		return
	}
	span := edit.Span{Start: found[0].Span.Start, End: found[0].Span.End}
	var quoted []string
	for _, w := range found {
		span.Start, span.End = min(span.Start, w.Span.Start), max(span.End, w.Span.End)
		quoted = append(quoted, fmt.Sprintf("%q", w.Value))
	}
	name := args[0].Value
	message := fmt.Sprintf("%s hands %s to %s as plain words: the JSON form runs no shell", in.Name, strings.Join(quoted, ", "), name)
	switch {
	case found[0] == args[0]:
		message = fmt.Sprintf("%s starts a program with the name %q: the JSON form runs no shell", in.Name, name)
	case len(operators) == 0:
		message = fmt.Sprintf("%s hands %s to %s unexpanded: the JSON form runs no shell", in.Name, strings.Join(quoted, ", "), name)
	}
	p.Report(lint.Diagnostic{Span: span, Message: message, Fix: throughShell(p, in, args)})
}

// unread returns the words that only a shell would understand.
func unread(in *dockerfile.Instruction, args []dockerfile.Word) (operators, variables []dockerfile.Word) {
	name := path.Base(args[0].Value)
	script := shellScript(args)
	for i, w := range args {
		switch {
		case i == script && script > 0:
			// The shell reads this one; what follows are its parameters.
		case i == 0 && joinedOperator.MatchString(w.Value):
			if !wrapped(in) {
				operators = append(operators, w)
			}
		case i > 0 && shellOperator.MatchString(w.Value) && !takesOperators(name, args[:i], w.Value):
			operators = append(operators, w)
		case script == 0 && variable.MatchString(w.Value) && !wrapped(in) && !readsVariables(name):
			variables = append(variables, w)
		}
	}
	return operators, variables
}

// shells are programs that read a command line behind -c.
var shells = []string{"sh", "bash", "ash", "dash", "zsh", "ksh", "busybox", "su", "cmd", "cmd.exe", "powershell", "powershell.exe", "pwsh", "nix-shell"}

// shellScript is the index of the word that a shell among args reads as its
// script, or 0.
func shellScript(args []dockerfile.Word) int {
	sh := slices.IndexFunc(args, func(w dockerfile.Word) bool { return slices.Contains(shells, strings.ToLower(path.Base(w.Value))) })
	if sh < 0 {
		return 0
	}
	for i := sh + 1; i+1 < len(args); i++ {
		v := strings.ToLower(args[i].Value)
		if v == "/c" || v == "/s" || v == "-command" || (strings.HasPrefix(v, "-") && !strings.HasPrefix(v, "--") && strings.HasSuffix(v, "c")) {
			return i + 1
		}
	}
	return 0
}

// takesOperators reports that the program has a use of its own for such a word:
// find ends -exec with ";", test compares with ">", a delimiter may be "|".
func takesOperators(name string, before []dockerfile.Word, op string) bool {
	switch name {
	case "find":
		return op == ";"
	case "test", "[", "expr":
		return op == "<" || op == ">" || op == "|" || op == "&"
	case "awk", "gawk", "cut", "sort", "column", "tr", "paste", "jq", "sed", "grep":
		return true
	}
	last := before[len(before)-1].Value
	return op == ";" && slices.ContainsFunc(before, func(w dockerfile.Word) bool { return w.Value == "-exec" }) ||
		strings.HasPrefix(last, "-") && (strings.HasSuffix(last, "delimiter") || strings.HasSuffix(last, "separator"))
}

// readsVariables reports that the program expands variables in its arguments
// by itself.
func readsVariables(name string) bool {
	return slices.Contains([]string{"envsubst", "awk", "gawk", "perl", "sed", "jq", "cmd", "cmd.exe", "powershell", "powershell.exe", "pwsh", "dockerize", "supervisord"}, name) ||
		slices.Contains(shells, name)
}

// wrapped reports that the instruction's words are arguments of an ENTRYPOINT,
// which may be a shell or a script that expands them.
func wrapped(in *dockerfile.Instruction) bool {
	if in.Name != "CMD" || in.Stage == nil {
		return false
	}
	for _, st := range in.Stage.Lineage() {
		for _, o := range st.Instructions {
			if o.Name == "ENTRYPOINT" {
				return true
			}
		}
	}
	return false
}

// throughShell writes the words as the script of a shell.
func throughShell(p *lint.Pass, in *dockerfile.Instruction, args []dockerfile.Word) *lint.Fix {
	if in.Name == "ENTRYPOINT" || wrapped(in) {
		return nil // what CMD appends would be lost
	}
	if windows(in.Stage) || len(in.Comments) > 0 {
		return nil // what stands between the words would be lost
	}
	head, rest := []string{"sh", "-c"}, args
	if script := shellScript(args); script > 0 {
		head = nil
		for _, w := range args[:script] {
			head = append(head, w.Value)
		}
		rest = args[script:]
	}
	var line []string
	for i, w := range rest {
		if strings.ContainsAny(w.Value, " \t") && (i == 0 || shellOperator.MatchString(rest[i-1].Value)) {
			line = append(line, w.Value) // a command line already
			continue
		}
		if i == 0 && bareVariable.MatchString(w.Value) {
			line = append(line, w.Value) // it may hold a command with its arguments
			continue
		}
		line = append(line, shellWord(w.Value))
	}
	text := in.Body.String()
	open, end := strings.Index(text, "["), strings.LastIndex(text, "]")
	if open < 0 || end < open {
		return nil
	}
	return &lint.Fix{
		Message: "Run the command through a shell",
		Safety:  lint.Unsafe,
		Doubt:   "the image may have no shell, and a shell does not pass on signals",
		Edits: []edit.Edit{{
			Span: in.Body.Span(edit.Span{Start: open, End: end + 1}),
			New:  jsonStrings(append(head, strings.Join(line, " "))),
		}},
	}
}

// windows reports that the stage sets a shell that isn't a Unix one.
func windows(st *dockerfile.Stage) bool {
	if st == nil {
		return false
	}
	for _, s := range st.Lineage() {
		for _, in := range s.Instructions {
			if in.Name == "SHELL" && len(in.Args) > 0 && !strings.HasSuffix(in.Args[0].Value, "sh") {
				return true
			}
		}
	}
	return st.File.Escape == '`'
}

var bareVariable = regexp.MustCompile(`^\$(\w+|\{\w+\})$`)

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellWord quotes an argument for a shell, but for what was meant for it.
func shellWord(v string) string {
	switch {
	case plainWord.MatchString(v), shellOperator.MatchString(v):
		return v
	case variable.MatchString(v) && !strings.ContainsAny(v, "\"`\\"):
		return `"` + v + `"`
	}
	return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'"
}

// jsonStrings writes a list as Dockerfiles do.
func jsonStrings(list []string) string {
	var b bytes.Buffer
	for i, s := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(s) // a string always encodes
		b.Truncate(b.Len() - 1)
	}
	return "[" + b.String() + "]"
}
