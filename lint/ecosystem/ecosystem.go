// Package ecosystem holds what is known of package managers and compilers: how
// their commands look, which caches they keep and where, which flags make a
// cache useless, which commands empty it, and what a project's manifests say
// about an installation.
//
// One file is one tool, and a tool is a value. Rules ask [All] and name no
// tool, so that a new tool is one new file here. It is knowledge and no
// judgement: whether a cache mount is safe in a given Dockerfile is for a rule
// to prove.
package ecosystem

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// known are made once: every command of every Dockerfile is shown to them.
var known = [...]*Tool{
	apt(), npm(), golang(), pip(), yarn(), pnpm(), uv(), poetry(), bun(), conda(),
	apk(), cargo(), dnf(), maven(), composer(), bundler(), dotnet(), gradle(), zypper(), ccache(),
}

// All are the tools that are known.
func All() []*Tool { return slices.Clone(known[:]) }

// Tool is a package manager or a compiler.
type Tool struct {
	Name string // as messages and cache ids have it: "npm"
	// Proven says that the oracle builds projects of this tool and finds the
	// rewritten images equal. Without it, no fix is made unseen.
	Proven bool
	// Lies are the names of its programs that lie with a project's sources: "mvnw".
	// Any other program is surely its own only in a folder of programs.
	Lies []string
	// Match says what a command asks of this tool; nil for another's command.
	Match func(*shell.Command) *Use
	// Caches are the caches that a use would fill in an environment.
	Caches func(*Use, Env) []Cache
	// Manifests says what an installation of the dependencies of the
	// environment's project reads. Nil for a tool that knows no projects.
	Manifests func(*Use, Env) Manifests
	// Tree is the folder in which a use leaves what it compiles for the machine
	// that it runs on, absolute or relative to the use's Dir; "" where the path
	// says the platform, or isn't known. Nil for a tool that makes none.
	Tree func(*Use, Env) string
	// Cross says how a use compiles for another platform than its own; nil where
	// it isn't known to. Nil for a tool that doesn't.
	Cross func(*Use, Env) *Cross
	// Habits says what the build of an image asks of a use. Nil for a tool that
	// nothing is asked of.
	Habits func(*Use) Habits
	// Installed reads which packages an image has, with their versions, by read,
	// which reads a file of it. Nil for a tool whose packages an image doesn't list.
	Installed func(read func(name string) ([]byte, error)) (map[string]string, error)
	// Example is what docs/ecosystems.md shows the tool by.
	Example Example
}

// Example is a project as it is often seen, and what Dockerfiles run in it.
type Example struct {
	Base     string            // reference of the base image
	Env      []string          // "NAME=value", as the base image sets it
	Files    map[string]string // of the project, by name
	Commands []string          // scripts of RUN
}

// Find returns what a command asks of a known tool, or nil.
func Find(c *shell.Command) *Use { return find(c, known[:]) }

// As returns what a command asks of the tool of this name, or nil.
func As(tool string, c *shell.Command) *Use {
	i := slices.IndexFunc(known[:], func(t *Tool) bool { return t.Name == tool })
	if i < 0 {
		return nil
	}
	return find(c, known[i:i+1])
}

// find looks at what another program starts first: to the tool whose own "run"
// that is, it would say nothing.
func find(c *shell.Command, tools []*Tool) *Use {
	if inner, program := started(c); inner != nil {
		if u := match(inner, tools); u != nil && u.Kind&(Fetch|Build|Offline) != 0 {
			if rest, ok := strings.CutPrefix(program, "xx-"); ok {
				u.Title = strings.Replace(u.Title, rest, program, 1)
			} else {
				u.Title = program + " " + u.Title
			}
			return u.through(program)
		}
	}
	return match(c, tools)
}

// match asks the tools. A program of the project that has a tool's name is taken for
// it as far as its caches go.
func match(c *shell.Command, tools []*Tool) *Use {
	named, ok := installed(c)
	for _, t := range tools {
		u := t.Match(named)
		if u == nil {
			continue
		}
		u.Tool, u.Command = t, named
		if named != c {
			u.Heeds = nil // the program is known by its name alone
		}
		if ok || slices.Contains(t.Lies, named.Name()) {
			return u
		}
		if u.Kind&(Fetch|Build|Offline) == 0 {
			return nil
		}
		return u.through(named.Words[0].Value)
	}
	return nil
}

// through is the use where another program has a hand in it.
func (u *Use) through(program string) *Use {
	u.Through = program
	u.Installs, u.Apart, u.Cleans, u.Spares, u.Heeds = false, false, false, "", nil
	return u
}

// FindAs returns what a command asks of a known tool with other words in the place of
// those that the variable stands for; nil where that installs nothing.
func FindAs(c *shell.Command, words []shell.Word, variable string) *Use {
	u := match(with(c, words), known[:])
	if u == nil || u.Kind&(Fetch|Build|Offline) == 0 {
		return nil
	}
	return u.through(variable)
}

// Cross is how a command compiles for another platform than it runs on.
type Cross struct {
	// Set are the variables that it has to be given, in front of it:
	// "GOARCH=$TARGETARCH". Nil where the result is the same on every platform.
	Set []string
	// Results are the last parts of the paths of which that is true, where it isn't
	// of all that the command makes.
	Results []string
}

// Kind says what a use does; several at once are possible.
type Kind int

const (
	Fetch   Kind = 1 << iota // downloads packages
	Build                    // compiles
	Index                    // fetches the list of packages
	Clean                    // empties a cache
	Offline                  // does without the network: what it needs has to be in a cache
	Locate                   // tells or sets where the tool keeps things
)

