// Package lint finds what is wrong with a Dockerfile and repairs it.
//
// [Check] runs rules over a parsed file and gives diagnostics; [Rewrite] makes
// the fixes that are trusted enough, round by round, until none is left. The
// command line and the BuildKit frontend are callers of these two functions:
// what the frontend builds is exactly what `lint --diff --fix=build` prints.
//
// A [Rule] is a value in a file of its own under lint/rules. It reads the file
// and the facts through a [Pass], and does no IO of its own.
package lint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// Severity orders findings by what ignoring them costs.
type Severity int

const (
	Info    Severity = iota + 1 // could be better
	Warning                     // is likely wrong, or costs much
	Error                       // does not do what it says, or is a risk

	Off Severity = -1 // no finding; in a [Config] only
)

// Safety orders fixes by how much can be trusted to them.
type Safety int

const (
	None      Safety = iota // no fix
	Unsafe                  // may change what the image does
	Safe                    // the image does the same
	BuildSafe               // proven to give the same image; the frontend applies it unseen
)

// Rule is one thing that can be wrong with a Dockerfile.
type Rule struct {
	Name     string   // PascalCase, permanent, names the flaw: "CacheMountMissing"
	Aliases  []string // the same check in other linters: "DL3008", or "SC*" for all of ShellCheck's; accepted in ignore comments
	Severity Severity
	// Profile is the smallest one that has the rule: Recommended, Strict or All.
	Profile Profile
	// Edition is the one that the rule is new in; 0 is [FirstEdition]. Until a
	// configuration takes that edition, the rule's findings are [Info] at most.
	Edition int
	Doc     Doc
	// Safety is the most that any fix of this rule may claim.
	Safety Safety
	// Reorders says that fixes of this rule move instructions: the image's
	// history lists its steps in another order, or more of them. The tree and
	// all other configuration are the same.
	Reorders bool
	// Last says that the rule judges what the others said, and so runs behind
	// them; it has no fix.
	Last bool
	// Run reports what it finds. An error is a failure of the rule, not a
	// finding.
	Run func(*Pass) error

	config *Config // see Config.Rules
}

// Doc explains a rule. Bad and Good are executed by the tests: the rule must
// fire on Bad, must not fire on Good, and where it has a fix that Bad allows,
// fixing gives Good.
type Doc struct {
	Title string // one line, no full stop: "Base image is not pinned by digest"
	Why   string // one or two paragraphs
	Bad   Example
	Good  Example
}

// Example is a Dockerfile in its world.
type Example struct {
	Dockerfile string
	Files      map[string]string // the build context; nil: unknown
	Sizes      map[string]int    // bytes of files of the context that aren't written out
	Images     map[string]string // base image reference to its config as JSON; nil: unknown
	// Roots are what is in base images, by reference and path; nil: unknown. What
	// begins with "-> " is a link.
	Roots    map[string]map[string]string
	Registry map[string]string // reference to its facts.Manifest as JSON; nil: not asked
	Group    []facts.GroupBase // nil: unknown
	Config   string            // a .imgmgr.yaml; "": none
	Today    string            // as 2006-01-02; "": unknown
	// Shell is what ShellCheck says wherever a script holds the key, with offsets
	// in the key; nil: the program isn't there.
	Shell map[string]facts.ShellRemark
}

// Diagnostic is a finding at a place.
type Diagnostic struct {
	edit.Span
	Rule string
	// Alias is the alias of the rule that the finding has in another linter,
	// where the rule makes several of its checks, and the rule's own name where
	// none of them is meant. Ignore comments and configurations go by it.
	Alias    string
	Severity Severity
	Message  string // one sentence that names what was seen; no line numbers
	Fix      *Fix
	Evidence []Evidence
	// URL documents the rule where it isn't one of ours.
	URL string
}

// Evidence is a fact that a finding rests on.
type Evidence struct {
	What string // "docker-clean in the base image", "package.json"
	Says string
}

// Fix is a repair.
type Fix struct {
	Message string // a verb phrase: "Add a cache mount for apt"
	Safety  Safety
	Edits   []edit.Edit // all or none
	// Ignore are lines that the ignore list of the build context lacks. A fix that
	// has them has no Edits, and is Safe at most.
	Ignore []string
	// Drops are absolute paths, or folders with all below them, that the
	// rewritten image may lack: package caches. A folder that holds nothing else
	// may be missing with them. Empty: identical trees.
	Drops []string
	// Rewords is how many steps the image's history shows with other words: the
	// fix changes words of their command, or the ARGs in front of it. The steps
	// do the same.
	Rewords int
	// Doubt says what is missing to the proof where Safety is below the rule's.
	Doubt string
}

// Pass is what a rule gets to run over one file. It is the rule's while that
// runs, and the next one's then.
type Pass struct {
	Context context.Context
	File    *dockerfile.File
	Facts   facts.Context

	rule    *Rule // that runs
	shared  *shared
	ignores []*Ignore
	report  func(Diagnostic)
}

// Settled is a place that a rule looked at and leaves as it is without a finding:
// it has what it needs, or could gain nothing.
type Settled struct {
	edit.Span
	Rule string
	Why  string // "npm ci keeps what it fetches in the cache mount at /root/.npm"
}

// Settle says why the rule that runs has no finding at a place of the kind that it
// looks for. [Check] doesn't tell; [Rewrite] does.
func (p *Pass) Settle(at edit.Span, format string, args ...any) {
	if p.shared.written == nil {
		return // nobody rewrites, and most checks are of many files
	}
	s := Settled{at, p.rule.Name, oneLine.Replace(fmt.Sprintf(format, args...))}
	if !slices.Contains(p.shared.settled, s) {
		p.shared.settled = append(p.shared.settled, s)
	}
}

// Written is the first line of an instruction as its owner wrote it: a rewrite may
// have changed it since.
func (p *Pass) Written(in *dockerfile.Instruction) string {
	line := p.File.Lines.Line(in.Keyword.Start)
	if p.shared.written != nil {
		return p.shared.written.Text(line)
	}
	return p.File.Text(p.File.Lines.Span(line))
}

// oneLine keeps a message that quotes the file on one line.
var oneLine = strings.NewReplacer("\r", "", "\n", " ")

// Report adds a finding, unless the user's configuration keeps it quiet. Rule
// and Severity are filled in where empty.
func (p *Pass) Report(d Diagnostic) {
	if d.Rule == "" {
		d.Rule = p.rule.Name
	}
	d.Message = oneLine.Replace(d.Message)
	d.Severity = p.rule.severity(d)
	if d.Alias == "" && len(p.rule.Aliases) == 1 && p.Config().Profile == Hadolint {
		d.Alias = p.rule.Aliases[0] // the name that users of this profile know
	}
	if d.Severity != Off {
		p.report(d)
	}
}
