// Package shell reads the script of a RUN instruction as commands, words and
// redirections, each with its bytes in the Dockerfile.
//
// The grammar is that of mvdan.cc/sh. What this package adds is the view that
// rules need: which simple commands would run, behind sudo, env or sh -c;
// whether a word's value is known without running anything; and which
// statements of a script are plain members of its top-level list, so that one
// of them can be taken out.
//
// PowerShell and cmd are recognised by the caller (through SHELL) and not
// parsed: their scripts have no commands.
package shell

import (
	"mvdan.cc/sh/v3/syntax"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// Dialect is the language a script is written in.
type Dialect int

const (
	POSIX   Dialect = iota // sh, dash, ash
	Bash                   // bash
	Foreign                // anything else; not parsed
)

// Script is a parsed RUN script.
type Script struct {
	Text    *edit.Text // what the shell sees
	Dialect Dialect
	// Err says why the script could not be parsed; then there are no
	// statements. A Foreign script has neither.
	Err error
	// Statements are the top-level statements in order, && and || lists
	// flattened.
	Statements []*Statement
	// Syntax is the tree of mvdan.cc/sh, whose offsets are offsets in Text; nil
	// when there is none.
	Syntax *syntax.File

	commands []*Command // of all Statements
}

// Statement is one member of the script's top-level list.
type Statement struct {
	Span edit.Span // in the Dockerfile
	// Joiner is what stands between this statement and the one before it:
	// "&&", "||", ";", "&", "\n", or "" for the first.
	Joiner string
	// Separator is the joiner with the white space, continuations and comments
	// around it, from the end of the previous statement to the start of this.
	// It is empty for the first.
	Separator edit.Span
	// Commands are all simple commands of the statement, also those in loops,
	// conditions, subshells, pipes and substitutions, in source order.
	Commands []*Command
	// Plain reports that the statement is exactly one simple command: not
	// negated, not in the background, no pipe, no redirection, no compound, no
	// substitution, and no heredoc's body beside it. It can be taken out
	// together with its Separator, or with that of the next statement.
	Plain bool
}

// Command is a simple command as it would run.
//
// A command that only sets variables of the shell ("A=b") has Assigns and no
// Words.
type Command struct {
	Span edit.Span // in the Dockerfile, from the first assignment or word to the last word
	// Wrappers are the commands that start this one, outermost first: sudo,
	// env, exec, command, time, nice, timeout, sh -c and their like. One Word
	// is one wrapper: its Value is the wrapper's name without its folder
	// ("timeout"), its Raw the whole wrapper as written ("timeout -k 9 5").
	// Name and Args are of the wrapped command.
	Wrappers []Word
	// Assigns are the variables set for this command alone, in front of it or
	// through a wrapper, outermost first.
	Assigns []Assign
	// Words are the command's name and arguments, without wrappers.
	Words []Word
	// Redirects are those of the command and of the compounds around it,
	// innermost first.
	Redirects []Redirect
	// Conditional reports that the command may not run although all before it
	// went well: behind || or a test ("[ -f x ] && …", "! a && …"), in if,
	// while, for, case, or a function body.
	Conditional bool
	// Piped reports that the command is part of a pipe.
	Piped bool
}

// Word is a word of a command.
type Word struct {
	Span edit.Span // in the Dockerfile
	Raw  string    // as written, the Dockerfile's continuations taken out
	// Value is the word with quotes removed, where Literal; otherwise the
	// parts that are known with expansions left as written.
	Value string
	// Literal reports that Value is exactly what the command gets: no
	// expansion, no globbing, no braces, no tilde.
	Literal bool
}

// Assign is NAME=VALUE in front of a command.
type Assign struct {
	Name  string
	Value Word
}

// Redirect is a redirection to or from a file.
type Redirect struct {
	Op string // ">", ">>", "<", "&>", ">&", "<<", …
	// Path is the word behind Op: a file; a file descriptor for ">&" and "<&";
	// the delimiter for "<<" and "<<-"; a text for "<<<".
	Path Word
}
