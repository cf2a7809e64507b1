package linttest

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint/facts"
)

// Lowered is what BuildKit makes of a Dockerfile, without a daemon.
type Lowered struct {
	// Top is the last step of the target's file system; nil for an empty one.
	Top *Step
	// Config is the image's configuration as JSON, without its history.
	Config string
	// History are the lines of the image's history.
	History []string
}

// Step is one operation on a file system.
type Step struct {
	// Below is the step whose file system it starts from; nil for an empty one.
	Below *Step
	// Does says what it does, but for its working folder, its environment, its
	// mounts and its sources.
	Does string
	Dir  string // working folder of a RUN
	// Env is the environment of a RUN, sorted: no meaning is associated with its
	// order (POSIX, Base Definitions 8.1). Words are its arguments.
	Env, Words []string
	// Mounts are those of a RUN, but for the root.
	Mounts []Mount
	// Sources are what a COPY names, and Excludes what it leaves out of them.
	Sources, Excludes []string
	// Linked reports a COPY with --link.
	Linked bool
	// From are the file systems that it copies from; nil for an empty one.
	From []*Step
}

// Mount is a mount of a RUN.
type Mount struct {
	Target string
	Kind   string // all that is said of it, but for its source
	Cache  string // id of a cache
	Tmpfs  bool
	From   *Step
}

// Lower gives a Dockerfile to BuildKit's converter. Images are those of fc, with
// the configuration known there.
func Lower(ctx context.Context, src []byte, fc facts.Context) (low *Lowered, err error) {
	defer func() {
		if p := recover(); p != nil {
			low, err = nil, fmt.Errorf("lower: the converter panicked: %v", p)
		}
	}()
	caps := pb.Caps.CapSet(pb.Caps.All())
	platform := platforms.MustParse("linux/amd64")
	result, err := dockerfile2llb.Dockerfile2LLB(ctx, src, dockerfile2llb.ConvertOpt{
		Config:         dockerui.Config{BuildArgs: fc.Args, Target: fc.Target, BuildPlatforms: []ocispec.Platform{platform}},
		TargetPlatform: &platform,
		MetaResolver:   resolver{fc.Images},
		LLBCaps:        &caps,
	})
	if err != nil {
		return nil, fmt.Errorf("lower: %w", err)
	}
	def, err := result.State.Marshal(ctx, llb.Platform(platform))
	if err != nil {
		return nil, fmt.Errorf("lower: %w", err)
	}
	low = &Lowered{}
	for _, h := range result.Image.History {
		low.History = append(low.History, h.CreatedBy)
	}
	image := *result.Image
	image.History, image.Created = nil, nil
	config, err := json.Marshal(image)
	if err != nil {
		return nil, fmt.Errorf("lower: %w", err)
	}
	low.Config = string(config)
	low.Top, err = steps(def)
	return low, err
}

// resolver answers from facts alone.
type resolver struct{ images facts.ImageResolver }

func (r resolver) ResolveImageConfig(ctx context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config := ocispec.Image{Platform: platforms.MustParse("linux/amd64")}
	if r.images != nil {
		if image, err := r.images.Image(ctx, ref, ""); err == nil {
			config = image.Config
		}
	}
	// Without a layer the converter takes the image for scratch.
	config.RootFS = ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromString(ref)}}
	dt, err := json.Marshal(config)
	return ref, "", dt, err
}

// graph are the operations of a definition by their digests.
type graph struct {
	ops  map[string]*pb.Op
	done map[string]*Step
}

// steps reads a definition.
func steps(def *llb.Definition) (*Step, error) {
	g := &graph{map[string]*pb.Op{}, map[string]*Step{}}
	var last *pb.Op
	for _, dt := range def.Def {
		op := &pb.Op{}
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, fmt.Errorf("read an operation: %w", err)
		}
		g.ops[digest.FromBytes(dt).String()] = op
		last = op
	}
	if last == nil {
		return nil, nil
	}
	return g.input(last, 0), nil // the last one only names the result
}

