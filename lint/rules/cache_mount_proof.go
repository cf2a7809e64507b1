package rules

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/effect"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// judge says what stands against mounting a cache in a step.
func (all *steps) judge(s *step, w *want) verdict {
	v := all.alone(s, w)
	all.cleans(s, w, &v)
	if w.cache.Kept {
		all.kept(s, w, &v)
	}
	v.proven(w.use.Tool)
	if v.blocked != "" {
		v.safety, v.doubt = lint.None, "" // no longer matter
	}
	return v
}

// proven holds a fix back that no build has yet shown to be right.
func (v *verdict) proven(tool *ecosystem.Tool) {
	if !tool.Proven {
		v.less(lint.Safe, "no image built with %s has been proven equal yet", tool.Name)
	}
}

// alone judges a mount without regard to the same cache in other steps, and to
// commands of the step that empty it.
func (all *steps) alone(s *step, w *want) verdict {
	v := verdict{safety: lint.BuildSafe}
	if s.state.Image == nil {
		v.less(lint.Safe, "the configuration of %s is not known", s.base)
	}
	if w.cache.Guess != "" {
		v.less(lint.Safe, "%s", w.cache.Guess)
	}
	if w.cache.Doubt != "" {
		v.less(lint.Safe, "%s", w.cache.Doubt)
	}
	if w.cache.PerBase && s.baseDigest() == "" {
		v.less(lint.Safe, "the digest of %s is not known", s.base)
	}
	all.user(s, w, &v)
	for _, u := range append([]*ecosystem.Use{w.use}, w.also...) {
		if u.Through != "" {
			v.less(lint.Safe, "what %s makes of the command is not known", u.Through)
		}
	}
	if w.cache.Never != "" {
		v.block("%s", w.cache.Never)
	}
	if w.cache.Off != "" {
		v.block("%s", w.cache.Off)
	}
	all.rewordable(s, w, &v)
	all.baseLinks(s, w, &v)
	switch {
	case strings.HasPrefix(w.cache.Path, "~"):
		v.block("%s", w.cache.Guess)
	case !plainPath(w.cache.Path):
		v.block("the path can't be written into a mount")
	}
	all.ownStep(s, w, &v)
	all.otherSteps(s, w, &v)
	all.readers(s, w, &v)
	if w.cache.Native && v.safety > lint.Safe { // otherwise it would say no more
		all.native(s, w, &v)
	}
	if w.cache.Override != nil {
		all.override(s, w.cache.Override, &v)
	}
	return v
}

// plainPath reports that a path can be written into a --mount: no comma, quote,
// variable or space.
func plainPath(p string) bool {
	return path.IsAbs(p) && p != "/" && !strings.ContainsFunc(p, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@", r))
	})
}

// user looks at who runs the command. BuildKit makes the folders above a mount
// for root; another user could then not write beside it.
func (all *steps) user(s *step, w *want, v *verdict) {
	switch {
	case s.state.Image == nil && s.state.User == "":
		// Said already.
	case !s.state.UIDKnown || (s.state.UID != 0 && !s.state.GIDKnown):
		v.block("the numbers of USER %s, who has to own the mount, are not known", s.state.User)
	case s.state.UID != 0:
		v.less(lint.Unsafe, "whether USER %s owns %s is not known; BuildKit makes a missing one for root", s.state.User, path.Dir(w.cache.Path))
	}
	wrappers := slices.Clone(w.use.Command.Wrappers)
	for _, u := range w.also {
		wrappers = append(wrappers, u.Command.Wrappers...)
	}
	for _, wrap := range wrappers {
		switch wrap.Value {
		case "exec", "command", "builtin", "time", "nice", "ionice", "nohup", "timeout", "stdbuf", "setsid", "eatmydata", "chronic", "sh", "bash", "dash", "ash", "eval":
		case "env":
			if strings.Contains(wrap.Raw, " -") {
				v.less(lint.Unsafe, "%s changes the environment", wrap.Raw)
			}
		default:
			v.less(lint.Unsafe, "%s may run the command as another user", wrap.Value)
		}
	}
}

// target is where the cache is mounted.
func (w *want) target() string { return cmp.Or(w.cache.Mount, w.cache.Path) }

