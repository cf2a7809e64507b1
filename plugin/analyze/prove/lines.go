package prove

import (
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/plugin/analyze/report"
)

// Lines are the bytes that each instruction ships, by the line of the Dockerfile as it
// is written at which it begins. back leads from a line of the file that the image was
// built from to one of that; nil is the same line.
func Lines(written *dockerfile.File, r *report.Report, back func(int) int) map[int]int64 {
	out := map[int]int64{}
	for _, l := range r.Layers {
		if l.Base || l.Line == 0 {
			continue
		}
		line := l.Line
		if back != nil {
			line = back(line)
		}
		out[Start(written, line)] += l.Bytes
	}
	return out
}

// Start is the line at which the instruction of a line begins.
func Start(f *dockerfile.File, line int) int {
	if in := f.At(f.Lines.Span(line).Start); in != nil {
		return in.StartLine
	}
	return line
}
