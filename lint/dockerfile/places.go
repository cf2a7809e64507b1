package dockerfile

import (
	"sort"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// Flag returns the first flag of that name, given without "--".
func (in *Instruction) Flag(name string) (Flag, bool) {
	for _, f := range in.Flags {
		if f.Name == name {
			return f, true
		}
	}
	return Flag{}, false
}

// Mounts are the --mount flags of a RUN, parsed; variables are left as written
// and only what they can't change is filled in (see instructions.GetMounts).
// Other instructions and a refused RUN have none.
func (in *Instruction) Mounts() []*instructions.Mount {
	if c, ok := in.Command.(*instructions.RunCommand); ok {
		return instructions.GetMounts(c)
	}
	return nil
}

// Text is the bytes of a span.
func (f *File) Text(s edit.Span) string { return s.Of(f.Src) }

// LineStart is the offset of the first byte of the line that holds offset; the
// byte order mark is not part of the first line.
func (f *File) LineStart(offset int) int {
	start := f.Lines.Span(f.Lines.Line(offset)).Start
	if start == 0 && strings.HasPrefix(string(f.Src[:min(len(f.Src), len(byteOrderMark))]), byteOrderMark) {
		return len(byteOrderMark)
	}
	return start
}

// WholeLines is s grown to whole lines, the final newline included. An empty
// span grows to the line it stands in.
func (f *File) WholeLines(s edit.Span) edit.Span {
	return edit.Span{
		Start: f.LineStart(s.Start),
		End:   f.Lines.Span(f.Lines.Line(max(s.Start, s.End-1))).End,
	}
}

// Indent is the white space in front of the line that holds offset.
func (f *File) Indent(offset int) string {
	line := f.Lines.Span(f.Lines.Line(offset))
	text := string(f.Src[f.LineStart(offset):line.End])
	return text[:len(text)-len(strings.TrimLeft(text, " \t"))]
}

// Syntax is the directive by which BuildKit chooses the frontend that reads the file.
// Below a #! line it is that too, though a comment to the frontend.
func (f *File) Syntax() (d Directive, ok bool) {
	_, value, lines, ok := parser.DetectSyntax(f.Src)
	if !ok {
		return Directive{}, false
	}
	line := f.Lines.Span(lines[0].Start.Line)
	text := strings.TrimPrefix(f.Text(line), byteOrderMark)
	line.Start = line.End - len(text)
	line.End = line.Start + len(strings.TrimRight(text, "\r\n"))
	return Directive{Span: line, Name: "syntax", Value: value}, true
}

// At is the instruction on whose lines offset lies; nil where there is none.
func (f *File) At(offset int) *Instruction {
	line := f.Lines.Line(offset)
	i := sort.Search(len(f.Instructions), func(i int) bool { return f.Instructions[i].EndLine >= line })
	if i == len(f.Instructions) || f.Instructions[i].StartLine > line {
		return nil
	}
	return f.Instructions[i]
}

// InsertAbove is the offset of a line start where something can be put above
// in: in front of the comments directly above it, but behind the parser
// directives.
func (f *File) InsertAbove(in *Instruction) int {
	if len(in.Lead) > 0 {
		return f.LineStart(in.Lead[0].Span.Start)
	}
	return f.LineStart(in.Span.Start)
}

// InsertBelow is the offset right behind the last line of in, where the next
// line can be put. Where the file ends there without a newline, ok is false
// and the text to insert has to begin with one.
func (f *File) InsertBelow(in *Instruction) (offset int, ok bool) {
	end := f.Lines.Span(in.EndLine).End
	return end, end > 0 && f.Src[end-1] == '\n'
}

// Unfinished is the last instruction where the file ends within it: its last
// line is continued. It would go on in whatever is put behind it. Nil where the
// file ends as it should.
func (f *File) Unfinished() *Instruction {
	if len(f.Instructions) == 0 {
		return nil
	}
	last := f.Instructions[len(f.Instructions)-1]
	if len(last.Heredocs) > 0 {
		return nil
	}
	for n := f.Lines.Line(len(f.Src)); n >= last.StartLine; n-- {
		line := strings.TrimRight(f.Text(f.Lines.Span(n)), " \t\r\n")
		if text := strings.TrimLeft(line, " \t"); text != "" && (text[0] != '#' || n == last.StartLine) {
			if line[len(line)-1] == f.Escape {
				return last
			}
			return nil
		}
	}
	return nil
}
