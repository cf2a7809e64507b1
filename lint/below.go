package lint

import (
	"iter"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// BaseRef is the image or the stage that a stage's FROM names, as
// dockerfile.File.BaseRef has it. It is not ok where a named context stands for it.
func (p *Pass) BaseRef(st *dockerfile.Stage) (ref string, ok bool) {
	if _, replaced := facts.Replacing(p.Facts.Named, st.Name); replaced {
		return "", false
	}
	ref, ok = p.File.BaseRef(st, p.Facts.Args)
	if _, replaced := facts.Replacing(p.Facts.Named, ref); replaced {
		return "", false
	}
	return ref, ok
}

// below is a stage of another build's Dockerfile.
type below struct {
	pass  *Pass
	stage *dockerfile.Stage
}

// Below is the stage of another build's Dockerfile that a stage starts from, and
// the pass over that file; nil where it starts from anything else.
func (p *Pass) Below(st *dockerfile.Stage) (*Pass, *dockerfile.Stage) {
	if len(p.Facts.Bases) == 0 {
		return nil, nil
	}
	b, ok := p.shared.below[st]
	if !ok {
		b = p.findBelow(st)
		if p.shared.below == nil {
			p.shared.below = map[*dockerfile.Stage]below{}
		}
		p.shared.below[st] = b
	}
	return b.pass, b.stage
}

func (p *Pass) findBelow(st *dockerfile.Stage) below {
	if _, replaced := facts.Replacing(p.Facts.Named, st.Name); replaced || p.File.ParentWith(st, p.Facts.Args) != nil {
		return below{} // the context stands for the whole stage
	}
	ref, _ := p.File.BaseRef(st, p.Facts.Args)
	name, ok := facts.Replacing(p.Facts.Bases, ref)
	if !ok {
		return below{}
	}
	build := p.Facts.Bases[name]
	file, err := dockerfile.Parse(build.Path, build.Source)
	if err != nil {
		return below{} // said of that file
	}
	final := file.Final(build.Facts.Target)
	if final == nil {
		return below{}
	}
	fc := build.Facts
	fc.Platform = p.platform(st)
	return below{&Pass{Context: p.Context, File: file, Facts: fc, shared: &shared{}}, final}
}

// Lineage is the stage itself, its parent, and so on, also through the Dockerfiles
// of other builds, each with the pass over its file.
func (p *Pass) Lineage(st *dockerfile.Stage) iter.Seq2[*Pass, *dockerfile.Stage] {
	return func(yield func(*Pass, *dockerfile.Stage) bool) {
		for at := p; st != nil; {
			root := st
			for _, own := range st.Lineage() {
				if root = own; !yield(at, own) {
					return
				}
			}
			at, st = at.Below(root)
		}
	}
}

// exported is the state that a stage of another build starts with, whose base is
// an image with this result. What is known of the image below it would not be
// true of this one.
func (s State) exported() State {
	s = s.inherited()
	for name, of := range s.hidden {
		if of.absent {
			delete(s.Env, name)
			delete(s.Open, name)
		}
	}
	s.hidden, s.Image, s.Scratch = nil, nil, false
	s.setHome()
	return s
}
