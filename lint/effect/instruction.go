package effect

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// World is what is in force where an instruction stands.
type World struct {
	Scene
	User string // of USER and the base image; "" is root
	// Expand replaces the variables of the Dockerfile in a word; not ok where
	// one isn't known. Nil knows none.
	Expand func(word string) (string, bool)
	// Link says what speaks for an absolute path leading elsewhere by a symbolic
	// link, or why that isn't known; "" where nothing does. It is unlikely where
	// next to no image has such a link. Nil stands for a world without links.
	Link func(path string) (why string, unlikely bool)
}

// Effect is what an instruction reads and writes. The zero value does nothing.
type Effect struct {
	// Unknown says why nothing is known: then it may read and write everything.
	// It is "" where the rest of the value is complete.
	Unknown string

	Reads, Writes []Place
	// Makes are folders that are made where they are missing, and otherwise
	// left as they are: those above a destination.
	Makes []string
	// System reports that the system's package manager, or another tool that
	// keeps to the system's folders, reads and writes these.
	System bool

	Vars []string // variables that it names, or may
	// Environment reports that programs run with all variables in force.
	Environment bool
	programs    []program
	Sets        []string // variables that it sets for what follows

	Needs, Changes Setting
	Network        bool

	// Installs names the first command that installs packages of the system
	// ("apt-get install"), or fetches lists of them where none does, and Users the first that makes users; "" for none.
	Installs, Users string
	// Command is the one that Installs names, or else Users.
	Command *shell.Command
	lists   bool // Installs only fetches lists of packages
}

// Place is a file or a folder with all below it.
type Place struct {
	Path string // absolute and clean
	// Perhaps, where it isn't empty, says why it may be touched; it is likely
	// not.
	Perhaps string
	// Unlikely reports that next to no image has what Perhaps or Link names.
	Unlikely bool
	// Link says why the path may lead elsewhere; see World.Link.
	Link string
}

// Setting is a part of the image's configuration, as a set.
type Setting int

const (
	User Setting = 1 << iota
	Workdir
	Shell
	Config // labels, ports, commands and the like
)

// String names the instruction that changes the setting.
func (s Setting) String() string {
	switch {
	case s&User != 0:
		return "USER"
	case s&Workdir != 0:
		return "WORKDIR"
	case s&Shell != 0:
		return "SHELL"
	}
	return "the configuration"
}

// Of is the effect of an instruction behind FROM.
func Of(in *dockerfile.Instruction, w World) Effect {
	e := &Effect{}
	if in.Err != nil {
		return closed("BuildKit refuses " + in.Name)
	}
	for _, f := range in.Flags {
		e.names(f.Value)
	}
	switch c := in.Command.(type) {
	case *instructions.RunCommand:
		e.run(in, w)
	case *instructions.CopyCommand:
		e.copy(w, c.SourcesAndDest, c.Chown)
		e.names(c.Chown, c.Chmod)
	case *instructions.AddCommand:
		e.copy(w, c.SourcesAndDest, c.Chown)
		e.names(c.Chown, c.Chmod)
		for _, src := range c.SourcePaths {
			if why := unpacked(src); why != "" {
				e.Unknown = why
			}
		}
	case *instructions.WorkdirCommand:
		e.workdir(c.Path, w)
	case *instructions.EnvCommand:
		e.Changes = Config
		for _, kv := range c.Env {
			if strings.Contains(kv.Key, "$") {
				return closed("what ENV " + kv.Key + " sets is not known")
			}
			e.Sets = append(e.Sets, kv.Key)
			e.names(kv.Value)
		}
	case *instructions.ArgCommand:
		for _, arg := range c.Args {
			e.Sets = append(e.Sets, arg.Key)
			if arg.Value != nil {
				e.names(*arg.Value)
			}
		}
	case *instructions.UserCommand:
		e.names(c.User)
		if user, ok := w.expand(c.User); !ok || user != w.User && !(isRoot(user) && isRoot(w.User)) {
			e.Changes = User
		}
	case *instructions.ShellCommand:
		e.Changes = Shell
	case *instructions.VolumeCommand:
		e.Changes = Config
		e.names(c.Volumes...)
		for _, v := range c.Volumes {
			dir, ok := w.expand(v)
			if !ok {
				e.Unknown = "the folder of VOLUME " + v + " is not known"
				continue
			}
			e.Writes = append(e.Writes, Place{Path: path.Clean("/" + dir), Perhaps: dir + " is a VOLUME"})
		}
	case *instructions.CmdCommand, *instructions.EntrypointCommand, *instructions.HealthCheckCommand:
		e.Changes = Config
		if !in.JSON {
			e.Needs = Shell
		}
	case *instructions.LabelCommand, *instructions.ExposeCommand, *instructions.StopSignalCommand, *instructions.MaintainerCommand, *instructions.OnbuildCommand:
		e.Changes = Config
		for _, word := range in.Args {
			e.names(word.Raw)
		}
	default:
		return closed("what " + in.Name + " does is not known")
	}
	return *e
}

