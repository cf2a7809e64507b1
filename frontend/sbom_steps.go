package frontend

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"

	"github.com/imgmgr/imgmgr/frontend/trail"
)

// BuildKit's frontend scans an image for its SBOM in one step, which runs again
// whenever anything in the image changes. Here that step is taken apart, so
// that a rebuild after a source edit scans only what the edit changed:
//
//	layers below the sources  ->  scan, kept in BuildKit's cache
//	changes since, and that   ->  scan of the changes, merged
//
// There is one kept scan for each place where the build starts to take in
// sources, each made from the one below it. The scanner's last step sees the
// whole image too, and scans all of it where a merge could tell anything else
// than a scan of the whole.

// What the scanner reads of its environment; see frontend/scanner.
const (
	envScanSource  = "BUILDKIT_SCAN_SOURCE"
	envScanExtras  = "BUILDKIT_SCAN_SOURCE_EXTRAS"
	envScanDest    = "BUILDKIT_SCAN_DESTINATION"
	envScanKeep    = "BUILDKIT_SCAN_KEEP"
	envScanBelow   = "BUILDKIT_SCAN_BELOW"
	envScanChanged = "BUILDKIT_SCAN_CHANGED"
	envScanEpoch   = "BUILDKIT_SCAN_SOURCE_DATE_EPOCH"
	envScanMayFail = "BUILDKIT_SCAN_OPTIONAL"

	scanBelow   = "/run/src/below"
	scanChanged = "/run/src/changed"
)

// maxKept bounds the scans that are kept for one image. Each costs a container's
// start in a first build.
const maxKept = 3

// scanning asks for the SBOM in the steps above where BuildKit's frontend asks
// for it in one.
type scanning struct {
	client.Client
	build *build
	plan  *plan
}

// inSteps is c, or what takes the scan by this frontend's own image apart.
func (s scan) inSteps(b *build, p *plan, c client.Client) client.Client {
	if caps := c.BuildOpts().LLBCaps; s.key == "" || caps.Supports(pb.CapDiffOp) != nil {
		return c
	}
	return &scanning{Client: c, build: b, plan: p}
}

func (c *scanning) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	if req.Definition != nil {
		c.build.guard(ctx, "the SBOM is made in one step, and so anew in each rebuild", func() error {
			def, err := c.inSteps(req.Definition)
			if err == nil && def != nil {
				req.Definition = def
			}
			return err
		})
	}
	return c.Client.Solve(ctx, req)
}

// inSteps is [scanInSteps] with what is known of this build's instructions. A
// build that imports its cache doesn't look into other stages: see [graph.walk].
func (c *scanning) inSteps(def *pb.Definition) (*pb.Definition, error) {
	g, err := readGraph(def)
	if err != nil {
		return nil, fmt.Errorf("read the step that makes the SBOM: %w", err)
	}
	imports := c.build.opts["cache-imports"] != "" || c.build.opts["cache-from"] != ""
	return scanInSteps(def, g, c.build.lineFinder(c.plan, g, def), !imports)
}

// scanInSteps returns def, of which g is the graph, with its scan taken apart;
// nil where def is not a scan. The scanner is told of the image's instructions
// by l, where there is one, and with stages of those that the image copies from.
func scanInSteps(def *pb.Definition, g *graph, l *lineFinder, stages bool) (*pb.Definition, error) {
	last := g.ops[g.last]
	if len(last.GetInputs()) != 1 {
		return nil, nil
	}
	step := g.ops[last.Inputs[0].Digest]
	exec := step.GetExec()
	source := env(exec, envScanSource)
	core := mountAt(exec, source)
	if source == "" || env(exec, envScanDest) == "" || core == nil || core.Input < 0 {
		return nil, nil
	}
	image := step.Inputs[core.Input]
	s := &stepper{graph: g, step: step, meta: g.meta[last.Inputs[0].Digest], core: source, out: last.Inputs[0].Index}
	if l == nil {
		s.trail = g.walk(image, stages, nil)
	} else {
		s.trail = g.walk(image, stages, l.describe)
		l.addHistory(s.trail)
	}
	points := g.belowSources(image)
	points = points[max(0, len(points)-maxKept):]
	below, kept := -1, (*pb.Input)(nil)
	for _, p := range points {
		at := slices.IndexFunc(s.trail, func(f footstep) bool { return f.result.Digest == p.Digest && f.result.Index == p.Index })
		var err error
		if kept, err = s.scan(at, below, kept, true); err != nil {
			return nil, err
		}
		below = at
	}
	done, err := s.scan(len(s.trail)-1, below, kept, false)
	if err != nil {
		return nil, err
	}
	if _, err := g.add(&pb.Op{Inputs: []*pb.Input{done}}, nil); err != nil {
		return nil, err
	}
	return g.definition(def.Source), nil
}

