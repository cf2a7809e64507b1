package rules

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// CommentAfterInstruction finds comments that BuildKit reads as arguments.
var CommentAfterInstruction = &lint.Rule{
	Name:     "CommentAfterInstruction",
	Severity: lint.Error,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "Text behind # on an instruction's line is not a comment",
		Why: `A Dockerfile's comment is a line of its own: "#" has to be the first thing on it. Behind an instruction it is an
argument like any other. FROM then fails, COPY looks for files called "#" and "Layer", EXPOSE for a port of that name,
WORKDIR makes a folder with the comment in its name, and CMD ["x"] # … is no JSON any more and goes to a shell.

RUN in shell form is different: there the shell takes the rest of the line for a comment, which is fine, unless the line
goes on with a backslash. BuildKit joins such lines before the shell sees them, so the comment swallows all that follows.

The fix moves the comment to a line above.`,
		Bad:  file("FROM alpine:3.20 # small\nWORKDIR /app # sources\nRUN apk add curl # for the health check\n"),
		Good: file("# small\nFROM alpine:3.20\n# sources\nWORKDIR /app\nRUN apk add curl # for the health check\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			if c, ok := trailingComment(p.File, in); ok {
				p.Report(lint.Diagnostic{Span: c.span, Message: c.message(), Fix: moveUp(p.File, c)})
			}
		}
		return nil
	},
}

// trailing is a comment behind an instruction.
type trailing struct {
	in     *dockerfile.Instruction // as the effect is described; an ONBUILD's trigger
	span   edit.Span               // from "#" to the end of its line, without a continuation
	text   string
	lost   string // what a shell no longer sees, joined behind the comment
	inList bool   // another line of the instruction follows
	doubt  string
}

// trailingComment finds the comment that the instruction takes for arguments.
func trailingComment(f *dockerfile.File, in *dockerfile.Instruction) (trailing, bool) {
	if in.Trigger != nil {
		in = in.Trigger
	}
	if in.Body == nil || in.JSON {
		return trailing{}, false
	}
	if in.Name == "RUN" && !strings.HasPrefix(strings.TrimSpace(in.Body.String()), "[") {
		return swallowed(f, in)
	}
	at, ok := commentIn(in, f.Escape)
	if !ok {
		return trailing{}, false
	}
	t := trailing{in: in, span: commentSpan(f, in.Body.Offset(at))}
	t.text = t.span.Of(f.Src)
	t.inList = f.Lines.Line(t.span.Start) < f.Lines.Line(lastByte(in))
	switch {
	case in.Name == "ENV" || in.Name == "LABEL":
		t.doubt = "a value may hold a #"
	case t.inList:
		t.doubt = "the lines below may go on with the comment"
	}
	return t, true
}

// commentIn is the offset in the instruction's body of a "#" that was meant to
// start a comment.
func commentIn(in *dockerfile.Instruction, escape byte) (int, bool) {
	text := in.Body.String()
	at := hashWord(text, escape)
	if at < 0 {
		return 0, false
	}
	before := strings.TrimSpace(text[:at])
	switch in.Name {
	case "FROM", "USER", "WORKDIR", "STOPSIGNAL", "EXPOSE", "ARG":
		return at, true
	case "ENV", "LABEL":
		// In "ENV COLOR #fff" it begins the value.
		return at, strings.ContainsAny(before, "= \t")
	case "COPY", "ADD", "VOLUME":
		if isJSON(before) {
			return at, true
		}
		enough := 2
		if in.Name == "VOLUME" {
			enough = 1
		}
		return at, len(strings.Fields(before)) >= enough
	case "CMD", "ENTRYPOINT", "RUN", "SHELL":
		return at, isJSON(before)
	case "HEALTHCHECK":
		kind, command, _ := strings.Cut(before, " ")
		return at, strings.EqualFold(kind, "CMD") && isJSON(strings.TrimSpace(command))
	}
	return 0, false // MAINTAINER: a text that nothing reads
}

// hashWord is the offset of the first "#" behind white space and outside
// quotes, or -1. There is something in front of it.
func hashWord(text string, escape byte) int {
	var quote byte
	between := true // white space that isn't escaped is right in front
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == escape && quote != '\'':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '#' && between && strings.TrimSpace(text[:i]) != "":
			return i
		}
		between = quote == 0 && isSpace(c)
	}
	return -1
}

