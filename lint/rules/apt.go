package rules

import (
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/effect"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// aptLists is where apt keeps the package lists that "update" fetches.
const aptLists = "/var/lib/apt/lists"

// aptUse is what the command asks of apt, or nil.
func aptUse(c *shell.Command) *ecosystem.Use { return ecosystem.As("apt", c) }

// updates reports that the command fetches apt's lists.
func updates(c *shell.Command) bool {
	u := aptUse(c)
	return u != nil && u.Kind&ecosystem.Index != 0
}

// readsLists reports that the command looks packages up in apt's lists.
func readsLists(c *shell.Command) bool {
	if u := aptUse(c); u != nil && c.Name() != "aptitude" {
		verb := u.Title[strings.LastIndex(u.Title, " ")+1:]
		return u.Kind&ecosystem.Fetch != 0 || verb == "source" || verb == "download"
	}
	if c.Name() == "apt-cache" || c.Name() == "aptitude" {
		return true
	}
	// "xargs apt-get install", "eatmydata apt-get install".
	text := words(c)
	return strings.Contains(text, " apt-get ") && strings.Contains(text, " install ")
}

// opaque reports that what the command does isn't visible in the Dockerfile: a
// script, or a command whose name isn't known.
func opaque(c *shell.Command) bool {
	if len(c.Words) == 0 {
		return false
	}
	name := c.Name()
	switch name {
	case "", ".", "source", "eval", "sh", "bash", "dash", "zsh", "make", "python", "python3", "perl", "ansible-playbook", "mk-build-deps", "add-apt-repository":
		return true
	}
	first := c.Words[0].Value
	return strings.HasSuffix(name, ".sh") || strings.HasSuffix(name, ".py") ||
		(strings.Contains(first, "/") && !slices.Contains([]string{"/bin", "/usr/bin", "/sbin", "/usr/sbin"}, path.Dir(first)))
}

// words is the command with one space around each word.
func words(c *shell.Command) string {
	var b strings.Builder
	b.WriteByte(' ')
	for _, w := range c.Words {
		b.WriteString(w.Value)
		b.WriteByte(' ')
	}
	return b.String()
}

// runScript is a RUN in shell form whose script is understood.
type runScript struct {
	in     *dockerfile.Instruction
	script *shell.Script
}

// runScripts are the RUNs of a stage in order; unread says that others, which
// can't be looked into, are among them.
func runScripts(st *dockerfile.Stage) (runs []runScript, unread bool) {
	for _, in := range st.Instructions {
		if in.Name != "RUN" {
			continue
		}
		s := st.File.Script(in)
		if s == nil || s.Err != nil || s.Dialect == shell.Foreign {
			unread = true
			continue
		}
		runs = append(runs, runScript{in, s})
	}
	return runs, unread
}

// holdsMount reports that a cache or tmpfs mount of the RUN holds dir, or may
// hold it: its target isn't known.
func holdsMount(p *lint.Pass, in *dockerfile.Instruction, dir string) bool {
	return slices.ContainsFunc(mounts(p, in), func(m effect.Mount) bool {
		return (m.Kind == "cache" || m.Kind == "tmpfs") && (m.Target == "" || within(m.Target, dir))
	})
}

// installsLater reports that a RUN behind in, in its stage or one that starts
// from it, reads apt's lists before it has fetched them itself. unseen says
// that a script or an unreadable RUN behind in may do so.
func installsLater(in *dockerfile.Instruction) (installs, unseen bool) {
	file := in.Stage.File
	for _, st := range file.Stages {
		if !slices.Contains(st.Lineage(), in.Stage) {
			continue
		}
		runs, unread := runScripts(st)
		unseen = unseen || unread
		for _, r := range runs {
			if r.in.Span.Start <= in.Span.Start {
				continue
			}
			stale, hidden := usesStaleLists(r.script)
			installs, unseen = installs || stale, unseen || hidden
		}
	}
	return installs, unseen
}

// usesStaleLists reports that the script installs with the lists that it finds.
func usesStaleLists(s *shell.Script) (stale, hidden bool) {
	for _, c := range s.Commands() {
		switch {
		case updates(c):
			return stale, hidden
		case readsLists(c):
			stale = true
		case opaque(c):
			hidden = true
		}
	}
	return stale, hidden
}
