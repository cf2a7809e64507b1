package rules

import (
	"strings"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// moved puts an instruction, with the comments that belong to it, where the line
// at the offset begins. Whether it may go there is for [effect.Commutes] to say.
func moved(f *dockerfile.File, in *dockerfile.Instruction, at int) []edit.Edit {
	run := edit.Span{Start: f.InsertAbove(in), End: f.WholeLines(in.Span).End}
	text := f.Text(run)
	if !strings.HasSuffix(text, "\n") {
		text += f.Newline
	}
	if at == len(f.Src) && !strings.HasSuffix(string(f.Src), "\n") {
		text = f.Newline + strings.TrimSuffix(text, f.Newline)
	}
	hole := run
	// An instruction between empty lines takes one along.
	before := f.Lines.Span(f.Lines.Line(max(run.Start-1, 0)))
	if (before.Start > at || at > run.End) && strings.TrimSpace(f.Text(before)) == "" && emptyBehind(f, run.End) {
		hole.Start = before.Start
		if at < run.Start || strings.HasPrefix(string(f.Src[at:]), "#") {
			text += f.Newline
		}
	}
	return []edit.Edit{
		{Span: edit.Span{Start: at, End: at}, New: text, Origin: run},
		{Span: hole},
	}
}

// emptyBehind reports that an empty line, or nothing, follows.
func emptyBehind(f *dockerfile.File, at int) bool {
	line, _, _ := strings.Cut(string(f.Src[at:]), "\n")
	return strings.TrimSpace(line) == ""
}
