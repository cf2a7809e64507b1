package dockerfile

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// The scanner follows the line rules of BuildKit's parser.Parse and keeps the
// places. It stops at the first fault; parser.Parse finds the same one.

const byteOrderMark = "\xef\xbb\xbf"

// scanner goes through a Dockerfile line by line.
type scanner struct {
	src  []byte
	line physical
	// lineNumber is the number of line, from 1; 0 before the first.
	lineNumber int
	tooLong    *fault // set at the first line that BuildKit can't hold

	escape       byte
	directives   parser.DirectiveParser
	found        []Directive
	comments     []Comment // outside instructions
	above        []string  // those since the last instruction, as BuildKit's nodes have them
	tokens       []Token
	instructions []*Instruction
	unsure       bool // the nodes of the instructions may not be those of BuildKit
}

// physical is one line of the file.
type physical struct {
	full edit.Span // with the newline
	text edit.Span // without "\n" and all "\r" in front of it
}

// fault is what keeps a file from being parsed as a whole.
type fault struct {
	first, last int // lines, from 1
	message     string
}

// scan reads the whole of src.
func scan(src []byte) (*scanner, *fault) {
	s := &scanner{src: src, escape: parser.DefaultEscapeToken, unsure: !utf8.Valid(src)}
	for s.next() {
		err := s.topLine()
		if err == nil {
			err = s.tooLong
		}
		if err != nil {
			return s, err
		}
	}
	if len(s.instructions) == 0 {
		return s, &fault{max(1, s.lineNumber), max(1, s.lineNumber), "the file has no instructions; a Dockerfile needs at least a FROM"}
	}
	return s, nil
}

// next goes to the following line and reports whether there is one.
func (s *scanner) next() bool {
	start := s.line.full.End
	if start == len(s.src) {
		return false
	}
	end := len(s.src)
	if i := bytes.IndexByte(s.src[start:], '\n'); i >= 0 {
		end = start + i + 1
	}
	s.lineNumber++
	if n := end - start; n > bufio.MaxScanTokenSize && s.tooLong == nil {
		message := fmt.Sprintf("the line has %d bytes, and BuildKit reads at most %d; break it with continuations, or COPY the content from a file", n, bufio.MaxScanTokenSize-1)
		s.tooLong = &fault{s.lineNumber, s.lineNumber, message}
	}
	text := bytes.TrimRight(s.src[start:end], "\r\n")
	s.line = physical{edit.Span{Start: start, End: end}, edit.Span{Start: start, End: start + len(text)}}
	return true
}

// topLine reads the line at hand, which is no continuation, and with it all
// lines of the instruction that it starts.
func (s *scanner) topLine() *fault {
	if s.lineNumber == 1 && bytes.HasPrefix(s.src, []byte(byteOrderMark)) {
		n := len(byteOrderMark)
		s.tokens = append(s.tokens, Token{ByteOrderMark, edit.Span{Start: 0, End: n}})
		s.line.full.Start, s.line.text.Start = n, n
	}
	text := s.trimLeft(s.line.text)
	directive, err := s.directives.ParseLine(s.bytes(text))
	switch {
	case err != nil:
		return &fault{s.lineNumber, s.lineNumber, err.Error() + "; remove all but one"}
	case directive != nil:
		s.token(DirectiveLine)
		s.found = append(s.found, Directive{Span: text, Name: directive.Name, Value: directive.Value})
		if directive.Name == "escape" {
			return s.setEscape(directive.Value)
		}
	case text.Len() == 0:
		// A line that held nothing but the byte order mark is no line of its own.
		if s.line.full.Len() > 0 {
			s.token(Blank)
		}
	case s.src[text.Start] == '#':
		s.token(CommentLine)
		s.comments = append(s.comments, s.comment(text))
		s.lead()
	default:
		return s.instruction(text)
	}
	return nil
}

func (s *scanner) setEscape(value string) *fault {
	if value != "`" && value != `\` {
		message := fmt.Sprintf("the escape directive sets %q; only ` and \\ can be the escape character", value)
		return &fault{s.lineNumber, s.lineNumber, message}
	}
	s.escape = value[0]
	return nil
}