// swallowed finds a comment in a script that hides the lines joined behind it.
func swallowed(f *dockerfile.File, in *dockerfile.Instruction) (trailing, bool) {
	if len(in.Heredocs) > 0 || in.Command == nil {
		return trailing{}, false
	}
	s := f.Script(in)
	if s == nil || s.Err != nil || s.Dialect == shell.Foreign || len(s.Statements) == 0 {
		return trailing{}, false
	}
	text := s.Text.String()
	from := tail(s)
	at := strings.IndexByte(text[from:], '#')
	if at < 0 || strings.Contains(text[from:], "\n") || strings.Trim(text[from:from+at], " \t;&") != "" {
		return trailing{}, false
	}
	at += from
	t := trailing{in: in, span: commentSpan(f, s.Text.Offset(at)), inList: true}
	t.text = t.span.Of(f.Src)
	if at+len(t.text) > len(text) {
		return trailing{}, false
	}
	if t.lost = strings.TrimSpace(text[at+len(t.text):]); t.lost == "" {
		return trailing{}, false
	}
	t.doubt = "what follows has not been run so far"
	return t, true
}

// tail is the offset in the script's text behind its last statement.
func tail(s *shell.Script) int {
	last := s.Statements[len(s.Statements)-1].Span.End
	for i := s.Text.Len(); i > 0; i-- {
		if s.Text.Offset(i-1) < last {
			return i
		}
	}
	return 0
}

// commentSpan runs from a "#" to the end of its line, without a continuation
// and white space.
func commentSpan(f *dockerfile.File, hash int) edit.Span {
	end := f.Lines.Span(f.Lines.Line(hash)).End
	line := strings.TrimRight(string(f.Src[hash:end]), " \t\r\n")
	if n := len(line); n > 1 && line[n-1] == f.Escape && isSpace(line[n-2]) {
		line = strings.TrimRight(line[:n-1], " \t")
	}
	return edit.Span{Start: hash, End: hash + len(line)}
}

func (t trailing) message() string {
	name, text := t.in.Name, t.text
	if r := []rune(text); len(r) > 40 {
		text = string(r[:39]) + "…"
	}
	switch {
	case t.lost != "":
		lost := strings.Join(strings.Fields(t.lost), " ")
		if r := []rune(lost); len(r) > 40 {
			lost = string(r[:39]) + "…"
		}
		return fmt.Sprintf("%q comments out the rest of the RUN: %q is not run", text, lost)
	case name == "FROM":
		return fmt.Sprintf("%q is not a comment but further arguments of FROM, with which it does not parse", text)
	case name == "WORKDIR" || name == "USER" || name == "STOPSIGNAL" || name == "ENV" || name == "LABEL":
		return fmt.Sprintf("%q is not a comment but part of what %s sets", text, name)
	case name == "COPY" || name == "ADD":
		return fmt.Sprintf("%q is not a comment but further paths of %s, the last of them its destination", text, name)
	case name == "CMD" || name == "ENTRYPOINT" || name == "RUN" || name == "SHELL" || name == "HEALTHCHECK":
		return fmt.Sprintf("%q is not a comment and makes the JSON before it a shell's command line", text)
	}
	return fmt.Sprintf("%q is not a comment but further arguments of %s", text, name)
}

// directive matches a comment that means something on top of a file.
var directive = regexp.MustCompile(`(?i)^#\s*(syntax|escape|check)\s*=`)

// moveUp puts the comment on a line above its own.
func moveUp(f *dockerfile.File, t trailing) *lint.Fix {
	if directive.MatchString(t.text) {
		return nil // on a line of its own it may be one
	}
	line, start := f.LineStart(t.span.Start), t.span.Start
	for start > line && isSpace(f.Src[start-1]) {
		start--
	}
	end := t.span.End
	if rest := f.Lines.Span(f.Lines.Line(end)).End; strings.TrimSpace(string(f.Src[end:rest])) == "" {
		for end < rest && (f.Src[end] == ' ' || f.Src[end] == '\t') {
			end++
		}
	}
	fix := &lint.Fix{
		Message: "Move the comment to a line of its own",
		Safety:  lint.Safe,
		Doubt:   t.doubt,
		Edits: []edit.Edit{
			{Span: edit.Span{Start: line, End: line}, New: f.Indent(line) + t.text + f.Newline, Origin: t.span},
			{Span: edit.Span{Start: start, End: end}},
		},
	}
	if t.doubt != "" {
		fix.Safety = lint.Unsafe
	}
	return fix
}

// isJSON reports that the text is a list of strings as Dockerfiles take it.
func isJSON(text string) bool {
	var list []string
	return strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &list) == nil
}

// lastByte is the offset of the last byte of the instruction's own lines.
func lastByte(in *dockerfile.Instruction) int {
	return in.Body.Offset(max(0, in.Body.Len()-1))
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r' }
