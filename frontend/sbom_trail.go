package frontend

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"

	"github.com/moby/buildkit/solver/pb"

	"github.com/imgmgr/imgmgr/frontend/trail"
)

// scanSteps is where the scanner finds the results of steps.
const scanSteps = "/run/src/steps"

// maxSideSteps bounds the steps of other stages that a scan looks into. Each
// costs a mount.
const maxSideSteps = 32

// A footstep is a step of the image's trail.
type footstep struct {
	trail.Step
	result  *pb.Input
	lowered *lowered   // where its instruction is known
	silent  bool       // it makes directories and brings nothing in
	side    []footstep // the steps of the stages that it copies from
}

// walk is the way up to image, the lowest step first. Describe, where it is
// given, finds a step's instruction. With stages, the stages that it copies from
// are walked too.
//
// Stages are not walked in a build that imports its cache. There the stage may
// be neither here nor in that cache, and to look into it would build it.
func (g *graph) walk(image *pb.Input, stages bool, describe describer) []footstep {
	w := &walker{graph: g, stages: stages, describe: describe, left: maxSideSteps}
	return w.up(image, "", nil)
}

// describer returns the instruction of a step. Above is the one of the step
// that was put onto it, or that copies from it.
type describer func(dgst string, above *lowered) *lowered

type walker struct {
	graph    *graph
	stages   bool
	describe describer
	left     int // side steps that may still be walked
}

// up walks up to top. Above is the instruction that copies from it, if any.
func (w *walker) up(top *pb.Input, prefix string, above *lowered) []footstep {
	var steps []footstep
	for at := top; at != nil; at = w.graph.link(at).below {
		s := footstep{result: at, silent: w.graph.onlyMakes(at, isDirectory)}
		if w.describe != nil {
			s.lowered = w.describe(at.Digest, above)
		}
		if s.lowered != nil {
			s.Instruction, above = s.lowered.instruction, s.lowered
		}
		steps = append(steps, s)
	}
	slices.Reverse(steps)
	for i := range steps {
		s := &steps[i]
		s.ID = prefix + strconv.Itoa(i)
		if i > 0 {
			s.Below = steps[i-1].ID
		}
		if w.stages {
			w.addSides(s)
		}
	}
	return steps
}

// addSides walks the stages that s copies from.
func (w *walker) addSides(s *footstep) {
	for i, c := range w.graph.copies(s.result) {
		left := w.left
		side := w.up(c.from, fmt.Sprintf("%s.%d.", s.ID, i), s.lowered)
		if w.left -= len(side); w.left < 0 {
			w.left = left
			continue
		}
		s.Copies = append(s.Copies, trail.Copy{From: side[len(side)-1].ID, Source: c.source, Dest: c.dest})
		s.side = append(s.side, side...)
	}
}

type stageCopy struct {
	from         *pb.Input
	source, dest string
}

// copies are what a step copies from other stages and images.
func (g *graph) copies(at *pb.Input) []stageCopy {
	op := g.ops[at.Digest]
	if op.GetMerge() != nil { // COPY --link
		var all []stageCopy
		for _, in := range op.Inputs[min(1, len(op.Inputs)):] {
			all = append(all, g.copies(in)...)
		}
		return all
	}
	var all []stageCopy
	for _, a := range op.GetFile().GetActions() {
		c := a.GetCopy()
		if c == nil || a.SecondaryInput < 0 || a.SecondaryInput >= int64(len(op.Inputs)) {
			continue
		}
		from := op.Inputs[a.SecondaryInput]
		if !g.isSources(from.Digest) && !g.onlyMakes(from, isFile) {
			all = append(all, stageCopy{from, c.Src, c.Dest})
		}
	}
	return all
}

// onlyMakes reports whether a step does nothing but to make what kind tells:
// directories, as WORKDIR does, or files, as COPY does of a heredoc.
func (g *graph) onlyMakes(at *pb.Input, kind func(*pb.FileAction) bool) bool {
	actions := g.ops[at.Digest].GetFile().GetActions()
	for _, a := range actions {
		if !kind(a) {
			return false
		}
	}
	return len(actions) > 0
}

func isFile(a *pb.FileAction) bool { return a.GetMkfile() != nil }

func isDirectory(a *pb.FileAction) bool { return a.GetMkdir() != nil }

// trailTo is what the scan of the step number top is told, and the results that
// it needs, by their mounts. Below is the number of the step whose scan was
// kept, or -1. A scan that is kept itself is told of no instruction, and of no
// step that it doesn't look into.
func trailTo(steps []footstep, below, top int, keep bool) (value string, mounts map[string]*pb.Input, err error) {
	t := trail.Trail{Top: steps[top].ID}
	mounts = map[string]*pb.Input{}
	add := func(s footstep, looked bool) {
		if keep && !looked {
			return
		}
		if keep {
			s.Instruction = nil
		}
		if looked && s.ID != t.Top && !s.silent {
			s.Dir = path.Join(scanSteps, s.ID)
			mounts[s.Dir] = s.result
		}
		t.Steps = append(t.Steps, s.Step)
	}
	for i, s := range steps[:top+1] {
		for _, side := range s.side {
			add(side, i > below)
		}
		add(s, i > below)
	}
	text, err := json.Marshal(t)
	if err != nil {
		return "", nil, fmt.Errorf("tell the SBOM scanner of the image's steps: %w", err)
	}
	return string(text), mounts, nil
}
