package rules

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/effect"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// step is a RUN with what is known of it.
type step struct {
	in       *dockerfile.Instruction
	state    lint.State
	base     string // reference of the stage's base image; as written where an ARG in it isn't known
	commands []*shell.Command
	uses     []*ecosystem.Use // of commands, nil for those of no known tool
	// elsewhere says of commands where their words stand that aren't the RUN's own, and
	// can't be edited: "the Makefile", "$PIP".
	elsewhere map[*shell.Command]string
	// opaque reports that the script can't be read, or is of another language.
	opaque  bool
	project ecosystem.Project
	acts    map[string][]effect.Act // see on
}

// steps are all RUNs of a file.
type steps struct {
	pass *lint.Pass
	list []*step
	of   map[*dockerfile.Instruction]*step
	// lineage is that of each stage for the build's arguments, itself first.
	lineage map[*dockerfile.Stage][]*dockerfile.Stage
	takings []effect.Taking        // between stages
	headers func() (string, error) // see header
}

func newSteps(p *lint.Pass) *steps {
	own := *lint.Once(p, readSteps)
	own.pass = p
	return &own
}

func readSteps(p *lint.Pass) *steps {
	all := &steps{pass: p, of: map[*dockerfile.Instruction]*step{}, lineage: map[*dockerfile.Stage][]*dockerfile.Stage{}}
	all.takings = effect.Takings(p.File, all.surroundings)
	for _, st := range p.File.Stages {
		for at := st; at != nil; at = p.File.ParentWith(at, p.Facts.Args) {
			all.lineage[st] = append(all.lineage[st], at)
		}
	}
	for _, st := range p.File.Stages {
		for _, in := range st.Instructions {
			if _, ok := in.Command.(*instructions.RunCommand); !ok {
				continue
			}
			s := all.step(in)
			all.list = append(all.list, s)
			all.of[in] = s
		}
	}
	return all
}

func (all *steps) step(in *dockerfile.Instruction) *step {
	s := &step{in: in, state: all.pass.State(in)}
	root := all.root(in.Stage)
	s.base = root.Base
	if ref, ok := all.pass.File.BaseRef(root, all.pass.Facts.Args); ok {
		s.base = ref
	}
	s.commands, s.opaque = startedBy(all.pass.File, in)
	s.project = all.project(in)
	all.throughMake(s)
	for i, c := range s.commands {
		u := use(all.pass, c)
		if u == nil || u.Kind == 0 {
			if spelled := s.spelled(i); spelled != nil {
				u = spelled
			}
		}
		s.uses = append(s.uses, u)
	}
	return s
}

// root is the stage that a stage's lineage starts with.
func (all *steps) root(st *dockerfile.Stage) *dockerfile.Stage {
	line := all.lineage[st]
	return line[len(line)-1]
}

// commandsOf are the commands of a RUN in either form.
func commandsOf(f *dockerfile.File, in *dockerfile.Instruction) (commands []*shell.Command, opaque bool) {
	if in.JSON {
		c := &shell.Command{Span: in.Span}
		for i, a := range in.Args {
			if i == 0 {
				c.Span.Start = a.Span.Start
			}
			c.Span.End = a.Span.End
			c.Words = append(c.Words, shell.Word{Span: a.Span, Raw: a.Raw, Value: a.Value, Literal: true})
		}
		return []*shell.Command{c}, false
	}
	script := f.Script(in)
	if script == nil {
		return nil, true
	}
	return script.Commands(), script.Err != nil || script.Dialect == shell.Foreign
}

// startedBy are the commands that a RUN in either form starts, in the end.
func startedBy(f *dockerfile.File, in *dockerfile.Instruction) (commands []*shell.Command, opaque bool) {
	commands, opaque = commandsOf(f, in)
	if in.JSON {
		return shell.Exec(commands[0])
	}
	return commands, opaque
}

// project is the folder of the context that the stage's sources come from: that
// of the last COPY in front that brings a whole folder or a manifest.
func (all *steps) project(in *dockerfile.Instruction) ecosystem.Project {
	p := ecosystem.Project{Files: all.pass.Facts.Files, Dir: "."}
	for _, st := range slices.Backward(all.lineage[in.Stage]) {
		for _, i := range st.Instructions {
			if st == in.Stage && i.Span.Start >= in.Span.Start {
				break
			}
			c, ok := i.Command.(*instructions.CopyCommand)
			if !ok || c.From != "" {
				continue
			}
			for _, src := range c.SourcePaths {
				if dir, ok := sourceFolder(src); ok {
					p.Dir = dir
				}
			}
		}
	}
	return p
}

