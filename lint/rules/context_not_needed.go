package rules

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// ContextNotNeeded finds what is sent to the builder and can't be reached by any
// step.
var ContextNotNeeded = &lint.Rule{
	Name:     "ContextNotNeeded",
	Severity: lint.Info,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "Files of the build context are sent, and no step can reach them",
		Why: `BuildKit asks for the files that COPY, ADD and bind mounts name, and is sent no others. Where one of them names the context's root it is
sent all, also what COPY --exclude leaves out: that costs the transfer in each build, and the image gets nothing of it. .dockerignore
keeps files from being sent.

The classic builder (DOCKER_BUILDKIT=0, and programs that build through the Engine's API, as docker-py does) is sent the whole context, whatever is asked for. In the profile
strict the rule speaks of that, too. It is silent below a megabyte.

The fix adds the lines to .dockerignore. It is safe where the context holds no other Dockerfile, which may need what this one can't reach.`,
		Bad:  lint.Example{Dockerfile: "FROM node:22\nCOPY --exclude=data . /app\n", Files: map[string]string{"server.js": "x"}, Sizes: map[string]int{"data/x": 1_100_000}},
		Good: lint.Example{Dockerfile: "FROM node:22\nCOPY --exclude=data . /app\n", Files: map[string]string{".dockerignore": "data\n", "server.js": "x"}, Sizes: map[string]int{"data/x": 1_100_000}},
	},
	Run: func(p *lint.Pass) error {
		if p.Facts.Files == nil {
			return nil
		}
		if _, asked := p.Facts.Files.(facts.Finder); asked {
			return nil // which isn't walked
		}
		r, ok := reachable(p)
		if !ok || r.first == nil || r.all == nil && p.Config().Profile < lint.Strict {
			return nil
		}
		found, sum := r.unreached(p)
		if sum.Bytes < 1e6 {
			return nil
		}
		var lines, says []string
		for _, f := range found {
			lines = append(lines, f.name)
			says = append(says, fmt.Sprintf("%s (%s)", f.name, f.amount))
		}
		d := lint.Diagnostic{
			Span:    r.first.Span,
			Message: fmt.Sprintf("the classic builder is sent %s that no step can reach: %s", sum, list(says)),
			Evidence: []lint.Evidence{
				{What: "lines for .dockerignore", Says: strings.Join(lines, "\n")},
			},
			Fix: ignoring(lines, lint.Safe),
		}
		if !onlyDockerfile(p) {
			d.Fix.Safety = lint.Unsafe
		}
		if r.all != nil {
			d.Span = r.all.Span
			d.Message = fmt.Sprintf("the builder is sent the whole context, with %s that no step can reach: %s", sum, list(says))
		}
		p.Report(d)
		return nil
	},
}

// ignoring is the fix that adds lines to the ignore list.
func ignoring(lines []string, safety lint.Safety) *lint.Fix {
	return &lint.Fix{Message: fmt.Sprintf("Add %s to .dockerignore", list(lines)), Safety: safety, Ignore: lines}
}

// onlyDockerfile reports that the build context is known to hold this Dockerfile
// and no other, also among what it ignores.
func onlyDockerfile(p *lint.Pass) bool {
	own, others := 0, 0
	amount, err := facts.Measure(p.Facts.Files, ".", contextLimit, func(name string, dir bool) bool {
		name = path.Base(name)
		lower := strings.ToLower(name)
		switch {
		case dir || !strings.Contains(lower, "dockerfile") && !strings.Contains(lower, "containerfile") || strings.HasSuffix(lower, ".dockerignore"):
		case name == path.Base(p.File.Name):
			own++
		default:
			others++
		}
		return false
	})
	return err == nil && !amount.More && own == 1 && others == 0 && !strings.Contains(string(p.Facts.Ignored), "ockerfile")
}

// contextLimit is how many files of a context are looked at.
const contextLimit = 20_000

// reach is what the steps of a build can reach of its context.
type reach struct {
	sources []string // paths and patterns, clean
	// all is the step that asks for the root and leaves something out, which left
	// tells; nil where none asks for the root.
	all   *dockerfile.Instruction
	left  *patternmatcher.PatternMatcher
	first *dockerfile.Instruction // that takes something; nil where none does
}

