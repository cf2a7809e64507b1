package lint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/report"
)

// host is a bake or compose file. Repairs of the Dockerfiles in it are written
// one after another.
type host struct {
	name    string
	src     []byte
	writing sync.Mutex
}

// inline is a Dockerfile that stands in a bake or compose file.
type inline struct {
	text string // as it is built
	host *host
	// lines are the offsets in the host at which its lines start, behind indent.
	// Nil where they don't stand there as they are built: they are put together
	// from variables, or quoted.
	lines  []int
	indent string
	src    []byte // of the host, when it was looked for
	escape func(string) string
}

// locate finds the Dockerfile's lines in the file that they come from.
func locate(text string, files []*host) *inline {
	var found []*inline
	for _, f := range files {
		in := &inline{text: text, host: f, src: f.src, escape: escapeHCL}
		if isCompose(f.name) {
			in.escape = escapeCompose
		}
		found = append(found, in.search()...)
	}
	if len(found) == 1 {
		return found[0]
	}
	return &inline{text: text, host: files[len(files)-1]}
}

// escapeHCL writes a line as a heredoc of HCL has it, and escapeCompose as
// compose has it, where a dollar starts a variable of theirs.
func escapeHCL(line string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(line)
}

func escapeCompose(line string) string { return strings.ReplaceAll(line, "$", "$$") }

// search returns a copy of the inline Dockerfile for each place at which its
// lines stand, all with the same indentation.
func (in *inline) search() (found []*inline) {
	var want []string
	for line := range strings.Lines(in.text) {
		want = append(want, in.escape(strings.TrimRight(line, "\r\n")))
	}
	lines := edit.NewLines(in.src)
	if len(want) == 0 {
		return nil
	}
	for first := 1; first+len(want)-1 <= lines.Count(); first++ {
		indent, ok := strings.CutSuffix(in.line(lines, first), want[0])
		if !ok || strings.Trim(indent, " \t") != "" {
			continue
		}
		var starts []int
		for i, line := range want {
			have := in.line(lines, first+i)
			if have != indent+line && (line != "" || strings.Trim(have, " \t") != "") {
				break
			}
			starts = append(starts, lines.Span(first+i).Start+min(len(indent), len(have)))
		}
		if len(starts) == len(want) {
			at := *in
			at.indent, at.lines = indent, starts
			found = append(found, &at)
		}
	}
	return found
}

func (in *inline) line(lines *edit.Lines, n int) string {
	return strings.TrimRight(lines.Span(n).Of(in.src), "\r\n")
}

// offset leads from the Dockerfile to its host.
func (in *inline) offset(at int) int {
	before := in.text[:min(at, len(in.text))]
	line := strings.Count(before, "\n")
	if line >= len(in.lines) { // behind the last newline
		last := in.lines[len(in.lines)-1]
		if end := bytes.IndexByte(in.src[last:], '\n'); end >= 0 {
			return last + end
		}
		return len(in.src)
	}
	return in.lines[line] + len(in.escape(before[strings.LastIndexByte(before, '\n')+1:]))
}

func (in *inline) span(s edit.Span) edit.Span {
	return edit.Span{Start: in.offset(s.Start), End: in.offset(s.End)}
}

// rewritten is the host with another text in place of the Dockerfile's.
func (in *inline) rewritten(text string) []byte {
	newline := "\n"
	if bytes.Contains(in.src, []byte("\r\n")) {
		newline = "\r\n"
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			b.WriteString(in.indent + in.escape(line))
		}
		b.WriteString(newline)
	}
	start := in.lines[0] - len(in.indent)
	end := in.lines[len(in.lines)-1]
	if i := bytes.IndexByte(in.src[end:], '\n'); i >= 0 {
		end += i + 1
	} else {
		end = len(in.src)
	}
	return slices.Concat(in.src[:start], []byte(b.String()), in.src[end:])
}

// errNotInline refuses a repair that has no place.
var errNotInline = errors.New("its fixes weren't written, for the Dockerfile doesn't stand in the file as it is built; make them by hand, or move it into a file of its own")

// write puts a repaired text into the host, which may have been changed by the
// repair of another Dockerfile in it.
func (in *inline) write(text string) error {
	if in.lines == nil {
		return errNotInline
	}
	in.host.writing.Lock()
	defer in.host.writing.Unlock()
	now, err := os.ReadFile(in.host.name)
	if err != nil {
		return fmt.Errorf("its fixes weren't written: %w", readError(err))
	}
	again := locate(in.text, []*host{{name: in.host.name, src: now}})
	if again.lines == nil {
		return errNotInline
	}
	after := again.rewritten(text)
	if err := replace(in.host.name, now, after); err != nil {
		return err
	}
	fixed := locate(text, []*host{{name: in.host.name, src: after}})
	in.text, in.src, in.lines = text, after, fixed.lines
	return nil
}

// place puts what was found in the Dockerfile at its place in the host. Without
// one, nothing can be fixed.
func (in *inline) place(f *report.File) {
	if in.lines == nil {
		for i := range f.Findings {
			f.Findings[i].Fix = nil
		}
		return
	}
	f.Src = in.src
	lines := edit.NewLines(in.src)
	for i := range f.Problems {
		if n := f.Problems[i].Line; n > 0 && n <= len(in.lines) {
			f.Problems[i].Line = lines.Line(in.lines[n-1])
		}
	}
	for i := range f.Fixed {
		if n := f.Fixed[i].Line; n > 0 && n <= len(in.lines) {
			f.Fixed[i].Line = lines.Line(in.lines[n-1])
		}
	}
	for i := range f.Findings {
		d := &f.Findings[i]
		d.Span = in.span(d.Span)
		if d.Fix == nil {
			continue
		}
		fix := *d.Fix
		fix.Edits = slices.Clone(fix.Edits)
		for j, e := range fix.Edits {
			fix.Edits[j].Span = in.span(e.Span)
			fix.Edits[j].New = strings.ReplaceAll(in.escape(e.New), "\n", "\n"+in.indent)
		}
		d.Fix = &fix
	}
}