// Use is one command of a tool.
type Use struct {
	Tool    *Tool
	Command *shell.Command
	// Title names the command in messages: "npm ci".
	Title string
	Kind  Kind
	// Empties are the names of the caches that a Clean empties; nil for all.
	Empties []string
	// Through is what has a hand in the command, so that not all is known of it:
	// the program that starts it ("xargs"), the variable that its words come from
	// ("$PIP"), or the project's own program of the tool's name ("./npm"). "" for none.
	Through string
	// Cleans reports that a Clean does that and nothing else, and doesn't fail.
	Cleans bool
	// Spares are options that keep a Clean to the image's own folder where the
	// cache is mounted elsewhere (Cache.Mount).
	Spares string
	// Installs reports that the command installs the dependencies that the
	// manifests of the project in Dir name, and does nothing else. Doubt, where
	// it isn't empty, says why its result may yet rest on more than those.
	Installs bool
	Doubt    string
	// Heeds reports that the command, or a program that it starts, reads this
	// variable; nil where that may be any.
	Heeds func(variable string) bool
	// Relocks reports that an installation may write the lock file anew.
	Relocks bool
	// Apart reports that the command has nothing to do with the project's folder:
	// it installs packages that an index has, and not there.
	Apart bool
	// Dir is the project's folder relative to the working folder, "." for that
	// itself; "" when it isn't known.
	Dir string

	options line
}

// Cache is a folder that a tool fills and would use again.
type Cache struct {
	// Name tells the caches of a tool apart: "packages", "builds", "modules".
	Name string
	// Path is the folder; absolute. Where it rests on something that isn't
	// known, it is the tool's default and Guess says what is missing.
	Path  string
	Guess string
	// Mount is where the cache is mounted where that isn't Path: the Override
	// leads the tool there, and the folder at Path stays the image's own.
	Mount string
	// Costs says what the tool does without the cache: "downloads every
	// package again".
	Costs string
	// ID is the id of a mount. PerBase adds the base image's digest to it, and
	// Project and Variables, where they aren't empty, the project's own name and
	// what tells the environments of native builds apart.
	ID        string
	PerBase   bool
	Project   string
	Variables string
	// Locked keeps two builds from using the cache at once.
	Locked bool
	// Useless says why this use gains nothing from the cache; "" when it does.
	Useless string
	// Doubt says why the result could differ with a cache that isn't empty; ""
	// when the tool makes sure that it can't.
	Doubt string
	// Fetched reports that the cache holds downloads, so that a step without
	// network can't fill it.
	Fetched bool
	// Kept reports that later commands need in place what this cache holds. It
	// has to be mounted in every step that uses the tool, or in none, and must
	// not be missed in the image.
	Kept bool
	// Settable reports that a Locate of the tool, in the same step or an earlier
	// one, may change where the cache is, or whether what it holds is checked.
	Settable bool
	// Native reports that the cache holds objects that were compiled against
	// headers of the system or of the project which aren't part of its keys.
	Native bool
	// Needs is what the same step has to do, too, and NeedsWhy why.
	Needs    Kind
	NeedsWhy string
	// NativeUnless says, for messages, when Native doesn't matter: "without cgo
	// it need not". Foreign reports that a Native cache holds nothing that was
	// compiled from the project's own sources.
	NativeUnless string
	Foreign      bool
	// Never says why a cache that isn't empty would change what is built, so that
	// no mount is to be added; "" where there is no such reason.
	Never string
	// Off says what turns the cache off where a fix can't turn it on again.
	Off string
	// Instead are words of the command with which the cache is off, or would
	// change what is built, and what has to stand in their place.
	Instead []Instead
	// Defeats are words of the command that keep it from using the cache and have no
	// other use today. Unlike those of Instead they leave a mount of the cache
	// useless.
	Defeats []Instead
	// Scratch is a folder at or above Path that the command leaves empty because
	// of the words of Instead: without them it must not reach the image.
	Scratch string
	// Override, where it isn't nil, is a file that has to lie over one of the
	// image's own while the cache is mounted.
	Override *Override
}

// Instead is a word of a command, and the text that a fix puts in its place;
// "" takes the word out.
type Instead struct {
	Word shell.Word
	New  string
}

// Keeps reports that the word stays, with others beside it: the cache isn't off
// by it.
func (i Instead) Keeps() bool { return slices.Contains(strings.Fields(i.New), i.Word.Value) }

// Override is a file that a step sees in place of another.
type Override struct {
	Path    string // in the image; absolute
	Stage   string // name of the stage that brings the file
	File    string // its path there
	Content string
}

// Manifests is what an installation reads of a project.
type Manifests struct {
	// Files are to be in place before the installation, relative to the
	// project's folder. Patterns stand for files that may be missing, where
	// the context isn't known.
	Files []string
	// Rewritten are those of Files that the installation may also write. What it
	// leaves there must not be overwritten.
	Rewritten []string
	// Outputs are files and folders in the project's folder that the
	// installation makes; none of them may come from the context.
	Outputs []string
	// Elsewhere says that, unless something else is configured, what is installed
	// goes outside of the project's folder: Outputs are where it may go.
	Elsewhere bool
	// Doubt says what isn't proven about the files being all that it reads.
	Doubt string
	// Breaks says why the installation would fail or leave something out
	// without the sources; then nothing should be moved.
	Breaks string
}

// Project is a folder of the build context. The zero value isn't known.
type Project struct {
	Files fs.FS  // the context
	Dir   string // slash-separated path in Files; "." for its root
}
