package dockerfile_test

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// audit checks everything that must hold for any parsed file and returns what
// doesn't.
func audit(f *dockerfile.File) []string {
	a := &auditor{f: f}
	err := f.Verify() // from here on, Node is as BuildKit has it
	a.check(err == nil, "%v", err)
	a.tokens()
	for _, in := range f.Instructions {
		a.instruction(in)
	}
	a.comments()
	a.stages()
	return a.complaints
}

type auditor struct {
	f          *dockerfile.File
	complaints []string
}

func (a *auditor) check(ok bool, format string, args ...any) {
	if !ok {
		a.complaints = append(a.complaints, fmt.Sprintf(format, args...))
	}
}

// tokens holds that the tokens tile the text and are what they say.
func (a *auditor) tokens() {
	at, instruction, directive := 0, 0, 0
	for i, tok := range a.f.Tokens {
		a.check(tok.Span.Start == at && tok.Span.Len() > 0, "token %d covers %v, but the one before ends at %d", i, tok.Span, at)
		at = tok.Span.End
		text := strings.TrimSpace(a.f.Text(tok.Span))
		switch tok.Kind {
		case dockerfile.Blank:
			a.check(text == "", "blank token holds %q", text)
		case dockerfile.ByteOrderMark:
			a.check(i == 0 && a.f.Text(tok.Span) == "\ufeff", "byte order mark is token %d, %q", i, a.f.Text(tok.Span))
		case dockerfile.CommentLine:
			a.check(strings.HasPrefix(text, "#"), "comment token holds %q", text)
		case dockerfile.DirectiveLine:
			a.check(tok.Span.Contains(a.f.Directives[directive].Span), "directive %d lies outside its token", directive)
			directive++
		case dockerfile.InstructionRun:
			in := a.f.Instructions[instruction]
			a.check(tok.Span.Contains(in.Span), "instruction %d lies outside its token", instruction)
			instruction++
		}
	}
	a.check(at == len(a.f.Src), "tokens end at %d of %d bytes", at, len(a.f.Src))
	a.check(instruction == len(a.f.Instructions), "%d instruction tokens for %d instructions", instruction, len(a.f.Instructions))
	a.check(directive == len(a.f.Directives), "%d directive tokens for %d directives", directive, len(a.f.Directives))
}

// instruction holds that an instruction agrees with BuildKit's node.
func (a *auditor) instruction(in *dockerfile.Instruction) {
	where := fmt.Sprintf("line %d: ", in.StartLine)
	n := in.Node
	a.check(n.StartLine == in.StartLine && n.EndLine == in.EndLine, where+"BuildKit has lines %d to %d, we have %d to %d", n.StartLine, n.EndLine, in.StartLine, in.EndLine)
	a.check(a.f.Lines.Line(in.Span.Start) == in.StartLine, where+"span starts at line %d", a.f.Lines.Line(in.Span.Start))
	a.check(a.f.Lines.Line(in.Span.End) == in.EndLine, where+"span ends at line %d, not %d", a.f.Lines.Line(in.Span.End), in.EndLine)
	a.check(a.f.At(in.Span.Start) == in, "%sAt finds another instruction", where)
	a.check((in.Command == nil) == (in.Err != nil), where+"command %T and error %v", in.Command, in.Err)
	a.check(in.Span.Contains(in.Keyword), where+"keyword %v lies outside %v", in.Keyword, in.Span)
	for _, flag := range in.Flags {
		a.check(in.Span.Contains(flag.Span), where+"flag %s lies outside", flag.Name)
	}
	for _, w := range in.Args {
		a.check(in.Span.Contains(w.Span), where+"argument %q lies outside", w.Raw)
	}
	for i, h := range in.Heredocs {
		a.check(in.Span.Contains(h.Body) || h.Body.Len() == 0, where+"heredoc %d lies outside", i)
		a.check(a.f.Text(h.Body) == n.Heredocs[i].Content, where+"heredoc is %q, to BuildKit %q", a.f.Text(h.Body), n.Heredocs[i].Content)
		a.check(a.f.Text(h.Terminator) == h.Name, where+"heredoc ends with %q, not %q", a.f.Text(h.Terminator), h.Name)
	}
	if utf8.Valid(a.f.Src) {
		a.words(in, where)
		a.script(in, where)
	}
}