func sourceFolder(src string) (string, bool) {
	src = strings.TrimPrefix(path.Clean("/"+src), "/")
	base := path.Base(src)
	switch {
	case src == "":
		return ".", true
	case strings.ContainsAny(src, "$"):
		return "", false
	case ecosystem.IsManifest(base):
		dir := path.Dir(src)
		return dir, fs.ValidPath(dir) && !strings.ContainsAny(dir, "*?[")
	}
	return "", false
}

// scene is what the step's commands run in.
func (s *step) scene() effect.Scene { return sceneOf(s.state) }

// on are the commands that touch a place.
func (s *step) on(place string) []effect.Act {
	acts, ok := s.acts[place]
	if !ok {
		acts = effect.On(s.commands, s.scene(), place)
		if s.acts == nil {
			s.acts = map[string][]effect.Act{}
		}
		s.acts[place] = acts
	}
	return acts
}

// env is the environment of the i-th command.
func (s *step) env(i int) ecosystem.Env {
	e := ecosystem.Env{
		Home: s.state.Home, HomeKnown: s.state.HomeKnown,
		Vars: maps.Clone(s.state.Env), Open: maps.Clone(s.state.Open), Complete: s.state.EnvKnown,
		UID: s.state.UID, UIDKnown: s.state.UIDKnown,
		Why:  "the configuration of " + s.base + " is not known",
		Base: s.base, Project: s.project,
	}
	if !e.HomeKnown && s.state.User != "" {
		e.Home = "~" // for messages
	}
	if s.state.Image != nil {
		e.Image = map[string]string{}
		for _, kv := range s.state.Image.Config.Config.Env {
			name, value, _ := strings.Cut(kv, "=")
			e.Image[name] = value
		}
	}
	if e.Vars == nil {
		e.Vars = map[string]string{}
	}
	if e.Open == nil {
		e.Open = map[string]bool{}
	}
	for _, c := range s.commands[:i] {
		learn(&e, c)
	}
	for _, a := range s.commands[i].Assigns {
		assign(&e, a.Name, a.Value.Value, a.Value.Literal)
	}
	return e
}

// learn takes in what an earlier command of the script does to the environment.
func learn(e *ecosystem.Env, c *shell.Command) {
	switch name := c.Name(); {
	case len(c.Words) == 0:
		for _, a := range c.Assigns {
			assign(e, a.Name, a.Value.Value, a.Value.Literal && !c.Conditional)
		}
	case name == "export" || name == "readonly":
		for _, w := range c.Args() {
			if name, value, ok := strings.Cut(w.Value, "="); ok {
				assign(e, name, value, w.Literal && !c.Conditional)
			}
		}
	case name == "unset":
		for _, w := range c.Args() {
			assign(e, w.Value, "", false)
		}
	case name == "." || name == "source" || name == "eval":
		e.Complete, e.HomeKnown = false, false
		e.Why = "what " + name + " does to the environment is not known"
	}
}

func assign(e *ecosystem.Env, name, value string, known bool) {
	delete(e.Open, name)
	delete(e.Vars, name)
	if known {
		e.Vars[name] = value
	} else {
		e.Open[name] = true
	}
	if name == "HOME" {
		e.Home, e.HomeKnown = "~", known && path.IsAbs(value)
		if e.HomeKnown {
			e.Home = path.Clean(value)
		}
	}
}

// contented is a use that fills caches and lacks no mount.
type contented struct {
	use *ecosystem.Use
	why string
}

// wants are the caches that the step lacks, each once, and the uses that lack none.
func (all *steps) wants(s *step) (wants []*want, content []contented) {
	caches, content := all.gains(s)
	for _, w := range caches {
		if why := all.hasMount(s, w); why != "" {
			content = append(content, contented{w.use, why})
			continue
		}
		w.verdict = all.judge(s, w)
		w.follows = w.cache.Kept && all.filledBefore(s, w)
		if w.follows && (w.blocked != "" || w.safety < lint.BuildSafe) {
			content = append(content, contented{w.use, fmt.Sprintf("%s finds in the layers below what it would take from a cache at %s", w.use.Title, w.cache.Path)})
			continue
		}
		wants = append(wants, w)
	}
	return wants, content
}