// places are the folders and files that matter to a mount of the cache: its own
// and those that it covers.
func (w *want) places() []string {
	list := []string{w.cache.Path}
	if w.cache.Mount != "" {
		list = append(list, w.cache.Mount)
	}
	if w.cache.Scratch != "" {
		list = append(list, w.cache.Scratch)
	}
	if w.cache.Override != nil {
		list = append(list, w.cache.Override.Path)
	}
	return list
}

// ownStep looks at the other commands of the step: a mount can't be removed,
// and what empties it takes the gain away.
func (all *steps) ownStep(s *step, w *want, v *verdict) {
	needed := w.cache.Needs == 0
	for _, u := range s.uses {
		if u == nil || u.Tool.Name != w.use.Tool.Name {
			continue
		}
		if u.Kind&ecosystem.Offline != 0 {
			v.less(lint.Unsafe, "%s in the same step works offline", u.Title)
		}
		if u.Kind&ecosystem.Locate != 0 && w.cache.Settable {
			v.less(lint.Safe, "%s in the same step may change where the cache is, or how it is used", u.Title)
		}
		needed = needed || u.Kind&w.cache.Needs != 0
	}
	if !needed {
		v.less(lint.Safe, "%s", w.cache.NeedsWhy)
	}
	for _, place := range w.places() {
		for _, act := range s.on(place) {
			name := act.Command.Name()
			if place == w.cache.Path && w.cache.Mount != "" && act.Touch != effect.Uses {
				if act.Touch != effect.Unknown && !act.Forced { // it is the image's own, and may be empty
					v.less(lint.Unsafe, "%s in the same step expects %s", name, place)
				}
				continue
			}
			switch act.Touch {
			case effect.Removes:
				v.block("%s in the same step would fail on the mount", name)
			case effect.Empties:
				v.block("%s in the same step would empty it", name)
			case effect.Unknown:
				v.less(lint.Unsafe, "whether %s in the same step touches %s is not known", name, place)
			case effect.Uses:
				v.less(lint.Unsafe, "%s in the same step uses %s", name, place)
			}
		}
	}
}

// otherSteps looks at what lies at the place before, and at who comes for it
// later: in the stage, in the stages it is made from, in those made from it.
func (all *steps) otherSteps(s *step, w *want, v *verdict) {
	for _, st := range all.pass.File.Stages {
		for _, in := range st.Instructions {
			earlier, later := all.before(in, s.in), all.before(s.in, in)
			if !earlier && !later {
				continue
			}
			for _, place := range w.places() {
				all.neighbour(in, w, place, earlier, v)
			}
		}
	}
	for _, vol := range all.pass.Result(s.in.Stage).Volumes {
		if related(vol, w.cache.Path) || related(vol, w.target()) {
			v.less(lint.Unsafe, "%s is a VOLUME", vol)
		}
	}
}

// before reports that a is part of what b starts from.
func (all *steps) before(a, b *dockerfile.Instruction) bool {
	if a.Stage == b.Stage {
		return a.Span.Start < b.Span.Start
	}
	return slices.Contains(all.lineage[b.Stage], a.Stage)
}

func (all *steps) neighbour(in *dockerfile.Instruction, w *want, place string, earlier bool, v *verdict) {
	if dest, ok := all.destination(in); ok && within(place, dest) {
		v.less(lint.Unsafe, "%s puts files into %s", in.Name, place)
	}
	o, ok := all.of[in]
	if !ok {
		return
	}
	if o.opaque && !earlier {
		v.less(lint.Unsafe, "a later RUN can't be read")
	}
	for _, act := range o.on(place) {
		name := act.Command.Name()
		if use(all.pass, act.Command) != nil {
			continue
		}
		switch {
		case act.Touch == effect.Uses:
			v.less(lint.Unsafe, "%s in another step uses %s", name, place)
		case !earlier && !act.Forced && (act.Touch == effect.Removes || act.Touch == effect.Empties):
			v.less(lint.Unsafe, "%s in a later step expects %s", name, place)
		}
	}
	for _, u := range o.uses {
		switch {
		case u == nil || u.Tool.Name != w.use.Tool.Name:
		case !earlier && u.Kind&ecosystem.Offline != 0:
			v.less(lint.Unsafe, "%s in a later step works offline and needs the cache", u.Title)
		case earlier && u.Kind&ecosystem.Locate != 0 && w.cache.Settable:
			v.less(lint.Safe, "%s in an earlier step may change where the cache is, or how it is used", u.Title)
		}
	}
}

