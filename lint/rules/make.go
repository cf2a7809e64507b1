package rules

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/effect"
	"github.com/imgmgr/imgmgr/lint/makefile"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// throughMake puts what make runs into the place of make, where the context's
// Makefile tells all of it. What it doesn't tell leaves make a command of which
// nothing is known.
func (all *steps) throughMake(s *step) {
	var commands []*shell.Command
	s.elsewhere = map[*shell.Command]string{}
	for i, c := range s.commands {
		made, ok := all.recipes(s, i)
		if !ok {
			commands = append(commands, c)
			continue
		}
		for _, m := range made {
			s.elsewhere[m] = "the Makefile"
		}
		commands = append(commands, made...)
	}
	s.commands = commands
}

// recipes are the commands that the i-th command of the step runs, if that is
// make.
func (all *steps) recipes(s *step, i int) ([]*shell.Command, bool) {
	c := s.commands[i]
	if c.Name() != "make" || len(c.Wrappers) > 0 || s.opaque {
		return nil, false
	}
	goals, set, ok := makeArguments(c)
	if !ok || !all.makefileLies(s, i) {
		return nil, false
	}
	project := ecosystem.Project{Files: all.pass.Facts.Files, Dir: "."}
	for _, other := range []string{"GNUmakefile", "makefile"} { // make looks for these first
		if there, err := project.Has(other); there || err != nil {
			return nil, false
		}
	}
	src, err := fs.ReadFile(project.Files, "Makefile")
	if err != nil {
		return nil, false
	}
	file, err := makefile.Read(src)
	if err != nil {
		return nil, false
	}
	vars := makeVars(s.env(i))
	for _, name := range []string{"MAKEFLAGS", "GNUMAKEFLAGS", "MAKEFILES"} { // more arguments, more files
		if _, set, known := vars(name); set || !known {
			return nil, false
		}
	}
	script, err := file.Script(goals, set, vars)
	if err != nil {
		return nil, false
	}
	for _, a := range c.Assigns {
		script = "export " + a.Name + "=" + a.Value.Raw + "\n" + script
	}
	last := !slices.ContainsFunc(s.commands[i+1:], func(later *shell.Command) bool { return later.Span.End > c.Span.End })
	return commandsOfMake(script, c, last)
}

// makeVars is the environment that make finds: what the image and the
// Dockerfile say, and what BuildKit, the runtime and the shell add.
func makeVars(e ecosystem.Env) makefile.Vars {
	return func(name string) (value string, set, known bool) {
		switch name {
		case "HOME":
			return e.Home, true, e.HomeKnown
		case "PWD", "OLDPWD", "HOSTNAME", "TERM", "SHLVL", "USER", "LOGNAME", "_":
			return "", false, false
		}
		if strings.HasSuffix(strings.ToLower(name), "_proxy") { // a build argument that no ARG has to name
			return "", false, false
		}
		value, set = e.Vars[name]
		return value, set, set || e.Complete && !e.Open[name]
	}
}

// makeArguments reads the words behind make: targets, variables, and flags that
// change nothing about what is run.
func makeArguments(c *shell.Command) (goals []string, set map[string]string, ok bool) {
	set = map[string]string{}
	args := c.Args()
	for i, w := range args {
		name, value, assigns := strings.Cut(w.Value, "=")
		switch {
		case strings.HasPrefix(w.Raw, "-j"), i > 0 && args[i-1].Raw == "-j" && !w.Literal:
		case !w.Literal:
			return nil, nil, false
		case w.Value == "-s" || w.Value == "-k" || w.Value == "--silent" || w.Value == "--quiet" || w.Value == "--no-print-directory":
		case strings.HasPrefix(w.Value, "-") || strings.ContainsAny(w.Value, "$:"):
			return nil, nil, false
		case assigns:
			set[name] = value
		case i > 0 && args[i-1].Raw == "-j" && strings.Trim(w.Value, "0123456789") == "":
		default:
			goals = append(goals, w.Value)
		}
	}
	return goals, set, true
}

