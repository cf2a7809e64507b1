package dockerfile_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// outline shows a file, a line for each directive, comment and instruction, in
// which every span is the bytes that it covers.
func outline(f *dockerfile.File) string {
	type entry struct {
		at   int
		text string
	}
	var entries []entry
	for _, d := range f.Directives {
		entries = append(entries, entry{d.Span.Start, fmt.Sprintf("directive {%s} %s %s ", f.Text(d.Span), d.Name, d.Value)})
	}
	for _, c := range f.Comments {
		at := c.Span.Start
		if c.Within != nil {
			at = c.Within.Span.Start - 1 // shown above the instruction
		}
		entries = append(entries, entry{at, fmt.Sprintf("comment {%s} %s", f.Text(c.Span), c.Text)})
	}
	for _, in := range f.Instructions {
		entries = append(entries, entry{in.Span.Start, outlineOf(f, in)})
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
	lines := make([]string, len(entries))
	for i, e := range entries {
		lines[i] = e.text
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

func outlineOf(f *dockerfile.File, in *dockerfile.Instruction) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d-%d %s {%s}", in.StartLine, in.EndLine, in.Name, f.Text(in.Span))
	for _, flag := range in.Flags {
		fmt.Fprintf(&b, " flag {%s} %s=%s", f.Text(flag.Span), flag.Name, flag.Value)
	}
	if in.JSON {
		b.WriteString(" json")
	}
	for i, w := range in.Args {
		if i == 0 {
			b.WriteString(" args")
		}
		fmt.Fprintf(&b, " [%s", f.Text(w.Span))
		if w.Value != w.Raw {
			b.WriteString("=" + w.Value)
		}
		b.WriteString("]")
	}
	for _, h := range in.Heredocs {
		fmt.Fprintf(&b, " heredoc {%s} ", f.Text(h.Word))
		if h.Chomp {
			b.WriteString("-")
		}
		b.WriteString(h.Name)
		if !h.Expand {
			b.WriteString(" quoted")
		}
		if h.FileDescriptor != 0 {
			fmt.Fprintf(&b, " fd %d", h.FileDescriptor)
		}
		fmt.Fprintf(&b, " {%s}", f.Text(h.Body))
	}
	if len(in.Comments) > 0 {
		fmt.Fprintf(&b, " inner %d", len(in.Comments))
	}
	if len(in.Lead) > 0 {
		fmt.Fprintf(&b, " lead %d", len(in.Lead))
	}
	if in.Err != nil {
		b.WriteString(" refused")
	}
	if in.Trigger != nil {
		b.WriteString("\n  trigger " + outlineOf(f, in.Trigger))
	}
	return b.String()
}
