package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// ParseError says why a file can't be read as a Dockerfile at all.
type ParseError struct {
	Name string
	// Line and EndLine are the lines at fault, from 1.
	Line, EndLine int
	// Message says what is wrong and, where it is known, what to do.
	Message string
	// Err is BuildKit's error; nil where BuildKit has none.
	Err error
}

func (e *ParseError) Error() string { return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Message) }

func (e *ParseError) Unwrap() error { return e.Err }

// Parse reads a Dockerfile. The name is for messages only; src is kept and must
// not be changed.
//
// A file that BuildKit's parser can't take apart gives a *ParseError. An
// instruction that it takes apart but refuses has its Err set, and the rest of
// the file is there all the same.
func Parse(name string, src []byte) (*File, error) {
	s, fault := scan(src)
	if fault != nil || s.unsure {
		if err := s.ask(name, fault); err != nil {
			return nil, err
		}
	}
	f := &File{
		Name:         name,
		Src:          src,
		Lines:        edit.NewLines(src),
		Escape:       s.escape,
		Newline:      newline(src),
		Directives:   s.found,
		Instructions: s.instructions,
		Tokens:       s.tokens,
		scripts:      map[*Instruction]*shell.Script{},
	}
	f.placeComments(s.comments)
	// A nil linter panics at a "# check=" comment above an instruction.
	quiet := linter.New(&linter.Config{SkipAll: true})
	for _, in := range f.Instructions {
		if in.Command, in.Err = instructions.ParseInstructionWithLinter(in.Node, quiet); in.Err != nil {
			in.Command = nil
		}
	}
	f.arrangeStages()
	return f, nil
}

// ask lets BuildKit's parser read a file that ours can't be sure of, or stopped
// in: it has the last word on what is wrong.
func (s *scanner) ask(name string, f *fault) error {
	result, err := parser.Parse(bytes.NewReader(s.src))
	if err != nil {
		return newParseError(name, err, s, f)
	}
	if f != nil {
		return &ParseError{Name: name, Line: f.first, EndLine: f.last, Message: disagree + f.message}
	}
	for i := range min(len(s.instructions), len(result.AST.Children)) {
		s.instructions[i].adopt(result.AST.Children[i])
	}
	return disagreement(name, s.instructions, result.AST.Children)
}

// Verify reads the file again with BuildKit's parser and returns a *ParseError
// where that reads anything else. Parse asks BuildKit only where it must; who
// changes a Dockerfile wants to be certain.
func (f *File) Verify() error {
	result, err := parser.Parse(bytes.NewReader(f.Src))
	if err != nil {
		return newParseError(f.Name, err, nil, nil)
	}
	return disagreement(f.Name, f.Instructions, result.AST.Children)
}

// newParseError puts the place and the words of our own scanner in front of
// BuildKit's, where both stopped at the same fault: BuildKit counts some of
// them from line 0.
func newParseError(name string, err error, s *scanner, f *fault) *ParseError {
	e := &ParseError{Name: name, Line: 1, EndLine: 1, Message: advice(err.Error()), Err: err}
	var located *parser.LocationError
	if errors.As(err, &located) && len(located.Locations) > 0 && len(located.Locations[0]) > 0 {
		lines := located.Locations[0]
		e.Line = max(1, lines[0].Start.Line)
		e.EndLine = max(e.Line, lines[len(lines)-1].Start.Line)
	}
	if f == nil {
		return e
	}
	if f.first <= e.EndLine || len(s.instructions) == 0 || strings.Contains(err.Error(), "max allowed size") {
		e.Line, e.EndLine, e.Message = f.first, f.last, f.message
	}
	return e
}

// advice adds what to do to BuildKit's message.
func advice(message string) string {
	switch {
	case strings.Contains(message, "arrays must be comprised of strings only"):
		return message + "; put every element in double quotes"
	case strings.Contains(message, "must have two arguments"):
		return message + "; write it as NAME=VALUE"
	case strings.Contains(message, "can't find ="):
		return message + "; quote a value that has spaces"
	}
	return message
}

const disagree = "this text is read differently by imgmgr and by BuildKit, so it is left alone; please report it: "

// disagreement compares our reading with BuildKit's: the instructions' number,
// and of each the lines, keyword, form, flags, heredocs and node.
func disagreement(name string, ours []*Instruction, theirs []*parser.Node) error {
	at := func(first, last int, what string) error {
		return &ParseError{Name: name, Line: first, EndLine: last, Message: disagree + what}
	}
	for i, in := range ours {
		if i >= len(theirs) {
			return at(in.StartLine, in.EndLine, "BuildKit sees no instruction here")
		}
		if what := in.differs(theirs[i]); what != "" {
			return at(in.StartLine, in.EndLine, what)
		}
	}
	if len(theirs) > len(ours) {
		n := theirs[len(ours)]
		return at(n.StartLine, n.EndLine, "BuildKit sees another instruction here")
	}
	return nil
}

// differs says in what an instruction differs from BuildKit's node, or "".
func (in *Instruction) differs(n *parser.Node) string {
	flags := func(f Flag, word string) bool { return f.word == word }
	docs := func(h Heredoc, o parser.Heredoc) bool {
		return h.Name == o.Name && h.Content == o.Content && h.Chomp == o.Chomp && h.Expand == o.Expand
	}
	switch {
	case in.StartLine != n.StartLine || in.EndLine != n.EndLine:
		return fmt.Sprintf("lines %d to %d are %d to %d to BuildKit", in.StartLine, in.EndLine, n.StartLine, n.EndLine)
	case in.Name != instructionName(n.Value):
		return fmt.Sprintf("keyword %q is %q to BuildKit", in.Name, n.Value)
	case in.JSON != n.Attributes["json"]:
		return "JSON form"
	case !slices.EqualFunc(in.Flags, n.Flags, flags):
		return fmt.Sprintf("flags are %q to BuildKit", n.Flags)
	case !slices.EqualFunc(in.Heredocs, n.Heredocs, docs):
		return "heredocs"
	case !sameNode(in.Node, n):
		return "arguments"
	}
	return ""
}

// newline is the ending of the file's first line.
func newline(src []byte) string {
	if i := bytes.IndexByte(src, '\n'); i > 0 && src[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// placeComments collects all comments in order and gives each instruction
// those directly above it.
func (f *File) placeComments(outside []Comment) {
	next := 0
	for _, in := range f.Instructions {
		for ; next < len(outside) && outside[next].Span.Start < in.Span.Start; next++ {
			f.Comments = append(f.Comments, outside[next])
		}
		line := in.StartLine
		first := next
		for first > 0 && f.Lines.Line(outside[first-1].Span.Start) == line-1 {
			first--
			line--
		}
		in.Lead = outside[first:next]
		f.Comments = append(f.Comments, in.Comments...)
	}
	f.Comments = append(f.Comments, outside[next:]...)
}
