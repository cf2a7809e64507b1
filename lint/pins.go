package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// pins are the instructions that a comment of their own keeps as they are:
//
//	# imgmgr: rewrite=off
//	RUN make
//
// Such an instruction is neither changed nor moved, and nothing is moved across
// it; cache in place of off holds back only what moves. Above FROM, or within it, the
// comment stands for the stage. It holds for every fix, also on the command
// line, and whatever the switches of the build say.
type pins map[*dockerfile.Instruction]RewriteMode

func readPins(f *dockerfile.File) pins {
	p := pins{}
	for _, c := range f.Comments {
		in := pinned(f, c)
		words, ok := strings.CutPrefix(c.Text, "imgmgr:")
		if in == nil || !ok {
			continue
		}
		var s Switches
		for _, word := range switchWords(words) {
			name, value, _ := strings.Cut(strings.ToLower(word), "=")
			if name == "rewrite" && s.set(name, value) == "" {
				p[in] = s.Rewrite
			}
		}
	}
	for _, st := range f.Stages {
		mode, ok := p[st.From]
		for _, in := range st.Instructions {
			if _, own := p[in]; ok && !own {
				p[in] = mode
			}
		}
	}
	return p
}

// pinned is the instruction that a comment belongs to: that within which it
// stands, or directly above which, but for the first one of the file. What is
// said there, or in a comment of its own, is said of the whole file: nil.
func pinned(f *dockerfile.File, c dockerfile.Comment) *dockerfile.Instruction {
	if c.Within != nil {
		return c.Within
	}
	for i, in := range f.Instructions {
		for _, lead := range in.Lead {
			if i > 0 && lead.Span == c.Span {
				return in
			}
		}
	}
	return nil
}

// against says why a fix may not be made; "" where it may.
func (p pins) against(f *dockerfile.File, rule *Rule, edits []edit.Edit) string {
	for _, in := range f.Instructions {
		mode := p[in]
		if mode != RewriteOff && (mode != RewriteCache || !rule.Reorders) {
			continue
		}
		lines := edit.Span{Start: f.InsertAbove(in), End: f.WholeLines(in.Span).End}
		touches := func(e edit.Edit) bool {
			return e.Overlaps(lines) || e.Len() == 0 && lines.Start < e.Start && e.Start < lines.End
		}
		passes := func(e edit.Edit) bool {
			from, moved := origin(e, edits)
			return moved && edit.Span{Start: min(e.Start, from.Start), End: max(e.Start, from.End)}.Contains(lines)
		}
		switch {
		case slices.ContainsFunc(edits, touches):
			return fmt.Sprintf("a comment keeps this %s as it is (imgmgr: rewrite=%s)", in.Name, mode)
		case slices.ContainsFunc(edits, passes):
			return fmt.Sprintf("a comment keeps the %s in its way where it is (imgmgr: rewrite=%s)", in.Name, mode)
		}
	}
	return ""
}

// unfinished says why a fix may not be made at the end of the file; "" where it
// may.
func unfinished(f *dockerfile.File, edits []edit.Edit) string {
	in := f.Unfinished()
	if in == nil {
		return ""
	}
	for _, e := range edits {
		if from, moved := origin(e, edits); e.Start >= in.Span.End || moved && from.Overlaps(in.Span) {
			return "the file ends within the " + in.Name
		}
	}
	return ""
}

// origin is where a text comes from that an edit inserts and another one takes
// away.
func origin(e edit.Edit, edits []edit.Edit) (from edit.Span, moved bool) {
	for _, other := range edits {
		if e.New != "" && e.Origin.Len() > 0 && other.New == "" && other.Span.Contains(e.Origin) {
			return e.Origin, true
		}
	}
	return edit.Span{}, false
}