// closed is the effect of something of which nothing at all is known.
func closed(why string) Effect {
	return Effect{Unknown: why, Environment: true, programs: []program{{name: "that"}}}
}

func (w World) expand(word string) (string, bool) {
	if w.Expand == nil {
		return word, !strings.Contains(word, "$")
	}
	return w.Expand(word)
}

// place is a path with what is known of links on it.
func (w World) place(p string) Place {
	at := Place{Path: p}
	if w.Link != nil {
		at.Link, at.Unlikely = w.Link(p)
	}
	return at
}

// copy is COPY or ADD: it writes its destination, and reads nothing of the
// image but its destination's folders and the names of --chown.
func (e *Effect) copy(w World, c instructions.SourcesAndDest, chown string) {
	e.names(append([]string{c.DestPath}, c.SourcePaths...)...)
	for _, doc := range c.SourceContents {
		if doc.Expand {
			e.names(doc.Data)
		}
	}
	dest, ok := w.expand(c.DestPath)
	switch {
	case !ok:
		e.Unknown = "the destination " + c.DestPath + " is not known"
		return
	case path.IsAbs(dest):
	case w.Workdir == "":
		e.Unknown = "the WORKDIR of the destination " + c.DestPath + " is not known"
		return
	default:
		e.Needs |= Workdir
		dest = w.Workdir + "/" + dest
	}
	dest = path.Clean(dest)
	at := w.place(dest)
	if dest == "/" {
		at.Unlikely = false
		at.Perhaps = "what is copied to / may lie anywhere"
	}
	e.Writes = append(e.Writes, at)
	e.Makes = append(e.Makes, parents(dest)...)
	if chown == "" {
		return
	}
	owner, ok := w.expand(chown)
	if !ok || !numeric(owner) {
		why := "--chown=" + chown + " is looked up in /etc/passwd and /etc/group"
		for _, file := range []string{"/etc/passwd", "/etc/group"} {
			e.Reads = append(e.Reads, Place{Path: file, Perhaps: why, Unlikely: true})
		}
	}
	if within("/usr/src", dest) { // Alpine has no such folder, which would then be made with this owner
		e.Makes = append(e.Makes, "/usr/src")
	}
}

// workdir makes a folder for the user in force, and leaves one that is there as
// it is.
func (e *Effect) workdir(word string, w World) {
	e.Changes = Workdir
	e.names(word)
	dir, ok := w.expand(word)
	switch {
	case !ok:
		e.Unknown = "the folder of WORKDIR " + word + " is not known"
		return
	case path.IsAbs(dir):
		dir = path.Clean(dir)
	case w.Workdir == "":
		e.Unknown = "the folder of WORKDIR " + word + " is not known"
		return
	default:
		e.Needs |= Workdir
		dir = path.Join(w.Workdir, dir)
	}
	if standard(dir) {
		return
	}
	e.Makes = append(parents(dir), dir)
	if w.Link != nil {
		if at := w.place(dir); at.Link != "" {
			e.Writes = append(e.Writes, at)
		}
	}
	if isRoot(w.User) {
		return
	}
	e.Needs |= User
	if !numeric(w.User) {
		e.Reads = append(e.Reads, Place{Path: "/etc/passwd", Perhaps: "the owner of WORKDIR " + word + " is looked up in /etc/passwd", Unlikely: true})
	}
}

