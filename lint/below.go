package lint

import (
	"cmp"
	"iter"
	"slices"

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
// the pass over that file; nil where it starts from anything else, or from one of
// several.
func (p *Pass) Below(st *dockerfile.Stage) (*Pass, *dockerfile.Stage) {
	if all := p.below(st); len(all) == 1 {
		return all[0].pass, all[0].stage
	}
	return nil, nil
}

// below are the stages of other builds that a stage may start from.
func (p *Pass) below(st *dockerfile.Stage) []below {
	if len(p.Facts.Bases) == 0 {
		return nil
	}
	all, ok := p.shared.below[st]
	if !ok {
		all = p.findBelow(st)
		if p.shared.below == nil {
			p.shared.below = map[*dockerfile.Stage][]below{}
		}
		p.shared.below[st] = all
	}
	return all
}

func (p *Pass) findBelow(st *dockerfile.Stage) []below {
	if _, replaced := facts.Replacing(p.Facts.Named, st.Name); replaced || p.File.ParentWith(st, p.Facts.Args) != nil {
		return nil // the context stands for the whole stage
	}
	ref, _ := p.File.BaseRef(st, p.Facts.Args)
	name, _ := facts.Replacing(p.Facts.Bases, ref)
	var all []below
	for _, build := range p.Facts.Bases[name] {
		file, err := dockerfile.Parse(build.Path, build.Source)
		if err != nil {
			return nil // said of that file
		}
		final := file.Final(build.Facts.Target)
		if final == nil {
			return nil
		}
		fc := build.Facts
		fc.Platform = p.platform(st)
		all = append(all, below{&Pass{Context: p.Context, File: file, Facts: fc, shared: &shared{}}, final})
	}
	return all
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

// agreed is what two states have in common: what differs isn't known.
func (s State) agreed(o State) State {
	all := State{Env: map[string]string{}, Open: map[string]bool{}, EnvKnown: s.EnvKnown && o.EnvKnown}
	for _, from := range []State{s, o} {
		for name, value := range from.Env {
			if v, set, known := s.Lookup(name); !set || !known || v != value {
				all.Open[name] = true
			} else if v, set, known := o.Lookup(name); !set || !known || v != value {
				all.Open[name] = true
			} else {
				all.Env[name] = value
			}
		}
		for name := range from.Open {
			all.Open[name] = true
		}
	}
	all.User = s.User
	if s.User != o.User {
		all.User = cmp.Or(s.User, "root") + " or " + cmp.Or(o.User, "root") // in messages; it is no number
	} else {
		all.UID, all.UIDKnown = s.UID, s.UIDKnown && o.UIDKnown && s.UID == o.UID
		all.GID, all.GIDKnown = s.GID, s.GIDKnown && o.GIDKnown && s.GID == o.GID
	}
	all.Home, all.HomeKnown = s.Home, s.HomeKnown && o.HomeKnown && s.Home == o.Home
	all.Workdir, all.WorkdirKnown = s.Workdir, s.WorkdirKnown && o.WorkdirKnown && s.Workdir == o.Workdir
	if slices.Equal(s.Shell, o.Shell) {
		all.Shell, all.ShellKnown = s.Shell, s.ShellKnown && o.ShellKnown
	}
	all.Volumes = slices.Compact(slices.Sorted(slices.Values(slices.Concat(s.Volumes, o.Volumes))))
	return all
}
