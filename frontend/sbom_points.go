package frontend

import (
	"strings"

	"github.com/moby/buildkit/solver/pb"
)

// A link is a step on the way from a base image to the result: what it was put
// onto, and whether it takes in sources.
type link struct {
	below   *pb.Input // nil: it starts from nothing
	sources bool
	all     bool // it takes in the whole of a build context
	trees   bool // it takes in what is likely a directory, not a few files by name
}

func (l *link) take(path string, direct bool) {
	l.sources = true
	l.all = l.all || direct && wholeTree(path)
	l.trees = l.trees || !direct || !strings.Contains(strings.TrimPrefix(path, "/."), ".")
}

// belowSources are the states onto which the build of image puts sources, the
// lowest first.
//
// There are none above the step that takes in a whole build context: that step
// and all above it change with every edit. Nor is there one below a few files,
// such as a package manager's manifests, if there is one above them: they change
// seldom, and what is installed from them may need a scan of the whole, so that
// a first build would scan twice.
func (g *graph) belowSources(image *pb.Input) []*pb.Input {
	var chain []link // the topmost first
	for at := image; at != nil; {
		l := g.link(at)
		chain = append(chain, l)
		at = l.below
	}
	var points []*pb.Input
	onto := false // the step below takes in sources too, so they change together
	few := false  // above the last point, only a few files were taken in
	for i := len(chain) - 1; i >= 0; i-- {
		l := chain[i]
		if l.sources && !onto && l.below != nil {
			if few {
				points = points[:len(points)-1]
			}
			points = append(points, l.below)
			few = true
		}
		onto = l.sources
		few = few && !l.trees
		if l.all {
			break
		}
	}
	return points
}

// link is the topmost step of a state.
func (g *graph) link(at *pb.Input) link {
	op := g.ops[at.Digest]
	switch {
	case op.GetFile() != nil:
		return g.fileLink(op)
	case op.GetExec() != nil:
		var l link
		for _, m := range op.GetExec().Mounts {
			switch {
			case m.Input < 0 || m.Input >= int64(len(op.Inputs)):
			case m.Dest == pb.RootMount:
				l.below = op.Inputs[m.Input]
			case m.MountType == pb.MountType_BIND && g.takesSources(op.Inputs[m.Input].Digest, nil):
				l.take(m.Selector, g.isSources(op.Inputs[m.Input].Digest))
			}
		}
		return l
	case op.GetMerge() != nil && len(op.Inputs) > 0:
		l := link{below: op.Inputs[0]}
		for _, in := range op.Inputs[1:] {
			if g.takesSources(in.Digest, nil) {
				l.take("", false)
			}
		}
		return l
	}
	return link{}
}

func (g *graph) fileLink(op *pb.Op) link {
	var l link
	count := int64(len(op.Inputs))
	for i, a := range op.GetFile().Actions {
		if i == 0 && a.Input >= 0 && a.Input < count {
			l.below = op.Inputs[a.Input]
		}
		if a.SecondaryInput < 0 || a.SecondaryInput >= count {
			continue
		}
		from := op.Inputs[a.SecondaryInput].Digest
		if !g.takesSources(from, nil) {
			continue
		}
		l.take(a.GetCopy().GetSrc(), g.isSources(from))
	}
	return l
}

func wholeTree(path string) bool { return strings.Trim(path, "/.") == "" }

// takesSources reports whether a step's result depends on a build context.
func (g *graph) takesSources(dgst string, seen map[string]bool) bool {
	if seen == nil {
		seen = map[string]bool{}
	}
	if seen[dgst] {
		return false
	}
	seen[dgst] = true
	if g.isSources(dgst) {
		return true
	}
	for _, in := range g.ops[dgst].GetInputs() {
		if g.takesSources(in.Digest, seen) {
			return true
		}
	}
	return false
}

// isSources reports whether a step is a build context, or a file from the web.
func (g *graph) isSources(dgst string) bool {
	scheme, _, _ := strings.Cut(g.ops[dgst].GetSource().GetIdentifier(), "://")
	switch scheme {
	case "local", "git", "http", "https":
		return true
	}
	return false
}
