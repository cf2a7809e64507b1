package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// CacheMountMissing finds steps that throw away what they download or compile.
//
// The rule is in six files: this one finds and reports, cache_mount_step.go
// holds what is known of one step, cache_mount_unknown.go what is said where too
// little is, cache_mount_proof.go what has to be proven before a mount is added
// unseen, cache_mount_clean.go what becomes of commands that empty the cache, and
// cache_mount_fix.go the edits.
var CacheMountMissing = &lint.Rule{
	Name:     "CacheMountMissing",
	Aliases:  []string{"prefer-package-cache-mounts"},
	Severity: lint.Warning,
	Safety:   lint.BuildSafe,
	Doc: lint.Doc{
		Title: "Downloads and build results are thrown away with each step",
		Why: `A step that runs again starts without the tool's cache: every package is downloaded and every file is compiled again,
although one line changed. A cache mount keeps the cache on the builder, outside of the image: the step finds it when it
runs again, and the image is smaller by it.

The frontend adds the mount by itself where the Dockerfile, the context and the base image's configuration prove that
the image stays the same but for the cache itself: the folder's path is known, nothing else in the Dockerfile reads or
writes it, nothing in the step removes it, and what the tool takes from the cache it checks by itself. Elsewhere the
fix names what is missing to the proof. Programs that the step runs are taken not to reach into another tool's cache.
What make runs is read from the context's Makefile, where that tells all of it. RUN in its JSON form keeps it: mounts are
added in front, and a word within the JSON is not changed. Where a tool is started by another program (xargs, poetry run,
xx-apt-get), by a variable or by a path into the project, the fix is offered and not made unseen.

A step that installs something is never met with silence: where it has its cache mount, or could gain nothing by one,
"docker buildx build --call=imgmgr.rewrite ." says so, and also where a variable that has no known value may make it
install. The text of ONBUILD is part of the image's configuration and stays as it is.

Mounts need BuildKit. The heredoc that the fix for apt adds needs Dockerfile syntax 1.4: the fix is safe where the file shows
that its builder reads that, by "# syntax=docker/dockerfile:1" on top or by what it uses already.`,
		Bad: lint.Example{
			Dockerfile: "FROM node:22\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\n",
			Images:     map[string]string{"node:22": `{"config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`},
		},
		Good: lint.Example{
			Dockerfile: "FROM node:22\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN --mount=type=cache,id=imgmgr-npm,target=/root/.npm/_cacache npm ci\n",
			Images:     map[string]string{"node:22": `{"config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`},
		},
	},
	Run: func(p *lint.Pass) error {
		steps := newSteps(p)
		for _, s := range steps.list {
			wants, content := steps.wants(s)
			for _, group := range grouped(wants) {
				p.Report(steps.diagnostic(s, group))
			}
			for _, c := range content {
				p.Settle(c.use.Command.Span, "%s", c.why)
			}
			steps.settleUnknown(s)
		}
		steps.settleTriggers()
		return nil
	},
}

// want is a cache that a step would use, with what is known about mounting it.
type want struct {
	use   *ecosystem.Use
	cache ecosystem.Cache
	// also are further uses of the cache in the same step.
	also []*ecosystem.Use
	// follows reports that an earlier step has left in the image what the
	// cache would hold. The mount is wanted because that step gets it, too.
	follows bool
	verdict
}

// verdict is what stands against a mount.
type verdict struct {
	// blocked says why a mount would fail or gain nothing; then there is no fix.
	blocked string
	safety  lint.Safety
	doubt   string // what is missing where safety is below lint.BuildSafe
}

// less lowers the safety, for a reason. Of reasons of one weight the first
// counts.
func (v *verdict) less(safety lint.Safety, format string, args ...any) {
	if safety < v.safety {
		v.safety, v.doubt = safety, fmt.Sprintf(format, args...)
	}
}

func (v *verdict) block(format string, args ...any) {
	if v.blocked == "" {
		v.blocked = fmt.Sprintf(format, args...)
	}
}

// grouped puts wants of one tool with one verdict together: one finding, one
// fix.
func grouped(wants []*want) [][]*want {
	var groups [][]*want
	for _, w := range wants {
		i := slices.IndexFunc(groups, func(g []*want) bool {
			return g[0].use.Tool.Name == w.use.Tool.Name && g[0].verdict == w.verdict
		})
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], w)
	}
	return groups
}

func (all *steps) diagnostic(s *step, group []*want) lint.Diagnostic {
	first := group[0]
	var costs, paths []string
	for _, w := range group {
		if !w.follows && !slices.Contains(costs, w.cache.Costs) {
			costs = append(costs, w.cache.Costs)
		}
		paths = append(paths, w.cache.Path)
	}
	if len(costs) == 0 {
		costs = []string{"takes from the layers below what a cache could hold"}
	} else {
		costs[len(costs)-1] += " whenever this step re-runs"
	}
	mounts, a := "no cache mount at ", "a cache mount"
	if len(group) > 1 {
		mounts, a = "no cache mounts at ", "cache mounts"
	}
	d := lint.Diagnostic{
		Span: first.use.Command.Span,
		Message: fmt.Sprintf("%s %s: %s%s",
			first.use.Title, listed(costs), mounts, listed(paths)),
	}
	if first.blocked != "" {
		d.Message += ", and " + first.blocked
		return d
	}
	d.Fix = &lint.Fix{
		Message: fmt.Sprintf("Add %s for %s", a, first.use.Tool.Name),
		Safety:  first.safety,
		Doubt:   first.doubt,
		Drops:   paths,
		Edits:   all.edits(s, group),
	}
	if slices.ContainsFunc(group, func(w *want) bool { return len(w.cache.Instead)+len(all.spared(s, w)) > 0 }) {
		d.Fix.Rewords = 1
	}
	if image := s.state.Image; image != nil && image.Digest != "" {
		d.Evidence = append(d.Evidence, lint.Evidence{What: "base image " + s.base, Says: image.Digest})
	}
	return d
}

// listed joins words as a sentence does: "a, b and c".
func listed(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// edits puts the mounts right behind RUN, so that no line moves, and brings the
// stages of their overrides.
func (all *steps) edits(s *step, group []*want) []edit.Edit {
	var flags strings.Builder
	var edits []edit.Edit
	var scratches []string
	for _, w := range group {
		if o := w.cache.Override; o != nil {
			if stage := all.stageFor(s, o); stage != nil {
				edits = append(edits, *stage)
			}
			fmt.Fprintf(&flags, " --mount=type=bind,from=%s,source=%s,target=%s", o.Stage, o.File, o.Path)
		}
		if at := w.cache.Scratch; at != "" && !slices.Contains(scratches, at) {
			scratches = append(scratches, at)
			fmt.Fprintf(&flags, " --mount=type=tmpfs,target=%s", at)
		}
		for _, e := range append(all.instead(w), all.spared(s, w)...) {
			if !slices.Contains(edits, e) {
				edits = append(edits, e)
			}
		}
		fmt.Fprintf(&flags, " --mount=type=cache,id=%s,target=%s", s.cacheID(w.cache), w.target())
		if w.cache.Locked {
			flags.WriteString(",sharing=locked")
		}
		if s.state.UIDKnown && s.state.UID != 0 {
			fmt.Fprintf(&flags, ",uid=%d,gid=%d", s.state.UID, s.state.GID)
		}
	}
	at := s.in.Keyword.End
	return append(edits, edit.Edit{Span: edit.Span{Start: at, End: at}, New: flags.String(), Origin: s.in.Keyword})
}
