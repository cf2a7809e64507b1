package frontend

import (
	"bytes"
	"strings"

	"github.com/moby/buildkit/solver/pb"

	"github.com/imgmgr/imgmgr/lint"
)

// restore returns def with the user's text and lines in its source information,
// and with the applied fixes named on their steps. Neither is part of an op, so
// no digest and no cache key changes. What BuildKit says of a failing step, and
// what it writes into the provenance, comes from here.
func (p *plan) restore(def *pb.Definition) *pb.Definition {
	if bytes.Equal(p.text, p.src) {
		return def
	}
	def = def.CloneVT()
	mine := map[int32]bool{}
	for i, info := range def.Source.Infos {
		if bytes.Equal(info.Data, p.text) {
			info.Data = p.src
			mine[int32(i)] = true
		}
	}
	for dgst, locs := range def.Source.Locations {
		for _, loc := range locs.GetLocations() {
			if !mine[loc.SourceIndex] {
				continue
			}
			rewritten := loc.Ranges
			loc.Ranges = p.original(rewritten)
			if meta := def.Metadata[dgst]; meta != nil && meta.Description[customName] != "" {
				meta.Description[customName] = p.stepName(meta.Description[customName], rewritten, loc.Ranges)
			}
		}
	}
	return def
}

// original leads ranges of lines back to the user's text.
func (p *plan) original(ranges []*pb.Range) []*pb.Range {
	out := make([]*pb.Range, 0, len(ranges))
	for _, r := range ranges {
		first, last := lineRange(r)
		from, to := p.lines.Line(first), p.lines.Line(first)
		for line := first + 1; line <= last; line++ {
			at := p.lines.Line(line)
			from, to = min(from, at), max(to, at)
		}
		out = append(out, &pb.Range{Start: &pb.Position{Line: int32(from)}, End: &pb.Position{Line: int32(to)}})
	}
	return out
}

// lineRange returns the lines of r, both included.
func lineRange(r *pb.Range) (first, last int) {
	first = int(r.GetStart().GetLine())
	return first, max(first, int(r.GetEnd().GetLine()))
}

// customName is the key under which BuildKit keeps the name of a step.
const customName = "llb.customname"

// stepName is the name of a step as it would be without the rewrite, with what
// was done to it behind:
//
//	[2/5] RUN npm ci  [imgmgr: move npm ci above COPY . .; add a cache mount for npm]
func (p *plan) stepName(name string, rewritten, original []*pb.Range) string {
	for _, flag := range p.addedFlags(rewritten, original) {
		name = strings.Replace(name, flag+" ", "", 1)
	}
	name = p.stagePrefix(name)
	var notes []string
	for _, a := range p.applied {
		if covers(original, a.Line) {
			notes = append(notes, note(a))
		}
	}
	if len(notes) == 0 {
		return name
	}
	return name + "  [imgmgr: " + strings.Join(notes, "; ") + "]"
}

// note is a fix's message as a part of a sentence.
func note(a lint.Applied) string {
	first, rest := a.Message[:min(1, len(a.Message))], a.Message[min(1, len(a.Message)):]
	return strings.ToLower(first) + rest
}

// covers reports whether a line lies in one of the ranges.
func covers(ranges []*pb.Range, line int) bool {
	for _, r := range ranges {
		if first, last := lineRange(r); first <= line && line <= last {
			return true
		}
	}
	return false
}

// addedFlags are the flags, as written, that the instruction has in the
// rewritten text only.
func (p *plan) addedFlags(rewritten, original []*pb.Range) []string {
	if len(rewritten) == 0 || len(original) == 0 {
		return nil
	}
	line := int(rewritten[0].GetStart().GetLine())
	var had []string
	for _, in := range p.file.Instructions {
		if covers(original, in.StartLine) {
			for _, f := range in.Flags {
				had = append(had, f.Span.Of(p.src))
			}
		}
	}
	var added []string
	for _, in := range p.fixed.Instructions {
		if in.StartLine != line {
			continue
		}
		for _, f := range in.Flags {
			flag := f.Span.Of(p.text)
			if i := index(had, flag); i >= 0 {
				had = append(had[:i], had[i+1:]...)
			} else {
				added = append(added, flag)
			}
		}
	}
	return added
}

func index(list []string, s string) int {
	for i, have := range list {
		if have == s {
			return i
		}
	}
	return -1
}