// hasMount says which mount of the step serves a cache, or may; "" for none.
func (all *steps) hasMount(s *step, w *want) string {
	for _, place := range w.places() {
		if w.cache.Override != nil && place == w.cache.Override.Path {
			continue
		}
		switch m := all.mounted(s, place); {
		case m == nil:
		case m.Target == "":
			return fmt.Sprintf("whether a mount of the step lies at %s, the cache of %s, is not known", place, w.use.Title)
		case m.Kind == "cache":
			return fmt.Sprintf("%s has a cache mount at %s", w.use.Title, m.Target)
		default:
			return fmt.Sprintf("%s has a mount of another kind (%s) at %s, where its cache lies", w.use.Title, m.Kind, m.Target)
		}
	}
	return ""
}

// filledBefore reports that an earlier step leaves the cache's content in the
// image for this one.
func (all *steps) filledBefore(s *step, w *want) bool {
	for _, o := range all.list {
		if o == s || !all.before(o.in, s.in) || all.mounted(o, w.cache.Path) != nil {
			continue
		}
		for _, other := range all.caches(o) {
			if other.cache.Path == w.cache.Path {
				return true
			}
		}
	}
	return false
}

// caches are the caches that the step's commands would use, mounted or not.
func (all *steps) caches(s *step) []*want {
	wants, _ := all.gains(s)
	return wants
}

// gains are caches, and the uses that fill some and would gain nothing from them.
func (all *steps) gains(s *step) (wants []*want, content []contented) {
	offline := network(s.in) == "none"
	for i, u := range s.uses {
		if u == nil {
			continue
		}
		idle := func(format string, args ...any) {
			content = append(content, contented{u, u.Title + " gets no cache mount: " + fmt.Sprintf(format, args...)})
		}
		if s.in.Err != nil {
			idle("BuildKit refuses this RUN")
			continue
		}
		if u.Kind&ecosystem.Offline != 0 {
			idle("it is told to download nothing")
		}
		for _, c := range u.Tool.Caches(u, s.env(i)) {
			if c.Useless != "" {
				idle("%s", c.Useless)
				continue
			}
			if offline && c.Fetched {
				idle("the step has no network")
				continue
			}
			if where := s.elsewhere[s.commands[i]]; where != "" && len(c.Instead) > 0 {
				c.Off, c.Instead, c.Scratch = "in "+where+" "+unwritable(c.Instead[0]), nil, ""
			}
			k := slices.IndexFunc(wants, func(w *want) bool { return w.cache.Path == c.Path })
			if k < 0 {
				wants = append(wants, &want{use: u, cache: c})
				continue
			}
			wants[k].merge(u, c)
		}
	}
	return wants, content
}

// merge takes in a further use of the same cache: what stands against one use
// stands against the mount.
func (w *want) merge(u *ecosystem.Use, c ecosystem.Cache) {
	w.also = append(w.also, u)
	w.cache.Guess = cmp.Or(w.cache.Guess, c.Guess)
	w.cache.Doubt = cmp.Or(w.cache.Doubt, c.Doubt)
	w.cache.Never = cmp.Or(w.cache.Never, c.Never)
	switch {
	case w.cache.Scratch == c.Scratch:
		w.cache.Instead = append(w.cache.Instead, c.Instead...)
	case w.cache.Scratch != "":
		// One use leaves something in the image that the other doesn't: the
		// cache serves the one alone.
		w.cache.Instead, w.cache.Scratch = nil, ""
	}
	w.cache.Native = w.cache.Native || c.Native
	if w.cache.Project != c.Project {
		w.cache.Doubt = cmp.Or(w.cache.Doubt, "two projects use it in this step")
	}
	if w.cache.Variables != c.Variables {
		w.cache.Doubt = cmp.Or(w.cache.Doubt, "the variables are not the same for all that uses it in this step")
	}
	if w.cache.Off != "" && c.Off == "" {
		w.cache.Off = "" // one of them gains
	}
}

// network is the value of --network.
func network(in *dockerfile.Instruction) string {
	f, _ := in.Flag("network")
	return f.Value
}

// mounted returns the step's mount at the place, above it or below it. A mount
// of which nothing is known counts.
func (all *steps) mounted(s *step, place string) *effect.Mount {
	for _, m := range mounts(all.pass, s.in) {
		if m.Open && m.Target == "" || m.Target != "" && related(m.Target, place) {
			return &m
		}
	}
	return nil
}

// related reports that one of two clean paths lies in the other, or that they
// are the same.
func related(a, b string) bool { return within(a, b) || within(b, a) }

// within reports that p is dir or lies in it.
func within(dir, p string) bool {
	return dir == "/" || p == dir || strings.HasPrefix(p, dir+"/")
}
