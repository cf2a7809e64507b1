package rules

import (
	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/effect"
)

// surroundings are what package effect wants to know of the place where an
// instruction stands, but for links.
func surroundings(p *lint.Pass, in *dockerfile.Instruction) effect.World {
	state := p.State(in)
	return effect.World{
		Scene:  sceneOf(state),
		User:   state.User,
		Expand: func(word string) (string, bool) { return p.Expand(in, word) },
	}
}

func (all *steps) surroundings(in *dockerfile.Instruction) effect.World {
	return surroundings(all.pass, in)
}

func sceneOf(state lint.State) effect.Scene {
	sc := effect.Scene{Vars: state.Env}
	if state.HomeKnown {
		sc.Home = state.Home
	}
	if state.WorkdirKnown {
		sc.Workdir = state.Workdir
	}
	return sc
}

// mounts are the mounts of a RUN.
func mounts(p *lint.Pass, in *dockerfile.Instruction) []effect.Mount {
	return effect.Mounts(in, surroundings(p, in))
}
