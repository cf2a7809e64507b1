package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// CacheMountNotWritable finds cache mounts of root's in steps of another user.
var CacheMountNotWritable = &lint.Rule{
	Name:     "CacheMountNotWritable",
	Severity: lint.Warning,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "A cache mount belongs to root, and the step runs as somebody else",
		Why: `BuildKit makes the folder of a cache mount for root, with mode 0755, whatever USER says. A tool that runs as another user
can't write there: it goes without its cache, or ends with "permission denied". uid= and gid= give the folder to the user; they take numbers
only.

The rule looks at the mounts that a known tool has its cache in, and is silent beside uid=, mode= and from=, and behind sudo.`,
		Bad:  file("FROM python:3.13\nUSER 1000\nENV HOME=/home/app\nRUN --mount=type=cache,target=/home/app/.cache/pip pip install flask\n"),
		Good: file("FROM python:3.13\nUSER 1000\nENV HOME=/home/app\nRUN --mount=type=cache,target=/home/app/.cache/pip,uid=1000 pip install flask\n"),
	},
	Run: func(p *lint.Pass) error {
		all := newSteps(p)
		for _, s := range all.list {
			name, _, _ := strings.Cut(s.state.User, ":")
			if isRoot(name) || strings.Contains(name, "$") {
				continue
			}
			for _, m := range cacheMounts(p, s.in) {
				w := all.filler(s, m)
				if w == nil || m.From != "" || m.has("uid", "mode", "from", "readonly", "ro") || len(w.use.Command.Wrappers) > 0 {
					continue
				}
				d := lint.Diagnostic{
					Span:    m.flag.Span,
					Message: fmt.Sprintf("the cache mount at %s is root's, and %s runs as %s, who can't write there", m.Target, w.use.Title, name),
				}
				if edits, ok := m.add(p.File, "uid="+strconv.Itoa(s.state.UID)); ok && s.state.UIDKnown {
					d.Fix = &lint.Fix{Message: "Give the mount to " + name, Safety: lint.Safe, Edits: edits}
				}
				p.Report(d)
			}
		}
		return nil
	},
}

// filler is a cache of the step that lies in the mount; nil where there is none.
func (all *steps) filler(s *step, m cacheMount) *want {
	for _, w := range all.caches(s) {
		if within(m.Target, w.target()) || within(w.target(), m.Target) {
			return w
		}
	}
	return nil
}