// instruction reads an instruction whose first line, without its indentation,
// is text.
func (s *scanner) instruction(text edit.Span) *fault {
	in := &Instruction{StartLine: s.lineNumber}
	start := s.line.full.Start
	line := joined{base: text.Start}
	part, more := s.cutEscape(text)
	line.add(s.src, part)
	for more && s.next() {
		content := s.trimLeft(s.line.text)
		switch {
		case content.Len() == 0: // an empty line inside a continuation is skipped
		case s.src[content.Start] == '#':
			c := s.comment(content)
			c.Within = in
			in.Comments = append(in.Comments, c)
		default:
			part, more = s.cutEscape(s.line.text)
			line.add(s.src, part)
		}
	}
	lex := lexer{src: s.src, escape: s.escape, line: line}
	lex.fill(in, 0, line.len())
	if lex.takesHeredocs(in) {
		if err := s.heredocs(in, &lex); err != nil {
			return err
		}
	}
	in.EndLine = s.lineNumber
	in.Span = edit.Span{Start: text.Start, End: max(text.Start, s.line.text.End)}
	if in.Trigger != nil {
		in.Trigger.finish(in)
	}
	in.completeNode(s.above)
	s.above, s.unsure = nil, s.unsure || lex.unsure
	s.tokens = append(s.tokens, Token{InstructionRun, edit.Span{Start: start, End: s.line.full.End}})
	s.instructions = append(s.instructions, in)
	return nil
}

// finish gives a trigger what it shares with the ONBUILD it stands in.
func (in *Instruction) finish(outer *Instruction) {
	in.StartLine, in.EndLine = outer.StartLine, outer.EndLine
	in.Span = edit.Span{Start: in.Keyword.Start, End: outer.Span.End}
	in.Heredocs = outer.Heredocs
}

// heredocs reads the inline files behind the last line of in.
func (s *scanner) heredocs(in *Instruction, lex *lexer) *fault {
	docs, err := lex.heredocWords()
	if err != nil {
		return &fault{in.StartLine, s.lineNumber, "a heredoc's word can't be read: " + err.Error()}
	}
	for _, doc := range docs {
		doc.Body = edit.Span{Start: s.line.full.End, End: s.line.full.End}
		closed := false
		for !closed && s.next() {
			line := s.bytes(s.line.text)
			if doc.Chomp {
				line = bytes.TrimLeft(line, "\t")
			}
			if closed = string(line) == doc.Name; !closed {
				doc.Body.End = s.line.full.End
			}
		}
		if !closed {
			message := fmt.Sprintf("the heredoc %q never ends; add a line that holds only %s", doc.Name, doc.Name)
			return &fault{in.StartLine, s.lineNumber, message}
		}
		doc.Content = doc.Body.Of(s.src)
		doc.Terminator = edit.Span{Start: s.line.text.End - len(doc.Name), End: s.line.text.End}
		in.Heredocs = append(in.Heredocs, doc)
	}
	return nil
}

// cutEscape takes a final escape character, with the blanks behind it, off a
// line and reports whether the line goes on below. An escape character behind
// another one doesn't continue the line.
func (s *scanner) cutEscape(text edit.Span) (edit.Span, bool) {
	line := bytes.TrimRight(s.bytes(text), " \t")
	n := len(line)
	if n == 0 || line[n-1] != s.escape || n > 1 && line[n-2] == s.escape {
		return text, false
	}
	return edit.Span{Start: text.Start, End: text.Start + n - 1}, true
}

func (s *scanner) comment(text edit.Span) Comment {
	return Comment{Span: text, Text: strings.TrimSpace(string(s.src[text.Start+1 : text.End]))}
}

// lead keeps the comment at hand for the node of the instruction below. BuildKit
// takes off the line's first byte, even where a blank stands before the "#", and
// an empty comment parts those above it from the instruction.
func (s *scanner) lead() {
	text := strings.TrimSpace(string(s.src[s.line.text.Start+1 : s.line.text.End]))
	if text == "" {
		s.above = nil
		return
	}
	s.above = append(s.above, text)
}

// token adds the line at hand as a token.
func (s *scanner) token(k Kind) {
	s.tokens = append(s.tokens, Token{k, s.line.full})
}

func (s *scanner) bytes(span edit.Span) []byte { return s.src[span.Start:span.End] }

// trimLeft takes the white space off the front of a span.
func (s *scanner) trimLeft(span edit.Span) edit.Span {
	rest := bytes.TrimLeftFunc(s.bytes(span), unicode.IsSpace)
	return edit.Span{Start: span.End - len(rest), End: span.End}
}