// stepper makes scans in the likeness of step, the scan of the whole.
type stepper struct {
	graph *graph
	step  *pb.Op
	meta  *pb.OpMetadata
	trail []footstep
	core  string // where the scanner finds the root
	out   int64  // the output that holds the documents
}

// scan adds a scan of what step number top of the trail gave: of the whole where
// kept is nil, otherwise of what it has more than step number below, of which
// kept is the scan. Keep says that the result is for a scan to come.
func (s *stepper) scan(top, below int, kept *pb.Input, keep bool) (*pb.Input, error) {
	root := s.trail[top].result
	op, meta := s.step.CloneVT(), s.meta.CloneVT()
	exec := op.GetExec()
	op.Inputs = nil
	mount := func(m *pb.Mount, in *pb.Input) {
		m.Input = int64(len(op.Inputs))
		op.Inputs = append(op.Inputs, in)
		exec.Mounts = append(exec.Mounts, m)
	}
	mounts, extras := exec.Mounts, env(exec, envScanExtras)
	exec.Mounts = nil
	for _, m := range mounts {
		switch {
		case m.Dest == s.core:
			m.ContentCache = pb.MountContentCache_OFF // to read all of it costs more than it saves
			mount(m, root)
		case keep && extras != "" && within(m.Dest, extras):
		case m.Input >= 0:
			mount(m, s.step.Inputs[m.Input])
		default:
			exec.Mounts = append(exec.Mounts, m)
		}
	}
	if keep {
		s.forKeeping(exec, meta)
	}
	if kept != nil {
		onto := s.trail[below].result
		changed, err := s.graph.diff(onto, root, s.meta)
		if err != nil {
			return nil, err
		}
		setEnv(exec, envScanBelow, scanBelow)
		setEnv(exec, envScanChanged, scanChanged)
		mount(readOnly(path.Join(scanBelow, "root"), pb.MountContentCache_OFF), onto)
		mount(readOnly(path.Join(scanBelow, "scan"), pb.MountContentCache_DEFAULT), kept)
		mount(readOnly(scanChanged, pb.MountContentCache_OFF), changed)
	}
	steps, results, err := trailTo(s.trail, below, top, keep)
	if err != nil {
		return nil, err
	}
	setEnv(exec, trail.Env, steps)
	for _, dir := range slices.Sorted(maps.Keys(results)) {
		mount(readOnly(dir, pb.MountContentCache_OFF), results[dir])
	}
	dgst, err := s.graph.add(op, meta)
	return &pb.Input{Digest: dgst, Index: s.out}, err
}

// forKeeping makes a scan one whose result is kept. If it fails, the scan of the
// whole does it again, and reports that; and the time that a document bears
// would spoil the cache.
func (s *stepper) forKeeping(exec *pb.ExecOp, meta *pb.OpMetadata) {
	for _, key := range []string{envScanExtras, envScanEpoch} {
		unsetEnv(exec, key)
	}
	setEnv(exec, envScanKeep, "true")
	setEnv(exec, envScanMayFail, "true")
	if name, ok := meta.GetDescription()[customName]; ok {
		meta.Description[customName] = strings.Replace(name, "generating sbom", "generating sbom of what the sources come onto", 1)
	}
}