// input is the step that gives an operation its i-th input.
func (g *graph) input(op *pb.Op, i int64) *Step {
	if i < 0 || int(i) >= len(op.Inputs) {
		return nil
	}
	in := op.Inputs[i]
	key := fmt.Sprint(in.Digest, in.Index)
	if s, ok := g.done[key]; ok {
		return s
	}
	s := g.step(g.ops[in.Digest])
	if in.Index != 0 {
		s.Does += fmt.Sprint(" output ", in.Index)
	}
	g.done[key] = s
	return s
}

func (g *graph) step(op *pb.Op) *Step {
	switch o := op.Op.(type) {
	case *pb.Op_Exec:
		return g.exec(op, o.Exec)
	case *pb.Op_File:
		return g.file(op, o.File)
	case *pb.Op_Merge:
		if copied := g.input(op, 1); len(op.Inputs) == 2 && copied != nil && copied.Below == nil {
			linked := *copied
			linked.Below, linked.Linked = g.input(op, 0), true
			return &linked
		}
		s := &Step{Does: "merge", Below: g.input(op, 0)}
		for i := range op.Inputs[1:] {
			s.From = append(s.From, g.input(op, int64(i+1)))
		}
		return s
	case *pb.Op_Source:
		if strings.HasPrefix(o.Source.Identifier, "local://") {
			return &Step{Does: o.Source.Identifier} // which of its paths are sent is no matter
		}
		return &Step{Does: says(o.Source) + said(op)}
	}
	return &Step{Does: says(op)}
}

// exec is a RUN.
func (g *graph) exec(op *pb.Op, e *pb.ExecOp) *Step {
	s := &Step{Words: e.Meta.Args, Dir: e.Meta.Cwd, Env: slices.Sorted(slices.Values(e.Meta.Env))}
	for _, m := range e.Mounts {
		if m.Dest == "/" {
			s.Below = g.input(op, m.Input)
			continue
		}
		mount := Mount{Target: path.Clean(m.Dest), Cache: m.CacheOpt.GetID(), Tmpfs: m.MountType == pb.MountType_TMPFS, From: g.input(op, m.Input)}
		bare := m.CloneVT()
		bare.Input = 0
		mount.Kind = says(bare)
		s.Mounts = append(s.Mounts, mount)
	}
	slices.SortStableFunc(s.Mounts, func(a, b Mount) int { return strings.Compare(a.Target, b.Target) })
	bare := e.CloneVT()
	bare.Mounts, bare.Meta.Args, bare.Meta.Env, bare.Meta.Cwd = nil, nil, nil, ""
	s.Does = "RUN " + says(bare) + said(op)
	return s
}

// file is COPY, ADD or WORKDIR: a list of actions, each on the result of the
// one before.
func (g *graph) file(op *pb.Op, f *pb.FileOp) *Step {
	s := &Step{Does: "file" + said(op)}
	for i, a := range f.Actions {
		if i == 0 {
			s.Below = g.input(op, a.Input)
		}
		bare := a.CloneVT()
		bare.Input, bare.SecondaryInput, bare.Output = 0, 0, 0
		if c := bare.GetCopy(); c != nil {
			s.Sources, s.Excludes = append(s.Sources, c.Src), append(s.Excludes, c.ExcludePatterns...)
			c.ExcludePatterns = nil
		}
		s.Does += " " + says(bare)
		if a.GetCopy() != nil {
			s.From = append(s.From, g.input(op, a.SecondaryInput))
		}
	}
	return s
}

func said(op *pb.Op) string {
	if op.Platform == nil {
		return ""
	}
	return " on " + op.Platform.OS + "/" + op.Platform.Architecture
}

// says is a message as one line; the same for the same message within one
// process.
func says(m fmt.Stringer) string { return m.String() }
