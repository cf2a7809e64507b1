package lint

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// State is what is in force right before an instruction: what its base image
// brought and what the instructions above it changed.
//
// A field whose Known isn't set says nothing.
type State struct {
	// Image is the image that the stage's lineage starts from; nil when it is
	// unknown or scratch.
	Image   *facts.Image
	Scratch bool

	User     string // as written; "" is root
	UID      int    // where UIDKnown: User is a number, or root
	GID      int    // where GIDKnown: after a colon, or root's 0
	UIDKnown bool
	GIDKnown bool

	Home      string // HOME of a RUN
	HomeKnown bool

	Workdir      string // absolute
	WorkdirKnown bool

	// Env holds ENV, and ARGs with a value. EnvKnown says that the base's own
	// variables are among them, so that a missing name isn't set.
	Env      map[string]string
	EnvKnown bool
	// Open are the names that the build sets to something that isn't known:
	// platform arguments, and what is made of them.
	Open map[string]bool

	Shell      []string
	ShellKnown bool

	Volumes []string // absolute paths, so far

	// hidden are the variables that an ARG has a value for, as the image has them.
	hidden map[string]hidden
}

type hidden struct {
	value  string
	known  bool
	absent bool // the image hasn't the variable
}

// Lookup returns the value of a variable. It isn't known where the base image's
// variables aren't, or where the value rests on something unknown.
func (s State) Lookup(name string) (value string, set, known bool) {
	if s.Open[name] {
		return "", true, false
	}
	value, set = s.Env[name]
	return value, set, set || s.EnvKnown
}

// State returns what is in force right before in. For a global ARG, and for a
// stage whose base isn't known, little of it is.
func (p *Pass) State(in *dockerfile.Instruction) State {
	if in.Stage == nil {
		return State{}
	}
	states := p.states(in.Stage)
	if s, ok := states.before[in]; ok {
		return s
	}
	return states.first
}

// Result returns what is in force at the end of a stage: what an image made of
// it, or a stage that starts from it, gets.
func (p *Pass) Result(st *dockerfile.Stage) State { return p.states(st).last }

// Expand replaces the variables in word by what is in force right before in.
// It fails where one of them isn't known.
func (p *Pass) Expand(in *dockerfile.Instruction, word string) (string, bool) {
	return expand(p.File, p.State(in), word)
}

// onWindows reports that a finding is about a stage that runs on Windows: its
// image says so, or where that isn't known, its name.
func (p *Pass) onWindows(d Diagnostic) bool {
	in := p.File.At(d.Start)
	if in == nil || in.Stage == nil {
		return false
	}
	if image := p.Result(in.Stage).Image; image != nil && image.Config.OS != "" {
		return image.Config.OS == "windows"
	}
	return p.File.Windows(in.Stage)
}

// stageStates are the states of one stage.
type stageStates struct {
	first, last State
	before      map[*dockerfile.Instruction]State
}

func (p *Pass) states(st *dockerfile.Stage) *stageStates {
	if s, ok := p.shared.states[st]; ok {
		return s
	}
	if p.shared.states == nil {
		p.shared.states = map[*dockerfile.Stage]*stageStates{}
	}
	s := &stageStates{first: p.base(st), before: map[*dockerfile.Instruction]State{}}
	now := s.first
	for _, in := range st.Instructions {
		s.before[in] = now
		now = p.step(now, in)
	}
	s.last = now
	p.shared.states[st] = s
	return s
}

// base is the state right behind FROM.
func (p *Pass) base(st *dockerfile.Stage) State {
	if _, replaced := facts.Replacing(p.Facts.Named, st.Name); replaced {
		return State{}
	}
	if parent := p.File.ParentWith(st, p.Facts.Args); parent != nil {
		return p.Result(parent).inherited()
	}
	if all := p.below(st); len(all) > 0 {
		s := all[0].pass.Result(all[0].stage).exported()
		for _, b := range all[1:] {
			s = s.agreed(b.pass.Result(b.stage).exported())
		}
		return s
	}
	ref, ok := p.BaseRef(st)
	if !ok {
		return State{}
	}
	if ref == "scratch" {
		return State{Scratch: true, UIDKnown: true, GIDKnown: true, Workdir: "/", WorkdirKnown: true, EnvKnown: true, ShellKnown: true, Env: map[string]string{}}
	}
	if p.Facts.Images == nil {
		return State{}
	}
	image, err := p.Facts.Images.Image(p.Context, ref, p.platform(st))
	if err != nil || image == nil {
		return State{} // not known; the build says so if it has to
	}
	return imageState(image)
}

// platform is what the stage's base is resolved for; "" for the default.
func (p *Pass) platform(st *dockerfile.Stage) string {
	if st.Platform == "" {
		return p.Facts.Platform
	}
	// $BUILDPLATFORM and the like mean the builder's own default.
	platform, _ := p.File.PlatformRef(st, p.Facts.Args)
	return platform
}

func imageState(image *facts.Image) State {
	c := image.Config.Config
	s := State{Image: image, Env: map[string]string{}, EnvKnown: true, ShellKnown: true, Workdir: "/", WorkdirKnown: true}
	for _, kv := range c.Env {
		k, v, _ := strings.Cut(kv, "=")
		s.Env[k] = v
	}
	if c.WorkingDir != "" {
		s.Workdir = path.Clean(c.WorkingDir)
	}
	for v := range c.Volumes {
		s.Volumes = append(s.Volumes, path.Clean("/"+v))
	}
	slices.Sort(s.Volumes)
	s.setUser(c.User)
	return s
}

