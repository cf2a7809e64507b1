package ecosystem

import (
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// Habits is what the build of an image asks of a command of a package manager,
// and whether this one does it. A part that doesn't concern the command is zero.
type Habits struct {
	// Packages are those that the command names and that could have a version.
	Packages []Package
	// Pin shows how a package and its version are written: "curl=VERSION".
	Pin string
	// Lasting reports that the index keeps old versions, so that a pin holds.
	Lasting bool
	// Yes is the flag that makes the command go on without asking; "" where the
	// command has it, or needs none.
	Yes string
	// Lean is the flag that leaves out packages which are only recommended; ""
	// where the command has it, or there is none.
	Lean string
	// Upgrades reports that the command takes every package of the image to its
	// newest version.
	Upgrades bool
	// Leaves is the folder in which the command leaves what it fetched; "" where
	// it leaves nothing. NoCache is the flag that prevents it, or else Clean the
	// command that empties it.
	Leaves, NoCache, Clean string
	// NoDev says what makes the command leave out the packages that only
	// development needs: "--omit=dev"; "" where it installs all.
	NoDev string
	// Lock is the lock file that the command may go past; "" where it keeps to
	// it, or there is none. Frozen is what makes it keep to it: a flag, or, where
	// FrozenVerb isn't empty, another verb.
	Lock, Frozen, FrozenVerb string
	// Script is the script of the project that the command runs: "build" of
	// "npm run build"; "" where it runs none.
	Script string
	// Starts is the script by which the command starts a service: "start" of
	// "npm start". The script runs in the image's /bin/sh, and a signal gets no
	// further than to that. "" where it starts none, or passes signals on.
	Starts string
	// Codes are those of hadolint's checks for the parts above.
	Codes Codes
}

// Codes are hadolint's names for what a command lacks; "" where it has none.
type Codes struct{ Pin, Yes, Lean, Upgrade, Cache string }

// Package is a package that a command names.
type Package struct {
	Word   shell.Word
	Pinned bool
}

// HabitsOf is what is asked of a use; the zero value for a tool that nothing
// is asked of.
func (u *Use) HabitsOf() Habits {
	if u.Tool == nil || u.Tool.Habits == nil || u.Through != "" {
		return Habits{}
	}
	return u.Tool.Habits(u)
}

// Verb is the word that says what the command does, "install"; not ok where it
// isn't written out.
func (u *Use) Verb() (shell.Word, bool) {
	if len(u.options.operands) == 0 || !u.options.operands[0].Literal {
		return shell.Word{}, false
	}
	return u.options.operands[0], true
}

// packages are the operands behind the first skip that name packages, judged by
// pinned; what named refuses is none.
func (l line) packages(skip int, named, pinned func(string) bool) []Package {
	var list []Package
	for _, w := range l.operands[min(skip, len(l.operands)):] {
		if w.Literal && w.Value != "" && named(w.Value) {
			list = append(list, Package{Word: w, Pinned: pinned(w.Value)})
		}
	}
	return list
}

// short reports that a cluster of short options holds one: "-qqy" holds y.
func (l line) short(letter string) bool {
	return slices.ContainsFunc(l.flags, func(f flag) bool {
		return len(f.name) > 1 && f.name[0] == '-' && f.name[1] != '-' && strings.Contains(f.name[1:], letter)
	})
}

// notEndingIn refuses files among package names.
func notEndingIn(ends ...string) func(string) bool {
	return func(name string) bool {
		return !slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(name, end) }) &&
			!strings.HasPrefix(name, "/") && !strings.HasPrefix(name, ".") && !strings.Contains(name, "://")
	}
}

// containing reports that a package's name holds one of the signs of a version.
func containing(signs string) func(string) bool {
	return func(name string) bool { return strings.ContainsAny(name, signs) }
}

// nodePackages are those behind "npm install": a name, with its scope, and
// behind another "@" its version. Tarballs, folders and Git addresses are none.
func nodePackages(l line, skip int) []Package {
	version := func(name string) string {
		_, v, _ := strings.Cut(strings.TrimPrefix(name, "@"), "@")
		return v
	}
	return l.packages(skip, func(name string) bool {
		scoped := strings.HasPrefix(name, "@") && strings.Count(name, "/") == 1
		return notEndingIn(".tgz", ".tar.gz", ".tar")(name) && !strings.ContainsAny(name, "#:~") && (scoped || !strings.Contains(name, "/"))
	}, func(name string) bool { return version(name) != "" && version(name) != "latest" })
}

// noDev is the flag that leaves development's packages out (npm, config: omit,
// only, production; yarn install; pnpm install).
func (l line) noDev() string {
	for _, f := range l.flags {
		switch {
		case f.name == "--production" && f.value != "false", f.name == "--prod" && f.value != "false", f.name == "-P":
			return f.name
		case (f.name == "--omit" && f.value == "dev") || (f.name == "--only" && strings.HasPrefix(f.value, "prod")):
			return f.name + "=" + f.value
		}
	}
	return ""
}

// starts is the script of a service that the line runs, itself or behind one of
// the verbs.
func (l line) starts(verbs ...string) string {
	name := l.operand(0)
	if slices.Contains(verbs, name) {
		name = l.operand(1)
	}
	kind, _, _ := strings.Cut(name, ":")
	if !slices.Contains([]string{"start", "serve", "server", "prod", "production"}, kind) {
		return ""
	}
	return name
}

// script is the project's script that the line runs: behind one of the verbs,
// or itself one of them.
func (l line) script(verbs ...string) string {
	for i, verb := range verbs {
		switch {
		case l.operand(0) != verb:
		case i == 0 || strings.HasPrefix(verb, verbs[0]) || len(l.operands) > 1 && verb != "build":
			return l.operand(1)
		default:
			return verb
		}
	}
	return ""
}
