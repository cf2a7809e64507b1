package rules

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

// movable says what stands against moving a step's installation above the
// sources.
func (all *steps) movable(s *step, i int, src *sourceCopy, e ecosystem.Env, m ecosystem.Manifests) verdict {
	v := verdict{safety: lint.BuildSafe}
	u := s.uses[i]
	if !src.next {
		v.block("it is not the next instruction")
	}
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
	if old := syntaxBefore(all.pass.File, 19); old != "" && len(m.Rewritten) > 0 {
		v.less(lint.Unsafe, "%s knows no COPY --exclude", old)
	}
	all.outputs(e.Project, m, &v)
	all.place(s, i, src, e, &v)
	for _, name := range append([]string{src.dest, src.dir, u.Dir}, m.Files...) {
		if strings.ContainsAny(name, " \t\"'\\`[]<") {
			v.block("the path %s can't be written into a COPY as it is", name)
		}
	}
	v.proven(u.Tool)
	return v
}

// copyFlags takes only flags that mean the same for single files.
func (all *steps) copyFlags(src *sourceCopy, v *verdict) {
	for _, f := range src.in.Flags {
		if f.Name != "chown" && f.Name != "chmod" {
			v.block("%s has --%s", src.in.Name, f.Name)
		}
	}
}

// wholeStep holds that the step is the installation and nothing else.
func (all *steps) wholeStep(s *step, i int, v *verdict) {
	c := s.commands[i]
	if len(s.commands) > 1 {
		v.block("the same step does more than that")
	}
	if script := all.pass.File.Script(s.in); script != nil && (len(script.Statements) != 1 || !script.Statements[0].Plain) {
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

// outputs holds that what is installed doesn't come with the sources, which
// would now lie on top of it.
func (all *steps) outputs(p ecosystem.Project, m ecosystem.Manifests, v *verdict) {
	if !p.Known() {
		return
	}
	for _, name := range m.Outputs {
		switch there, err := p.Has(name); {
		case err != nil:
			v.less(lint.Unsafe, "whether the context holds %s is not known", name)
		case there:
			v.block("the context holds %s: name it in .dockerignore", name)
		}
	}
}

// place looks at the folder that the sources and the installation share.
func (all *steps) place(s *step, i int, src *sourceCopy, e ecosystem.Env, v *verdict) {
	u := s.uses[i]
	if src.absolute == "" || !s.state.WorkdirKnown {
		v.less(lint.Safe, "the WORKDIR of this step is not known")
		return
	}
	if !all.hasWorkdir(s) {
		v.less(lint.Unsafe, "whether %s is there before the COPY is not known", src.absolute)
	}
	if u.Dir != "." {
		v.less(lint.Unsafe, "the COPY of the manifests would make the folder %s", u.Dir)
	}
	for _, vol := range all.pass.Result(s.in.Stage).Volumes {
		if related(vol, src.absolute) {
			v.less(lint.Unsafe, "%s is a VOLUME", vol)
		}
	}
	for _, c := range u.Tool.Caches(u, e) {
		if within(src.absolute, c.Path) {
			v.less(lint.Unsafe, "the sources are copied to %s, above the cache of %s", src.absolute, u.Tool.Name)
		}
	}
	if src.dir != "." && all.pass.Facts.Files != nil {
		for d := src.dir; d != "."; d = path.Dir(d) {
			if !all.isFolder(d) {
				v.less(lint.Unsafe, "%s is a link", d)
			}
		}
	}
}

// hasWorkdir reports that a WORKDIR of the file makes the folder.
func (all *steps) hasWorkdir(s *step) bool {
	for _, st := range all.lineage[s.in.Stage] {
		for _, in := range slices.Backward(st.Instructions) {
			if in.Name == "WORKDIR" && (st != s.in.Stage || in.Span.Start < s.in.Span.Start) {
				return true
			}
		}
	}
	return false
}

// isFolder reports that the context holds a folder, and no link to one.
func (all *steps) isFolder(name string) bool {
	if all.pass.Facts.Files == nil || !fs.ValidPath(name) {
		return false
	}
	info, err := fs.Lstat(all.pass.Facts.Files, name)
	return err == nil && info.IsDir()
}
