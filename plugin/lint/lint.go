// Package lint is `docker imgmgr lint`: it finds Dockerfiles, gathers what is
// known of their builds, and lets the engine check or repair them.
//
// [Run] does what [Options] say and writes to the streams it is given; the
// command line is only in command.go. Findings go to standard output, what
// couldn't be checked to standard error; in JSON both are in one object.
package lint

import (
	"time"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/plugin/image/base"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// Text is the format for people, which is printed file by file. The others are
// report.Formats.
const Text = "text"

// Options say what to lint and how.
type Options struct {
	// Paths are files, folders to search, and Stdin. None means the current
	// folder.
	Paths []string
	// Files are bake and compose files; those among Paths count, too. Set and
	// Vars override what they say, as --set and --var of docker buildx bake.
	Files, Set []string
	Vars       map[string]string
	// Format is the name of the format that findings are printed in; "" is Text.
	Format string
	// Rules are all that there are; the configuration chooses among them.
	Rules []*engine.Rule
	// Config is a configuration file that stands for all others; "" looks for
	// the one that is nearest above each Dockerfile.
	Config string
	// Variables looks up those that configure hadolint, for the profile of that
	// name; nil leaves them out.
	Variables func(name string) (string, bool)
	// Profile overrides that of the configuration; nil doesn't.
	Profile *engine.Profile

	// Fix is how safe a fix must at least be to be made; None makes none.
	Fix engine.Safety
	// Diff prints what Fix would change instead of changing it.
	Diff bool
	// FailOn is the severity from which findings fail the run, Off is never;
	// nil leaves it to the configuration.
	FailOn *engine.Severity

	// Fragment takes a file without a FROM for a part of a Dockerfile.
	Fragment bool

	// Context is the folder of the build context; "" guesses it for each file.
	Context string
	// Named are named build contexts by name, as docker buildx build has them.
	// Bake and compose files have their own.
	Named map[string]string
	// Args and Platform are those of the build, as in facts.Context.
	Args     map[string]string
	Platform string
	// Targets are the targets of bake and compose files to lint, all if there
	// are none. Without such a file, one at most: the stage to build.
	Targets []string
	// Today is the day for which findings are made; zero when unknown.
	Today time.Time
	// Images looks up base images; nil leaves them unknown.
	Images *base.Resolver
	// Downloads tells what ADD downloads; nil leaves that unknown.
	Downloads *Downloads
	// History tells how often files change; nil leaves that unknown.
	History *History
	// Verbose says which facts are missing, and why.
	Verbose bool
	// ShellCheck reads the scripts of RUN; nil leaves them to the rules' own
	// eyes.
	ShellCheck *ShellCheck
}