// words holds that arguments and flags are those of BuildKit's node, and that
// slicing the file at their spans gives them again.
func (a *auditor) words(in *dockerfile.Instruction, where string) {
	a.check(in.Node.Value == unbroken(a.f, in.Keyword), where+"keyword is %q, to BuildKit %q", a.f.Text(in.Keyword), in.Node.Value)
	var ours []string
	for _, w := range in.Args {
		if in.JSON && (in.Name != "HEALTHCHECK" || len(ours) > 0) {
			ours = append(ours, w.Value)
			continue
		}
		ours = append(ours, w.Raw)
		a.check(unbroken(a.f, w.Span) == w.Raw, where+"span of %q holds %q", w.Raw, a.f.Text(w.Span))
	}
	for _, flag := range in.Flags {
		if text := unbroken(a.f, flag.Span); !strings.ContainsAny(text, "\"'\\`") && isASCII(text) {
			name := "--" + flag.Name
			a.check(text == name || text == name+"="+flag.Value, where+"span of flag %s holds %q", flag.Name, text)
		}
	}
	theirs := nodeWords(in)
	a.check(slices.Equal(ours, theirs), where+"arguments of %s are %q, to BuildKit %q", in.Name, ours, theirs)
	if t := in.Trigger; t != nil && t.Node != nil {
		a.words(t, where+"trigger: ")
	}
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// nodeWords flattens BuildKit's arguments as they are compared with ours.
func nodeWords(in *dockerfile.Instruction) []string {
	var words []string
	switch in.Name {
	case "ONBUILD":
		if in.Node.Next == nil {
			return nil
		}
		return []string{strings.TrimSpace(in.Node.Next.Children[0].Original)}
	case "ENV", "LABEL":
		for n := in.Node.Next; n != nil; n = n.Next.Next.Next {
			if n.Next.Next.Value == "=" {
				words = append(words, n.Value+"="+n.Next.Value)
			} else {
				words = append(words, n.Value, n.Next.Value)
			}
		}
		return words
	}
	for n := in.Node.Next; n != nil; n = n.Next {
		if n.Value != "" || in.JSON {
			words = append(words, n.Value)
		}
	}
	return words
}

// unbroken is the text of a span with continuations, comments and empty lines
// taken out by BuildKit's rules: an independent second way to the joined text.
func unbroken(f *dockerfile.File, s edit.Span) string {
	lines := strings.SplitAfter(f.Text(s), "\n")
	var b strings.Builder
	for i, line := range lines {
		bare := strings.TrimRight(line, "\r\n")
		if trimmed := strings.TrimLeftFunc(bare, unicode.IsSpace); i > 0 && (trimmed == "" || trimmed[0] == '#') {
			continue
		}
		if i < len(lines)-1 {
			bare = strings.TrimRight(bare, " \t")
			bare = bare[:len(bare)-1]
		}
		b.WriteString(bare)
	}
	return b.String()
}

// script holds that the script is what BuildKit would give to the shell.
func (a *auditor) script(in *dockerfile.Instruction, where string) {
	script := a.f.Script(in)
	run, ok := in.Command.(*instructions.RunCommand)
	if !ok {
		a.check(in.Name == "RUN" || script == nil, where+"%s has a script", in.Name)
		return
	}
	if !run.PrependShell || len(run.CmdLine) == 0 {
		a.check(script == nil, "%sexec form has a script", where)
		return
	}
	want := run.CmdLine[0]
	if doc := parser.MustParseHeredoc(want); doc != nil && len(run.Files) > 0 {
		want = run.Files[0].Data
		if run.Files[0].Chomp {
			want = parser.ChompHeredocContent(want)
		}
	} else {
		for _, file := range run.Files {
			want += "\n" + file.Data + file.Name
		}
	}
	a.check(script.Text.String() == want, where+"script is %q, to BuildKit %q", script.Text.String(), want)
	for i := range script.Text.Len() {
		at := script.Text.Offset(i)
		if at < 0 || at >= len(a.f.Src) || a.f.Src[at] != script.Text.String()[i] {
			a.check(false, where+"byte %d of the script leads to %d", i, at)
			return
		}
	}
}

// comments holds that comments are in order and where they say.
func (a *auditor) comments() {
	last := -1
	for _, c := range a.f.Comments {
		a.check(c.Span.Start > last && a.f.Src[c.Span.Start] == '#', "comment at %d follows one at %d", c.Span.Start, last)
		last = c.Span.Start
		in := a.f.At(c.Span.Start)
		a.check(in == c.Within, "comment at line %d is within another instruction", a.f.Lines.Line(c.Span.Start))
	}
}

// stages holds that every instruction is in its stage.
func (a *auditor) stages() {
	count := len(a.f.Global)
	for _, st := range a.f.Stages {
		count += 1 + len(st.Instructions)
		for _, in := range st.Instructions {
			a.check(in.Stage == st, "line %d is in another stage", in.StartLine)
		}
		a.check(st.Parent == nil || st.Parent.Index < st.Index, "stage %d has a parent below", st.Index)
	}
	for _, in := range a.f.Instructions {
		if in.Stage == nil && in.Name != "ARG" {
			a.check(in.Err != nil, "line %d: %s before FROM is no error", in.StartLine, in.Name)
			count++
		}
	}
	a.check(count == len(a.f.Instructions), "%d of %d instructions are in a stage", count, len(a.f.Instructions))
}