// reachable reads what the needed stages take; ok is false where that isn't
// known, or is all.
func reachable(p *lint.Pass) (r reach, ok bool) {
	needed := p.File.NeededWith(p.Facts.Target, p.Facts.Args)
	for _, in := range p.File.Instructions {
		if in.Stage == nil || !needed[in.Stage] {
			continue
		}
		if in.Name == "ONBUILD" || in.Err != nil {
			return r, false
		}
		sources := copiedSources(in)
		for _, m := range mounts(p, in) {
			if m.Kind == "bind" && m.From == "" {
				if m.Open {
					return r, false
				}
				sources = append(sources, cmp.Or(path.Clean("/" + m.Source)[1:], "."))
			}
		}
		for _, source := range sources {
			if source, ok = p.Expand(in, source); !ok {
				return r, false
			}
			if strings.Contains(source, ":/") {
				continue
			}
			if r.first == nil {
				r.first = in
			}
			if source != "." {
				r.sources = append(r.sources, source)
				continue
			}
			left, ok := leftOut(in)
			if !ok || r.all != nil {
				return r, false
			}
			r.all, r.left = in, left
		}
	}
	return r, true
}

// leftOut are the patterns of --exclude; ok is false where there are none, or one
// has variables.
func leftOut(in *dockerfile.Instruction) (*patternmatcher.PatternMatcher, bool) {
	var patterns []string
	for _, f := range in.Flags {
		if f.Name == "exclude" && strings.Contains(f.Value, "$") {
			return nil, false
		}
		if f.Name == "exclude" {
			patterns = append(patterns, f.Value)
		}
	}
	if len(patterns) == 0 {
		return nil, false
	}
	m, err := patternmatcher.New(patterns)
	return m, err == nil
}

// takes reports that a step takes a file, or the whole of a folder.
func (r reach) takes(name string) bool {
	if slices.ContainsFunc(r.sources, func(source string) bool { return facts.Takes(source, name) }) {
		return true
	}
	if r.all == nil {
		return false
	}
	out, err := r.left.MatchesOrParentMatches(name)
	return err != nil || !out // what can't be told is taken
}

// leadsTo reports that something in a folder may be taken.
func (r reach) leadsTo(dir string) bool {
	depth := strings.Count(dir, "/") + 1
	return r.all != nil && r.left.Exclusions() || slices.ContainsFunc(r.sources, func(source string) bool {
		parts := strings.Split(source, "/")
		if len(parts) <= depth {
			return false
		}
		ok, err := path.Match(strings.Join(parts[:depth], "/"), dir)
		return ok || err != nil
	})
}

// unreached are the paths that no step takes, the largest first, and what they
// hold together. Names that an ignore list would read as a pattern are left out.
func (r reach) unreached(p *lint.Pass) (list []needlessFile, sum facts.Amount) {
	add := func(name string) {
		if strings.ContainsAny(name, "*?[]\\#!") || sum.More {
			return
		}
		amount, err := facts.Measure(p.Facts.Files, name, contextLimit-sum.Files, nil)
		if err != nil {
			return
		}
		sum.Bytes, sum.Files, sum.More = sum.Bytes+amount.Bytes, sum.Files+amount.Files, sum.More || amount.More
		if amount.Bytes >= 1e5 {
			list = append(list, needlessFile{name, amount})
		}
	}
	walk := func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
			return nil
		case sum.More:
			return fs.SkipAll
		case name == "Dockerfile" || name == path.Base(p.File.Name):
			return nil // always sent
		case !d.IsDir():
			if !r.takes(name) {
				add(name)
			}
			return nil
		case r.all == nil && r.takes(name):
			return fs.SkipDir
		case r.takes(name) || r.leadsTo(name):
			return nil
		}
		add(name)
		return fs.SkipDir
	}
	if fs.WalkDir(p.Facts.Files, ".", walk) != nil {
		return nil, facts.Amount{} // not known
	}
	slices.SortStableFunc(list, func(a, b needlessFile) int { return cmp.Compare(b.amount.Bytes, a.amount.Bytes) })
	return list, sum
}
