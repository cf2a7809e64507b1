package rules

import (
	"fmt"
	"io/fs"
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

// movable says what stands against moving a step's installation above the
// sources.
func (all *worlds) movable(s *step, i int, src *sourceCopy, e ecosystem.Env, m ecosystem.Manifests) verdict {
	v := verdict{safety: lint.BuildSafe}
	u := s.uses[i]
	all.between(s, src, &v)
	if u.Dir == "" {
		v.block("the project's folder is not known")
	}
	if m.Breaks != "" {
		v.block("%s", m.Breaks)
	}
	all.copyFlags(src, &v)
	all.wholeStep(s, i, &v)
	if v.blocked != "" {
		return v
	}
	if s.state.Image == nil {
		v.less(lint.Safe, "the configuration of %s is not known", s.base)
	}
	if m.Doubt != "" {
		v.less(lint.Unsafe, "%s", m.Doubt)
	}
	if program := s.commands[i].Words[0].Value; strings.Contains(program, "/") {
		at := path.Clean(program)
		if !path.IsAbs(at) {
			at = path.Join(s.state.Workdir, at)
		}
		if src.absolute == "" || within(src.absolute, at) {
			v.less(lint.Unsafe, "%s may come with the sources", program)
		}
	}
	for _, name := range m.Files {
		if e.Project.IsLink(name) {
			v.less(lint.Unsafe, "%s is a symbolic link", name) // what it leads to wasn't read
		}
	}
	all.apart(src, u, e, m, &v)
	all.place(s, i, src, &v)
	for _, name := range append([]string{src.dest, src.dir, u.Dir}, m.Files...) {
		if strings.ContainsAny(name, " \t\"'\\`[]<") {
			v.block("the path %s can't be written into a COPY as it is", name)
		}
	}
	v.proven(u.Tool)
	return v
}

// between holds that the COPY of the sources may be moved past what stands
// between it and the installation.
func (all *worlds) between(s *step, src *sourceCopy, v *verdict) {
	own := all.effect(src.in)
	for _, in := range s.in.Stage.Instructions {
		if in.Span.Start <= src.in.Span.Start || in.Span.Start >= s.in.Span.Start {
			continue
		}
		if in.Name == "WORKDIR" && path.IsAbs(src.dest) && all.enters(in, src.absolute) {
			continue // the COPY of the manifests has made the folder
		}
		if o := effect.Between(own, all.effect(in)); o != nil {
			v.block("%s stands between them: %s", in.Name, o.Says)
		}
	}
}

// enters reports that a WORKDIR leads to dir.
func (all *steps) enters(in *dockerfile.Instruction, dir string) bool {
	c, ok := in.Command.(*instructions.WorkdirCommand)
	if !ok {
		return false
	}
	to, ok := all.absolute(in, c.Path)
	return ok && to == dir
}

// copyFlags takes only flags that mean the same for single files.
func (all *steps) copyFlags(src *sourceCopy, v *verdict) {
	for _, f := range src.in.Flags {
		if f.Name != "chown" && f.Name != "chmod" {
			v.block("%s has --%s", src.in.Name, f.Name)
		}
	}
}

// onlyInstalls reports that a step does nothing to the project's folder but its
// i-th command, which surely runs: beside it only packages of an index are
// installed ("pip install -U pip"), or the shell is told to be strict.
func (all *steps) onlyInstalls(s *step, i int) bool {
	script := all.pass.File.Script(s.in)
	if script == nil {
		return len(s.commands) == 1
	}
	for _, st := range script.Statements {
		if !st.Plain || st.Joiner == "||" || st.Joiner == "&" {
			return false
		}
		k := slices.IndexFunc(s.commands, func(c *shell.Command) bool { return c.Span == st.Commands[0].Span })
		if k == i {
			continue
		}
		c, u := st.Commands[0], s.uses[k]
		if strict := c.Name() == "set" && c.Known() && len(c.Assigns) == 0; !strict && (u == nil || !u.Apart || len(c.Wrappers) > 0) {
			return false
		}
	}
	return true
}

// wholeStep holds that the step is the installation and nothing else.
func (all *steps) wholeStep(s *step, i int, v *verdict) {
	c := s.commands[i]
	if !all.onlyInstalls(s, i) {
		v.block("the same step does more than that")
	}
	if len(c.Wrappers) > 0 {
		v.less(lint.Unsafe, "%s starts it", c.Wrappers[0].Value)
	}
	if !c.Known() {
		v.less(lint.Unsafe, "some words of the command are not known")
	}
	for _, m := range mounts(all.pass, s.in) {
		if m.Kind == "bind" && m.From == "" || m.Open {
			v.less(lint.Unsafe, "the step has a mount of the context")
		}
	}
}

// apart holds that the installation and the COPY of the sources, below that of
// the manifests, commute. Package effect takes an installation for a program
// that may touch everything; the ecosystem knows what it writes, and the
// context what of that the sources bring, too, and would now lay on top.
func (all *worlds) apart(src *sourceCopy, u *ecosystem.Use, e ecosystem.Env, m ecosystem.Manifests, v *verdict) {
	install, rest := effect.Effect{Network: true}, effect.Effect{}
	project := path.Join("/", src.absolute, u.Dir)
	for _, name := range m.Outputs {
		at := effect.Place{Path: path.Join(project, name)}
		install.Writes = append(install.Writes, at)
		if !e.Project.Known() {
			continue // the ecosystem says so
		}
		there, err := e.Project.Has(name)
		if err != nil {
			at.Perhaps = "whether the context holds " + name + " is not known"
		}
		if there || err != nil {
			rest.Writes = append(rest.Writes, at)
		}
	}
	for _, c := range u.Tool.Caches(u, e) {
		if at := (effect.Place{Path: c.Path}); src.absolute != "" && within(src.absolute, c.Path) {
			install.Writes = append(install.Writes, at)
			at.Perhaps = fmt.Sprintf("the sources are copied to %s, above the cache of %s", src.absolute, u.Tool.Name)
			rest.Writes = append(rest.Writes, at)
		}
	}
	switch o := effect.Between(rest, install); {
	case o == nil:
	case o.Certain:
		v.block("the context holds %s: name it in .dockerignore", strings.TrimPrefix(strings.TrimPrefix(o.At, project), "/"))
	default:
		v.less(lint.Unsafe, "%s", o.Says)
	}
}

// place looks at the folder that the sources and the installation share.
//
// The COPY of the manifests makes it where it isn't there, with the owner and
// mode that the sources' COPY would give it. Folders in it get theirs from the
// context when the sources come (BuildKit, solver/llbsolver/file, and measured).
func (all *steps) place(s *step, i int, src *sourceCopy, v *verdict) {
	u := s.uses[i]
	if src.absolute == "" || !s.state.WorkdirKnown {
		v.less(lint.Safe, "the WORKDIR of this step is not known")
		return
	}
	for _, vol := range all.pass.Result(s.in.Stage).Volumes {
		if related(vol, src.absolute) {
			v.less(lint.Unsafe, "%s is a VOLUME", vol)
		}
	}
	if all.pass.Facts.Files == nil {
		return
	}
	for d := path.Join(src.dir, u.Dir); d != "."; d = path.Dir(d) {
		switch info, err := fs.Lstat(all.pass.Facts.Files, d); {
		case err != nil || !info.IsDir():
			v.less(lint.Unsafe, "%s is no folder of the context", d)
		case info.Mode()&fs.ModeSetgid != 0:
			v.less(lint.Unsafe, "%s gives its group to what is made in it", d)
		}
	}
}

// isFolder reports that the context holds a folder, and no link to one.
func (all *steps) isFolder(name string) bool {
	if all.pass.Facts.Files == nil || !fs.ValidPath(name) {
		return false
	}
	info, err := fs.Lstat(all.pass.Facts.Files, name)
	return err == nil && info.IsDir()
}