// run is RUN: the effects of its commands together.
func (e *Effect) run(in *dockerfile.Instruction, w World) {
	e.Needs, e.Environment = User, true
	e.programs = []program{{name: "the script"}}
	commands := []*shell.Command{execForm(in)}
	var open []string
	if !in.JSON {
		e.Needs |= Shell
		script := in.Stage.File.Script(in)
		switch {
		case script == nil || script.Err != nil || script.Dialect == shell.Foreign:
			e.Unknown = "what the script does is not known"
			return
		case oddities(script) != "":
			e.Unknown = oddities(script)
			return
		}
		e.mentions(script.Text.String())
		commands, open = script.Commands(), loops(script)
	}
	e.start(commands, w)
	for _, m := range Mounts(in, w) {
		switch {
		case m.Open || m.Target == "":
			e.Unknown = "a mount of the step is not known"
			return
		case m.Kind == "bind" && m.From == "":
			e.Unknown = "the step has a mount of the context"
			return
		}
		e.Writes = append(e.Writes, w.place(m.Target))
	}
	for _, name := range slices.Sorted(maps.Keys(w.Vars)) {
		e.leads(name, w.Vars[name])
	}
	if w.Home != "" {
		e.Reads = append(e.Reads, Place{Path: w.Home, Perhaps: "programs may read settings in HOME, which is " + w.Home})
	}
	e.commands(commands, open, w)
}

// start takes in the programs that a step starts. The shell is one of them. A
// variable may hold options of a tool, and so one that starts another program.
func (e *Effect) start(commands []*shell.Command, w World) {
	e.programs = []program{{"the shell", readByShell}}
	for _, name := range slices.Sorted(maps.Keys(w.Vars)) {
		if strings.Contains(w.Vars[name], "exec=") {
			e.programs = append(e.programs, program{name: "what " + name + " names"})
		}
	}
	for _, c := range commands {
		e.programs = append(e.programs, programOf(c))
		for _, w := range c.Words {
			e.mentions(w.Value)
		}
	}
}

// execForm is the command of a RUN in exec form.
func execForm(in *dockerfile.Instruction) *shell.Command {
	c := &shell.Command{Span: in.Span}
	for _, a := range in.Args {
		c.Words = append(c.Words, shell.Word{Span: a.Span, Raw: a.Raw, Value: a.Value, Literal: true})
	}
	return c
}

// names takes in the variables that a text may name. What only looks like a
// variable does no harm.
func (e *Effect) names(texts ...string) {
	for _, text := range texts {
		for i := 0; i < len(text); i++ {
			if text[i] != '$' {
				continue
			}
			name := strings.TrimLeft(text[i+1:], "{#!")
			n := 0
			for n < len(name) && (name[n] == '_' || name[n]|0x20 >= 'a' && name[n]|0x20 <= 'z' || n > 0 && name[n] >= '0' && name[n] <= '9') {
				n++
			}
			if n > 0 && !slices.Contains(e.Vars, name[:n]) {
				e.Vars = append(e.Vars, name[:n])
			}
		}
	}
}

// mentions takes in every word of a script that may be the name of a variable:
// arithmetic, "test -v" and printenv name one without a "$".
func (e *Effect) mentions(script string) {
	for word := range strings.FieldsFuncSeq(script, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	}) {
		if !slices.Contains(e.Vars, word) {
			e.Vars = append(e.Vars, word)
		}
	}
}

// leads takes in that a variable sends programs to places.
func (e *Effect) leads(name, value string) {
	if !searched(name) {
		return
	}
	for _, p := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(":;,= \t", r) }) {
		if path.IsAbs(p) {
			e.Reads = append(e.Reads, Place{Path: path.Clean(p), Perhaps: name + " leads programs to " + path.Clean(p)})
		}
	}
}

// unpacked says why ADD may write more than a copy of its source.
func unpacked(src string) string {
	lower := strings.ToLower(src)
	switch {
	case strings.Contains(src, "://") || strings.HasPrefix(src, "git@"):
		return "what ADD " + src + " brings is not known"
	case slices.ContainsFunc([]string{".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst"}, func(s string) bool { return strings.HasSuffix(lower, s) }):
		return "what is in the archive " + src + " is not known"
	case strings.ContainsAny(src, "$"):
		return "what ADD " + src + " brings is not known"
	}
	return ""
}

func isRoot(user string) bool { return user == "" || user == "root" || user == "0" }

// numeric reports that "user:group" needs no look into the image.
func numeric(owner string) bool {
	user, group, _ := strings.Cut(owner, ":")
	for _, id := range []string{user, group} {
		if _, err := strconv.Atoi(id); id != "" && err != nil {
			return false
		}
	}
	return true
}

// parents are the folders above a path that may have to be made.
func parents(p string) []string {
	var list []string
	for dir := path.Dir(p); !standard(dir); dir = path.Dir(dir) {
		list = append(list, dir)
	}
	return list
}

// within reports that p is dir or lies in it.
func within(dir, p string) bool {
	return dir == "/" || p == dir || strings.HasPrefix(p, dir+"/")
}
