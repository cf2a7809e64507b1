// Package dockerfile reads a Dockerfile as stages, instructions, flags, words
// and heredocs, each with its exact bytes.
//
// BuildKit decides what is valid and what an instruction means
// ([Instruction.Command]); its parser knows lines only. This package scans the
// bytes by the same rules and keeps every byte: the spans of directives,
// comments, instructions and blank lines tile the text. What BuildKit is given
// ([Instruction.Node]) is what its parser would give it; [File.Verify] makes
// sure of that, and a file with a fault is always BuildKit's parser's to judge.
package dockerfile

import (
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// File is a parsed Dockerfile.
type File struct {
	Name  string // as the user named it; for messages only
	Src   []byte
	Lines *edit.Lines
	// Escape is the escape character in force: '\\' or '`'.
	Escape byte
	// Newline is the file's own line ending, "\n" or "\r\n": that of its first
	// line. Inserted lines use it.
	Newline string
	// Directives are the parser directives on top: syntax, escape, check.
	Directives []Directive
	// Comments are all comment lines, also those inside continued
	// instructions, but not the directives.
	Comments []Comment
	// Instructions are all instructions in order, ARGs before the first FROM
	// among them.
	Instructions []*Instruction
	// Global are the ARG instructions before the first FROM.
	Global []*Instruction
	// Stages are the build stages in order. A file without FROM has none.
	Stages []*Stage
	// Tokens are directives, comments, instructions and blank lines in order.
	// Their spans tile Src.
	Tokens []Token

	mu      sync.Mutex
	scripts map[*Instruction]*shell.Script // see Script
}

// Kind is what a Token is.
type Kind int

const (
	Blank          Kind = iota // a line of white space
	ByteOrderMark              // the three bytes of a UTF-8 byte order mark
	DirectiveLine              // a parser directive
	CommentLine                // a comment outside instructions
	InstructionRun             // all lines of one instruction, heredocs included
)

// Token is a run of whole lines, final newline included.
type Token struct {
	Kind Kind
	Span edit.Span
}

// Directive is a parser directive.
type Directive struct {
	Span  edit.Span // the line without its newline
	Name  string    // lower case
	Value string
}

// Comment is a comment line.
type Comment struct {
	Span edit.Span // from "#" to the end of the line, without its newline
	Text string    // without "#" and the white space around it
	// Within is the instruction in whose continuation the comment stands; nil
	// for a comment of its own.
	Within *Instruction
}

// Instruction is one instruction with everything that belongs to it.
type Instruction struct {
	// Span runs from the keyword to the end of the last line (a heredoc's
	// terminator included), without the final newline. Where a lone escape
	// character stands on the lines above the keyword, it starts there.
	Span    edit.Span
	Name    string // upper case: "RUN"
	Keyword edit.Span
	Flags   []Flag
	// Args are the words behind keyword and flags. For the JSON form they are
	// the decoded strings. For the shell form of RUN, CMD and ENTRYPOINT there
	// is one word: the whole command line. HEALTHCHECK has "CMD" or "NONE"
	// first and then the same. ONBUILD has the whole trigger as one word, an
	// unknown instruction has none.
	Args []Word
	// Body is all that follows keyword and flags, as BuildKit sees it:
	// continuations joined, comments and empty lines taken out. It does not
	// hold heredoc contents.
	Body *edit.Text
	JSON bool
	// Heredocs in the order of their terminators.
	Heredocs []Heredoc
	// Comments stand inside the instruction's continuation lines.
	Comments []Comment
	// Lead are the comment lines directly above, without directives.
	Lead []Comment
	// StartLine and EndLine are those of BuildKit's parser, from 1.
	StartLine, EndLine int
	// Stage is the stage it stands in; nil for global ARGs.
	Stage *Stage
	// Node is what BuildKit's parser makes of the instruction.
	Node *parser.Node
	// Command is what BuildKit's instructions package makes of the node:
	// *instructions.Stage for FROM, *instructions.ArgCommand, *RunCommand and
	// so on. Nil where Err isn't.
	Command any
	// Err says why BuildKit refuses the instruction. The build of any stage of
	// the file fails then.
	Err error
	// Trigger is the instruction inside an ONBUILD; nil otherwise. Its Command
	// is nil, for it runs in another build.
	Trigger *Instruction
}

// Flag is --name=value or --name.
type Flag struct {
	Span  edit.Span
	Name  string // without "--"
	Value string // "" for a bare flag; quotes and escapes removed

	word string // as BuildKit's node has it
}

// Word is an argument of an instruction.
type Word struct {
	Span  edit.Span
	Raw   string // continuations taken out
	Value string // quotes and escapes removed; variables are not expanded
}

// Heredoc is an inline file.
type Heredoc struct {
	Word           edit.Span // <<EOF in the instruction
	Body           edit.Span // its lines, without the terminator
	Terminator     edit.Span // the name that ends it, without tabs and newline
	Name           string
	Expand         bool   // the name isn't quoted
	Chomp          bool   // <<-
	FileDescriptor uint   // the number in front of <<; 0 if there is none
	Content        string // the bytes of Body; tabs are not taken off
}

// Stage is a build stage.
type Stage struct {
	Index int
	Name  string // lower case as BuildKit compares it; "" if it has none
	From  *Instruction
	// Instructions are those behind FROM.
	Instructions []*Instruction
	// Base is the reference as written; BaseRef has ARGs of the global scope
	// expanded by their defaults and by the build's arguments.
	Base string
	// Parent is the stage that FROM names when every ARG has its default; nil
	// for an image or scratch. ParentWith takes the build's arguments.
	Parent *Stage
	// Platform is the value of --platform as written; "" if there is none.
	Platform string
	File     *File
}