// destination is where COPY or ADD writes to.
func (all *steps) destination(in *dockerfile.Instruction) (string, bool) {
	var dest string
	switch c := in.Command.(type) {
	case *instructions.CopyCommand:
		dest = c.DestPath
	case *instructions.AddCommand:
		dest = c.DestPath
	default:
		return "", false
	}
	return all.absolute(in, dest)
}

func (all *steps) absolute(in *dockerfile.Instruction, word string) (string, bool) {
	p, ok := all.pass.Expand(in, word)
	if !ok {
		return "", false
	}
	if !path.IsAbs(p) {
		state := all.pass.State(in)
		if !state.WorkdirKnown {
			return "", false
		}
		p = path.Join(state.Workdir, p)
	}
	return path.Clean(p), true
}

// readers looks for other stages that take files from this one.
func (all *steps) readers(s *step, w *want, v *verdict) {
	for _, t := range all.takings {
		switch {
		case !slices.Contains(all.lineage[t.From], s.in.Stage):
		case t.Path == "":
			v.less(lint.Unsafe, "which files a later %s takes from this stage is not known", t.In.Name)
		case related(t.Path, w.cache.Path):
			v.less(lint.Unsafe, "a later %s takes %s from this stage", t.In.Name, t.Path)
		}
	}
}

// header is a file of the context that C sources may include; "" for none.
func (all *steps) header() (string, error) {
	if all.headers == nil {
		name, err := facts.FindSuffix(all.pass.Facts.Files, ".h", ".hh", ".hpp", ".hxx", ".h++", ".inc", ".inl", ".def")
		all.headers = func() (string, error) { return name, err }
	}
	return all.headers()
}

// native looks for headers that could change without the cache's keys: those of
// the system, brought by anything that isn't known to leave it alone, and those
// of the project where that is compiled, too.
func (all *steps) native(s *step, w *want, v *verdict) {
	name := w.use.Tool.Name
	unless := ""
	if w.cache.NativeUnless != "" {
		unless = " (" + w.cache.NativeUnless + ")"
	}
	for _, st := range all.lineage[s.in.Stage] {
		for _, in := range st.Instructions {
			if in != s.in && !all.before(in, s.in) {
				continue
			}
			if o, ok := all.of[in]; ok {
				if c := o.changesSystem(name, w.cache.Foreign); c != "" || o.opaque {
					v.less(lint.Safe, "%s may change C headers, which the cache of %s does not see%s", cmp.Or(c, "a RUN"), name, unless)
				}
			}
			if c, ok := in.Command.(*instructions.CopyCommand); ok && c.From != "" && !(w.cache.Foreign && all.programs(in)) {
				v.less(lint.Safe, "COPY --from may change C headers, which the cache of %s does not see%s", name, unless)
			}
		}
	}
	if w.cache.Foreign {
		return
	}
	switch header, err := all.header(); {
	case err != nil:
		v.less(lint.Safe, "whether the context has C headers, which the cache of %s does not see, is not known%s", name, strings.Replace(unless, "need not)", "need not be)", 1))
	case header != "":
		v.less(lint.Safe, "the context has %s, and the cache of %s does not see C headers change%s", header, name, unless)
	}
}

// programs reports that a COPY writes into a folder of programs.
func (all *steps) programs(in *dockerfile.Instruction) bool {
	dest, ok := all.destination(in)
	return ok && slices.ContainsFunc([]string{"/bin", "/usr/bin", "/usr/local/bin"}, func(dir string) bool { return within(dir, dest) })
}

// changesSystem names a command that may change the system's files. Where the
// cache holds nothing of the project, a language's package manager is none:
// what it installs is no part of the system.
func (s *step) changesSystem(tool string, foreign bool) string {
	for i, c := range s.commands {
		if u := s.uses[i]; u != nil && (u.Tool.Name == tool || foreign && !ecosystem.System(c)) || ecosystem.Inert(c) {
			continue
		}
		return cmp.Or(c.Name(), "a command")
	}
	return ""
}
