package frontend

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/moby/buildkit/solver/pb"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/frontend/trail"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// lowered is an instruction of the text that was lowered, and what is told of it.
type lowered struct {
	in          *dockerfile.Instruction
	instruction *trail.Instruction
}

// lineFinder finds the instructions that the steps of a definition come from.
type lineFinder struct {
	build *build
	plan  *plan            // nil where nothing was rewritten
	text  []byte           // that was lowered
	file  *dockerfile.File // text, parsed
	graph *graph
	def   *pb.Definition
}

// lineFinder returns nil where the Dockerfile can't be read.
func (b *build) lineFinder(p *plan, g *graph, def *pb.Definition) *lineFinder {
	l := &lineFinder{build: b, plan: p, text: b.src.Data, file: b.file, graph: g, def: def}
	if p != nil && p.fixed != nil {
		l.text, l.file = p.text, p.fixed
	}
	if l.file == nil {
		return nil
	}
	return l
}

// describe implements [describer].
func (l *lineFinder) describe(dgst string, above *lowered) *lowered {
	limit := math.MaxInt
	if above != nil {
		limit = above.in.StartLine
	} else if st := l.target(); st != nil && len(st.Instructions) > 0 {
		limit = st.Instructions[len(st.Instructions)-1].StartLine
	}
	in := l.find(dgst, limit)
	if in == nil {
		return nil
	}
	told := l.original(in)
	if told == nil {
		return nil
	}
	if ref, ok := strings.CutPrefix(l.graph.ops[dgst].GetSource().GetIdentifier(), "docker-image://"); ok {
		told.Base = ref
	}
	return &lowered{in: in, instruction: told}
}

// target is the stage that is built; nil for the last one.
func (l *lineFinder) target() *dockerfile.Stage {
	for _, st := range l.file.Stages {
		if t := l.build.ui.Target; t != "" && (strings.EqualFold(st.Name, t) || strconv.Itoa(st.Index) == t) {
			return st
		}
	}
	return nil
}

// find finds a step's instruction. Instructions of two stages may be one step:
// what was put onto it stands behind it, so it is the last one above limit.
func (l *lineFinder) find(dgst string, limit int) *dockerfile.Instruction {
	var best *dockerfile.Instruction
	for _, loc := range l.def.GetSource().GetLocations()[dgst].GetLocations() {
		infos := l.def.Source.Infos
		if int(loc.SourceIndex) >= len(infos) || !bytes.Equal(infos[loc.SourceIndex].Data, l.text) {
			continue
		}
		for _, r := range loc.Ranges {
			in := instructionAt(l.file, int(r.GetStart().GetLine()))
			switch {
			case in == nil:
			case best == nil, best.StartLine > limit && in.StartLine < best.StartLine,
				in.StartLine <= limit && in.StartLine > best.StartLine:
				best = in
			}
		}
	}
	return best
}

func instructionAt(f *dockerfile.File, line int) *dockerfile.Instruction {
	for _, in := range f.Instructions {
		if in.StartLine <= line && line <= in.EndLine {
			return in
		}
	}
	return nil
}

// original is what its owner wrote where in stands.
func (l *lineFinder) original(in *dockerfile.Instruction) *trail.Instruction {
	line := in.StartLine
	if l.plan != nil && l.plan.lines != nil {
		line = l.plan.lines.Line(line)
	}
	own := instructionAt(l.build.file, line)
	if own == nil {
		return nil
	}
	told := &trail.Instruction{File: l.build.src.Filename, Line: own.StartLine, Text: oneLine(own)}
	if own.EndLine > own.StartLine {
		told.EndLine = own.EndLine
	}
	if st := own.Stage; st != nil && st.Name != "" {
		told.Stage = st.Name
	} else if st != nil && len(l.build.file.Stages) > 1 {
		told.Stage = strconv.Itoa(st.Index)
	}
	return told
}

// maxText bounds the text of an instruction, in bytes.
const maxText = 200

// oneLine is an instruction's text, without continuations and comments.
func oneLine(in *dockerfile.Instruction) string {
	text := in.Name
	for _, f := range in.Flags {
		text += " " + f.Span.Of(in.Stage.File.Src)
	}
	text = strings.Join(strings.Fields(text+" "+in.Body.String()), " ")
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}

// addHistory says of the image's own steps where they stand in its history:
// behind the base image's entries, one for each instruction.
func (l *lineFinder) addHistory(steps []footstep) {
	if len(steps) == 0 {
		return
	}
	before, ok := l.baseHistory(steps[0].result.Digest)
	if !ok {
		return
	}
	for _, s := range steps {
		if s.lowered == nil {
			continue
		}
		at := before - 1
		if s.Instruction.Base == "" {
			at = before + l.ordinal(s.lowered.in)
		}
		if at >= 0 {
			s.Instruction.History = &at
		}
	}
}

// ordinal counts the instructions on the way from the base image to in, and the
// triggers that stages leave to those that are built on them.
func (l *lineFinder) ordinal(in *dockerfile.Instruction) int {
	count := 0
	for _, other := range in.Stage.Instructions {
		if other == in {
			break
		}
		count++
	}
	for st := l.parent(in.Stage); st != nil; st = l.parent(st) {
		for _, other := range st.Instructions {
			count++
			if other.Trigger != nil {
				count++
			}
		}
	}
	return count
}

func (l *lineFinder) parent(st *dockerfile.Stage) *dockerfile.Stage {
	return l.file.ParentWith(st, l.build.ui.BuildArgs)
}

// baseHistory counts the entries that the base image has in its history, and
// those that its triggers will have. It is not known where entries are missing.
func (l *lineFinder) baseHistory(dgst string) (int, bool) {
	op := l.graph.ops[dgst]
	ref, ok := strings.CutPrefix(op.GetSource().GetIdentifier(), "docker-image://")
	if !ok {
		return 0, op.GetSource() == nil // scratch
	}
	var image struct {
		ocispec.Image
		Config struct{ OnBuild []string }
	}
	p := op.GetPlatform()
	config := l.build.client.byDigest(ref, ocispec.Platform{OS: p.GetOS(), Architecture: p.GetArchitecture(), Variant: p.GetVariant()})
	if json.Unmarshal(config, &image) != nil {
		return 0, false
	}
	layers := 0
	for _, h := range image.History {
		if !h.EmptyLayer {
			layers++
		}
	}
	return len(image.History) + len(image.Config.OnBuild), layers == len(image.RootFS.DiffIDs)
}
