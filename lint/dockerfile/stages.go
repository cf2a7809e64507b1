package dockerfile

import (
	"errors"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	bkshell "github.com/moby/buildkit/frontend/dockerfile/shell"
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
		for t := in; t != nil; t = t.Trigger {
			t.Stage = stage
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
	return f.parents(args)[st.Index]
}

// scope holds the variables that FROM can see.
type scope struct {
	values map[string]string
	// open are variables without a value that a build may give one.
	open map[string]bool
	// used are the open variables that were asked for.
	used map[string]bool
}

// Get makes scope an environment for BuildKit's lexer.
func (s scope) Get(name string) (string, bool) {
	v, ok := s.values[name]
	if !ok && s.open[name] {
		s.used[name] = true
	}
	return v, ok
}

// Keys makes scope an environment for BuildKit's lexer.
func (s scope) Keys() []string {
	keys := make([]string, 0, len(s.values))
	for k := range s.values {
		keys = append(keys, k)
	}
	return keys
}

// PlatformArgs are the variables that BuildKit sets in the global scope
// without an ARG.
func PlatformArgs() []string {
	return []string{
		"BUILDPLATFORM", "BUILDOS", "BUILDOSVERSION", "BUILDARCH", "BUILDVARIANT",
		"TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT", "TARGETSTAGE",
	}
}

// globalScope gives the ARGs before the first FROM their values: the build's
// argument, or else the default. With nil args an ARG without default is
// unknown, otherwise it is unset.
func (f *File) globalScope(args map[string]string) scope {
	s := scope{map[string]string{}, map[string]bool{}, map[string]bool{}}
	for _, name := range PlatformArgs() {
		if v, ok := args[name]; ok {
			s.values[name] = v
		} else {
			s.open[name] = true
		}
	}
	for _, in := range f.Global {
		c, ok := in.Command.(*instructions.ArgCommand)
		if !ok {
			continue
		}
		for _, kv := range c.Args {
			s.declare(f, kv, args)
		}
	}
	return s
}

func (s scope) declare(f *File, kv instructions.KeyValuePairOptional, args map[string]string) {
	if v, ok := args[kv.Key]; ok {
		s.values[kv.Key] = v
		return
	}
	if kv.Value == nil {
		if _, set := s.values[kv.Key]; !set && args == nil {
			s.open[kv.Key] = true
		}
		return
	}
	v, known := f.expand(*kv.Value, s)
	if known {
		s.values[kv.Key] = v
	} else {
		delete(s.values, kv.Key)
		s.open[kv.Key] = true
	}
}

// expand replaces the variables of a word. It is unknown where an open
// variable is asked for or the word is malformed.
func (f *File) expand(word string, s scope) (string, bool) {
	clear(s.used)
	lex := bkshell.NewLex(rune(f.Escape))
	v, _, err := lex.ProcessWord(word, s)
	if err != nil || len(s.used) > 0 {
		return "", false
	}
	return v, true
}

// BaseRef is the reference that FROM names: an image, a stage, or "scratch".
// ARGs of the global scope have the value of args, or else their default;
// args may also hold the platform variables (BUILDPLATFORM, TARGETARCH, …).
// It is not ok where it rests on a value that isn't known: a platform variable
// that args lacks, or, with nil args, an ARG without default.
func (f *File) BaseRef(st *Stage, args map[string]string) (ref string, ok bool) {
	ref, ok = f.expand(st.Base, f.globalScope(args))
	return ref, ok && ref != ""
}

// GlobalArg is the value that a stage's "ARG name" without default takes from
// the global scope: the build's argument or the default of an ARG before the
// first FROM, or a platform variable that args holds. It is not ok where there
// is none or it isn't known.
func (f *File) GlobalArg(name string, args map[string]string) (value string, ok bool) {
	value, ok = f.globalScope(args).values[name]
	return value, ok
}

// PlatformRef is the value of FROM's --platform, expanded as BaseRef is. A
// stage without the flag gives "" and true.
func (f *File) PlatformRef(st *Stage, args map[string]string) (platform string, ok bool) {
	return f.expand(st.Platform, f.globalScope(args))
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
// top of it will read. Images and named contexts are not among them.
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
