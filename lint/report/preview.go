package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// previewLines is how many changed lines of a fix are shown.
const previewLines = 8

// change is a line that a fix takes out or puts in.
type change struct {
	sign   byte // '-' or '+'
	text   string
	differ edit.Span // the bytes of text that its counterpart has otherwise
}

// preview prints the lines that edits would change, before and after: those of
// the finding first, then the others in order. Of a long line, it shows the part
// that changes. Unlike in a diff, a line that moves is the one that is shown,
// not those that it passes.
func (t *Text) preview(b *strings.Builder, src []byte, finding edit.Span, edits []edit.Edit) {
	changes := changesOf(src, finding, edits)
	for i, c := range changes {
		if i == previewLines-1 && len(changes) > previewLines {
			fmt.Fprintf(b, "%*s%s\n", label, "", t.paint(dim, fmt.Sprintf("… %d more lines; --diff shows them", len(changes)-i)))
			return
		}
		r := layout(c.text)
		from, to := r.columns(c.differ.Start, c.differ.End)
		shown, _, _ := r.crop(t.room(label+2), from, to)
		look := red
		if c.sign == '+' {
			look = green
		}
		fmt.Fprintf(b, "%*s%s\n", label, "", t.paint(look, strings.TrimRight(string(c.sign)+" "+shown, " ")))
	}
}

// changesOf applies edits place by place: those that touch the same lines
// together.
func changesOf(src []byte, finding edit.Span, edits []edit.Edit) []change {
	if _, err := edit.Apply(src, edits); err != nil {
		return nil // the engine says so when it makes the fix
	}
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b edit.Edit) int { return a.Start - b.Start })
	var first, others []change
	for len(edits) > 0 {
		lines, n := wholeLines(src, edits[0].Span), 1
		for n < len(edits) && edits[n].Start < lines.End {
			lines.End = max(lines.End, wholeLines(src, edits[n].Span).End)
			n++
		}
		var here []edit.Edit
		for _, e := range edits[:n] {
			e.Start, e.End = e.Start-lines.Start, e.End-lines.Start
			here = append(here, e)
		}
		before := src[lines.Start:lines.End]
		after, err := edit.Apply(before, here)
		if err != nil {
			return nil
		}
		changes := compare(splitLines(before), splitLines(after))
		if lines.Overlaps(finding) {
			first = append(first, changes...)
		} else {
			others = append(others, changes...)
		}
		edits = edits[n:]
	}
	return append(first, others...)
}

// wholeLines grows s to whole lines, the last newline included. An insertion
// grows to the line that it stands in.
func wholeLines(src []byte, s edit.Span) edit.Span {
	s.Start = bytes.LastIndexByte(src[:s.Start], '\n') + 1
	if s.End > s.Start && src[s.End-1] == '\n' {
		return s
	}
	if i := bytes.IndexByte(src[s.End:], '\n'); i >= 0 {
		s.End += i + 1
	} else {
		s.End = len(src)
	}
	return s
}

func splitLines(text []byte) []string {
	var lines []string
	for line := range strings.Lines(string(bytes.TrimPrefix(text, bom))) {
		lines = append(lines, strings.TrimRight(line, "\r\n"))
	}
	return lines
}

// compare gives the lines that only one side has, and where those that stand
// for each other differ.
func compare(before, after []string) []change {
	for len(before) > 0 && len(after) > 0 && before[0] == after[0] {
		before, after = before[1:], after[1:]
	}
	for len(before) > 0 && len(after) > 0 && before[len(before)-1] == after[len(after)-1] {
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	var all []change
	for i, line := range before {
		c := change{sign: '-', text: line}
		if i < len(after) {
			c.differ = differ(line, after[i])
		}
		all = append(all, c)
	}
	for i, line := range after {
		c := change{sign: '+', text: line}
		if i < len(before) {
			c.differ = differ(line, before[i])
		}
		all = append(all, c)
	}
	return all
}

// differ is the part of a that b has otherwise.
func differ(a, b string) edit.Span {
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	same := 0
	for same < min(len(a), len(b))-start && a[len(a)-1-same] == b[len(b)-1-same] {
		same++
	}
	return edit.Span{Start: start, End: len(a) - same}
}