func readOnly(dest string, cache pb.MountContentCache) *pb.Mount {
	return &pb.Mount{Dest: dest, Output: int64(pb.SkipOutput), Readonly: true, ContentCache: cache}
}

// graph is a definition, to be added to.
type graph struct {
	data [][]byte
	ops  map[string]*pb.Op
	meta map[string]*pb.OpMetadata
	last string // the op that names the result, or the one added last
}

func readGraph(def *pb.Definition) (*graph, error) {
	g := &graph{ops: map[string]*pb.Op{}, meta: map[string]*pb.OpMetadata{}}
	for _, data := range def.Def {
		op := &pb.Op{}
		if err := op.UnmarshalVT(data); err != nil {
			return nil, err
		}
		g.last = digest.FromBytes(data).String()
		g.ops[g.last] = op
		g.meta[g.last] = def.Metadata[g.last]
		g.data = append(g.data, data)
	}
	return g, nil
}

// add adds op, whose inputs are there, and returns its digest.
func (g *graph) add(op *pb.Op, meta *pb.OpMetadata) (string, error) {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(op)
	if err != nil {
		return "", fmt.Errorf("write a step of the SBOM: %w", err)
	}
	dgst := digest.FromBytes(data).String()
	if _, ok := g.ops[dgst]; !ok {
		g.data = append(g.data, data)
	}
	if meta == nil {
		meta = &pb.OpMetadata{}
	}
	g.ops[dgst], g.meta[dgst], g.last = op, meta, dgst
	return dgst, nil
}

// diff adds what upper has more than lower, or different.
func (g *graph) diff(lower, upper *pb.Input, like *pb.OpMetadata) (*pb.Input, error) {
	dgst, err := g.add(&pb.Op{
		Inputs: []*pb.Input{lower, upper},
		Op:     &pb.Op_Diff{Diff: &pb.DiffOp{Lower: &pb.LowerDiffInput{Input: 0}, Upper: &pb.UpperDiffInput{Input: 1}}},
	}, &pb.OpMetadata{
		Description: map[string]string{customName: "[imgmgr] what came onto it, for the SBOM"},
		Caps:        map[string]bool{string(pb.CapDiffOp): true},
		IgnoreCache: like.GetIgnoreCache(),
	})
	return &pb.Input{Digest: dgst}, err
}

// definition is what the last op needs, each op behind its inputs.
func (g *graph) definition(source *pb.Source) *pb.Definition {
	needed := map[string]bool{}
	var need func(dgst string)
	need = func(dgst string) {
		if needed[dgst] {
			return
		}
		needed[dgst] = true
		for _, in := range g.ops[dgst].GetInputs() {
			need(in.Digest)
		}
	}
	need(g.last)
	def := &pb.Definition{Metadata: map[string]*pb.OpMetadata{}, Source: source}
	for _, data := range g.data {
		dgst := digest.FromBytes(data).String()
		if !needed[dgst] {
			continue
		}
		def.Def = append(def.Def, data)
		if meta := g.meta[dgst]; meta != nil {
			def.Metadata[dgst] = meta
		}
	}
	return def
}

func env(exec *pb.ExecOp, key string) string {
	for _, e := range exec.GetMeta().GetEnv() {
		if value, ok := strings.CutPrefix(e, key+"="); ok {
			return value
		}
	}
	return ""
}

func setEnv(exec *pb.ExecOp, key, value string) {
	unsetEnv(exec, key)
	exec.Meta.Env = append(exec.Meta.Env, key+"="+value)
}

func unsetEnv(exec *pb.ExecOp, key string) {
	exec.Meta.Env = slices.DeleteFunc(exec.Meta.Env, func(e string) bool { return strings.HasPrefix(e, key+"=") })
}

func mountAt(exec *pb.ExecOp, dest string) *pb.Mount {
	for _, m := range exec.GetMounts() {
		if m.Dest == dest {
			return m
		}
	}
	return nil
}

// within reports whether a path is dir or lies below it.
func within(name, dir string) bool {
	name, dir = path.Clean(name), path.Clean(dir)
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}