// commandsOfMake are the commands of a script that make runs. They stand where
// the make command does. Those that empty caches can't be taken out of a
// Makefile, and what make exports is not for the commands behind it.
func commandsOfMake(script string, c *shell.Command, last bool) ([]*shell.Command, bool) {
	text := &edit.Text{}
	text.Add([]byte(script), edit.Span{End: len(script)})
	parsed := shell.Parse(text, shell.POSIX)
	if parsed.Err != nil || strings.Contains(script, "export ") && !last {
		return nil, false
	}
	commands := parsed.Commands()
	for _, m := range commands {
		if u := ecosystem.Find(m); m.Name() == "make" || u != nil && u.Kind&ecosystem.Clean != 0 {
			return nil, false
		}
		m.StandAt(c.Span)
		for _, words := range [][]shell.Word{m.Words, m.Wrappers} {
			for i := range words {
				told(&words[i])
			}
		}
		for i := range m.Assigns {
			told(&m.Assigns[i].Value)
		}
		for i := range m.Redirects {
			told(&m.Redirects[i].Path)
		}
	}
	return commands, true
}

// told says of a word of a Makefile whether all of it is known.
func told(w *shell.Word) {
	w.Literal = w.Literal && !strings.Contains(w.Value, makefile.Unknown)
}

// makefileLies reports that the step's i-th command finds the context's
// Makefile in its folder: a COPY has brought it there, and nothing since then
// has touched it.
func (all *steps) makefileLies(s *step, i int) bool {
	if all.pass.Facts.Files == nil || !s.state.WorkdirKnown || all.mounted(s, s.state.Workdir) != nil {
		return false
	}
	at := path.Join(s.state.Workdir, "Makefile")
	there := false
	for _, st := range slices.Backward(all.lineage[s.in.Stage]) {
		for _, in := range st.Instructions {
			if in == s.in {
				break
			}
			if dest, ok := all.destination(in); ok && dest == s.state.Workdir && bringsMakefile(in) {
				there = true
			} else if isCopy(in) && (!ok || within(dest, at) || within(at, dest)) {
				there = there && ok && dest == s.state.Workdir && sparesMakefile(in)
			}
			if o, ok := all.of[in]; ok {
				there = there && !o.opaque && leaves(o, o.commands, at)
			}
		}
	}
	return there && !slices.ContainsFunc(s.commands[:i], moves) && leaves(s, s.commands[:i], at)
}

func moves(c *shell.Command) bool {
	return slices.Contains([]string{"cd", "pushd", "popd", "eval", ".", "source"}, c.Name())
}

// leaves reports that commands are known not to touch a file: they are standard
// tools, or install packages.
func leaves(s *step, commands []*shell.Command, at string) bool {
	for _, c := range commands {
		u := ecosystem.Find(c)
		installs := u != nil && u.Kind&ecosystem.Fetch != 0 && u.Kind&ecosystem.Build == 0
		if !installs && !ecosystem.System(c) && !ecosystem.Inert(c) {
			return false
		}
	}
	return len(effect.On(commands, s.scene(), at)) == 0
}

func isCopy(in *dockerfile.Instruction) bool { return in.Name == "COPY" || in.Name == "ADD" }

// bringsMakefile reports that a COPY or ADD takes the context's root, or the
// Makefile in it.
func bringsMakefile(in *dockerfile.Instruction) bool {
	sources, ok := fromContext(in)
	return ok && slices.ContainsFunc(sources, func(src string) bool {
		src = path.Clean("/" + src)
		return src == "/" || src == "/Makefile"
	})
}

// sparesMakefile reports that a COPY or ADD of files into the folder brings no
// Makefile of another kind: each of them has a name, and that is another one.
func sparesMakefile(in *dockerfile.Instruction) bool {
	sources, ok := fromContext(in)
	return ok && !slices.ContainsFunc(sources, func(src string) bool {
		base := path.Base(src)
		return strings.ContainsAny(src, "*?[$") || !strings.Contains(base, ".") || strings.HasPrefix(base, ".")
	})
}

// fromContext are the sources of a COPY or ADD that takes files of the context,
// as they are called there.
func fromContext(in *dockerfile.Instruction) ([]string, bool) {
	for _, f := range in.Flags {
		if f.Name != "chown" && f.Name != "link" {
			return nil, false
		}
	}
	switch c := in.Command.(type) {
	case *instructions.CopyCommand:
		return c.SourcePaths, len(c.SourceContents) == 0
	case *instructions.AddCommand:
		return c.SourcePaths, len(c.SourceContents) == 0
	}
	return nil, false
}
