package dockerfile

import (
	"errors"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// Scratch is the reference of the empty base image.
const Scratch = "scratch"

var errBeforeFrom = errors.New("the instruction stands before the first FROM, where only ARG may; move it into a stage")

// arrangeStages puts the instructions into stages and finds parents.
func (f *File) arrangeStages() {
	var stage *Stage
	for _, in := range f.Instructions {
		switch {
		case in.Name == "FROM":
			stage = f.newStage(in)
			f.Stages = append(f.Stages, stage)
		case stage != nil:
			stage.Instructions = append(stage.Instructions, in)
		case in.Name == "ARG":
			f.Global = append(f.Global, in)
		case in.Err == nil:
			in.Command, in.Err = nil, errBeforeFrom
		}
		in.Stage = stage
		if in.Trigger != nil {
			in.Trigger.Stage = stage
		}
	}
	for i, parent := range f.parents(nil) {
		f.Stages[i].Parent = parent
	}
}

func (f *File) newStage(in *Instruction) *Stage {
	st := &Stage{Index: len(f.Stages), From: in, File: f}
	if len(in.Args) > 0 {
		st.Base = in.Args[0].Raw
	}
	if c, ok := in.Command.(*instructions.Stage); ok {
		st.Name = c.Name
		st.Platform = c.Platform
	}
	return st
}

// parents finds the parent of each stage for the arguments of a build. A base
// names the nearest stage of that name above; BuildKit keeps names in lower
// case and compares FROM's base as it is.
func (f *File) parents(args map[string]string) []*Stage {
	scope := f.globalScope(args)
	named := map[string]*Stage{}
	parents := make([]*Stage, len(f.Stages))
	for i, st := range f.Stages {
		// An unknown value can't be part of a stage's name that is written out.
		if ref, _ := f.expand(st.Base, scope); ref != "" {
			parents[i] = named[ref]
		}
		if st.Name != "" {
			named[st.Name] = st
		}
	}
	return parents
}

// ParentWith is Parent for the arguments of a build.
func (f *File) ParentWith(st *Stage, args map[string]string) *Stage {
	if f.Plain(st.Base) {
		return st.Parent
	}
	return f.parents(args)[st.Index]
}

// Lineage is the stage itself, its parent, and so on down to the stage that
// starts from an image or from scratch.
func (st *Stage) Lineage() []*Stage {
	var line []*Stage
	for s := st; s != nil; s = s.Parent {
		line = append(line, s)
	}
	return line
}

// External is the reference, as written, that the stage's lineage starts from;
// "scratch" is possible.
func (st *Stage) External() string {
	line := st.Lineage()
	return line[len(line)-1].Base
}

// Stage finds a stage by its name, in any case. The last one of a name counts.
func (f *File) Stage(name string) *Stage {
	name = strings.ToLower(name)
	for i := len(f.Stages) - 1; i >= 0 && name != ""; i-- {
		if f.Stages[i].Name == name {
			return f.Stages[i]
		}
	}
	return nil
}

// Final is the stage that is built for a target: by its name, by its number,
// and the last one for "". It is nil where there is none.
func (f *File) Final(target string) *Stage {
	if target == "" {
		if len(f.Stages) == 0 {
			return nil
		}
		return f.Stages[len(f.Stages)-1]
	}
	if st := f.Stage(target); st != nil {
		return st
	}
	return f.numbered(target)
}

// numbered finds a stage by its number, as COPY --from does.
func (f *File) numbered(number string) *Stage {
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n >= len(f.Stages) {
		return nil
	}
	return f.Stages[n]
}

// Sources are the stages that an instruction reads: COPY --from by name or
// number, RUN --mount=from= by name, and through a trigger what the stages on
// top of it will read. Images and named contexts are not among them; a stage
// below is, although BuildKit refuses to read from it.
func (f *File) Sources(in *Instruction) []*Stage {
	var sources []*Stage
	add := func(st *Stage) {
		if st != nil {
			sources = append(sources, st)
		}
	}
	switch in.Name {
	case "COPY":
		if from, ok := in.Flag("from"); ok {
			if _, err := strconv.Atoi(from.Value); err == nil {
				add(f.numbered(from.Value))
			} else {
				add(f.Stage(from.Value))
			}
		}
	case "RUN":
		for _, m := range in.Mounts() {
			add(f.Stage(m.From))
		}
	case "ONBUILD":
		if in.Trigger != nil {
			return f.Sources(in.Trigger)
		}
	}
	return sources
}

// Needed is the set of stages that BuildKit builds for a target (as in Final)
// when every ARG has its default. The triggers of a needed parent count.
func (f *File) Needed(target string) map[*Stage]bool { return f.NeededWith(target, nil) }

// NeededWith is Needed for the arguments of a build.
func (f *File) NeededWith(target string, args map[string]string) map[*Stage]bool {
	needed := map[*Stage]bool{}
	parents := f.parents(args)
	todo := []*Stage{f.Final(target)}
	for len(todo) > 0 {
		st := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if st == nil || needed[st] {
			continue
		}
		needed[st] = true
		parent := parents[st.Index]
		todo = append(todo, parent)
		for _, in := range st.Instructions {
			if in.Trigger == nil {
				todo = append(todo, f.Sources(in)...)
			}
		}
		if parent == nil {
			continue
		}
		for _, in := range parent.Instructions {
			if in.Trigger != nil {
				todo = append(todo, f.Sources(in)...)
			}
		}
	}
	return needed
}
