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
	result, err := parser.Parse(bytes.NewReader(src))
	s, fault := scan(src)
	if err != nil {
		return nil, newParseError(name, err, s, fault)
	}
	if fault == nil {
		fault = disagreement(s.instructions, result.AST.Children, src)
	} else {
		fault.message = disagree + fault.message
	}
	if fault != nil {
		return nil, &ParseError{Name: name, Line: fault.first, EndLine: fault.last, Message: fault.message}
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
	for i, in := range f.Instructions {
		in.attach(result.AST.Children[i], quiet)
	}
	f.arrangeStages()
	return f, nil
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
// lines, keywords, forms, flags and heredocs.
func disagreement(ours []*Instruction, theirs []*parser.Node, src []byte) *fault {
	for i, in := range ours {
		if i >= len(theirs) {
			return &fault{in.StartLine, in.EndLine, disagree + "BuildKit sees no instruction here"}
		}
		if what := in.differs(theirs[i]); what != "" {
			return &fault{in.StartLine, in.EndLine, disagree + what}
		}
	}
	if len(theirs) > len(ours) {
		n := theirs[len(ours)]
		return &fault{n.StartLine, n.EndLine, disagree + "BuildKit sees another instruction here"}
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
	}
	return ""
}

// attach sets what BuildKit makes of the instruction.
func (in *Instruction) attach(n *parser.Node, quiet *linter.Linter) {
	in.Node = n
	if in.Trigger != nil && n.Next != nil && len(n.Next.Children) > 0 {
		in.Trigger.Node = n.Next.Children[0]
	}
	in.Command, in.Err = instructions.ParseInstructionWithLinter(n, quiet)
	if in.Err != nil {
		in.Command = nil
	}
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