// setUser takes what USER says apart. Only numbers and root are known without
// the image's passwd.
func (s *State) setUser(user string) {
	s.User = user
	name, group, hasGroup := strings.Cut(user, ":")
	s.UID, s.UIDKnown = number(name)
	s.GID, s.GIDKnown = number(group)
	if !hasGroup {
		s.GIDKnown = s.UIDKnown && s.UID == 0
	}
	s.setHome()
}

// setHome finds HOME as BuildKit's runtime does: the variable, or the home
// folder in the image's passwd, which for user 0 is /root.
func (s *State) setHome() {
	if home, ok := s.Env["HOME"]; ok && path.IsAbs(home) {
		s.Home, s.HomeKnown = path.Clean(home), true
		return
	}
	s.Home, s.HomeKnown = "", false
	if s.EnvKnown && !s.Open["HOME"] && s.UIDKnown && s.UID == 0 {
		s.Home, s.HomeKnown = "/root", true
	}
}

func number(id string) (int, bool) {
	if id == "" || id == "root" {
		return 0, true
	}
	n, err := strconv.Atoi(id)
	return n, err == nil && n >= 0
}

// step is the state behind in.
func (p *Pass) step(s State, in *dockerfile.Instruction) State {
	ex := func(word string) (string, bool) { return expand(p.File, s, word) }
	switch c := in.Command.(type) {
	case *instructions.EnvCommand:
		// All values of one ENV see the variables from before it.
		next := s.own()
		for _, kv := range c.Env {
			v, ok := ex(kv.Value)
			next.set(kv.Key, v, ok)
			next.hidden = maps.Clone(next.hidden)
			delete(next.hidden, kv.Key)
		}
		s = next
		s.setHome()
	case *instructions.ArgCommand:
		s = s.own()
		for _, arg := range c.Args {
			p.arg(&s, arg)
		}
		s.setHome()
	case *instructions.UserCommand:
		user, ok := ex(c.User)
		s.setUser(user)
		if !ok {
			s.UIDKnown, s.GIDKnown, s.HomeKnown = false, false, false
		}
	case *instructions.WorkdirCommand:
		dir, ok := ex(c.Path)
		switch {
		case !ok:
			s.WorkdirKnown = false
		case path.IsAbs(dir):
			s.Workdir, s.WorkdirKnown = path.Clean(dir), true
		default:
			s.Workdir = path.Join(s.Workdir, dir)
		}
	case *instructions.ShellCommand:
		s.Shell, s.ShellKnown = c.Shell, true
	case *instructions.VolumeCommand:
		for _, v := range c.Volumes {
			if dir, ok := ex(v); ok {
				s.Volumes = append(slices.Clip(s.Volumes), path.Clean("/"+dir))
			}
		}
	}
	return s
}

// arg sets what an ARG brings: the build's own value, else the default here,
// else the global ARG's.
func (p *Pass) arg(s *State, arg instructions.KeyValuePairOptional) {
	if v, ok := p.Facts.Args[arg.Key]; ok {
		s.hide(arg.Key, v, true)
		return
	}
	if p.Facts.Args == nil { // the build may pass one
		s.hide(arg.Key, "", false)
		return
	}
	if arg.Value != nil {
		v, ok := expand(p.File, *s, *arg.Value)
		s.hide(arg.Key, v, ok)
		return
	}
	if v, ok := p.File.GlobalArg(arg.Key, p.Facts.Args); ok {
		s.hide(arg.Key, v, true)
	} else if slices.Contains(dockerfile.PlatformArgs(), arg.Key) {
		s.hide(arg.Key, "", false)
	}
}

// hide sets a variable for the steps of the stage alone: BuildKit lets the later
// one of ARG and ENV win there, and the image keeps what ENV says.
func (s *State) hide(name, value string, known bool) {
	old, set := s.Env[name]
	if _, twice := s.hidden[name]; !twice {
		if s.hidden = maps.Clone(s.hidden); s.hidden == nil {
			s.hidden = map[string]hidden{}
		}
		s.hidden[name] = hidden{old, set, !set && !s.Open[name] && s.EnvKnown}
	}
	s.set(name, value, known)
}

// inherited is the state that a stage starts with which is made from one with
// this result: BuildKit hands it the ARGs, and sets the image's variables again.
func (s State) inherited() State {
	s = s.own()
	args := map[string]hidden{}
	for name, of := range s.hidden {
		if of.absent {
			args[name] = of
		} else {
			s.set(name, of.value, of.known)
		}
	}
	s.hidden = args
	s.setHome()
	return s
}

// own returns a state whose variables can be changed without changing s.
func (s State) own() State {
	s.Env, s.Open = maps.Clone(s.Env), maps.Clone(s.Open)
	if s.Env == nil {
		s.Env = map[string]string{}
	}
	if s.Open == nil {
		s.Open = map[string]bool{}
	}
	return s
}

func (s *State) set(name, value string, known bool) {
	if known {
		s.Env[name] = value
		delete(s.Open, name)
		return
	}
	s.Open[name] = true
	delete(s.Env, name)
}

// expand replaces the variables in word by their values in s.
func expand(f *dockerfile.File, s State, word string) (string, bool) {
	if f.Plain(word) {
		return word, true
	}
	lex := shell.NewLex(rune(f.Escape))
	got, err := lex.ProcessWordWithMatches(word, env(s.Env))
	if err != nil {
		return "", false
	}
	for name := range got.Unmatched {
		if _, _, known := s.Lookup(name); !known {
			return "", false
		}
	}
	return got.Result, true
}

// env lets BuildKit's word expansion read a map.
type env map[string]string

func (e env) Get(name string) (string, bool) {
	v, ok := e[name]
	return v, ok
}

func (e env) Keys() []string { return slices.Sorted(maps.Keys(e)) }
