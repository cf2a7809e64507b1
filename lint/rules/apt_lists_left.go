package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// AptListsLeft finds package lists that stay in the image.
var AptListsLeft = &lint.Rule{
	Name:     "AptListsLeft",
	Aliases:  []string{"DL3009"},
	Severity: lint.Warning,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "apt's package lists stay in the image",
		Why: `"apt-get update" fetches lists of every package of the distribution: tens of megabytes that nothing reads once the
packages are installed. Removing them in a later RUN doesn't make the image smaller, for the layer before still holds
them; it has to happen in the same RUN.

The rule looks at the stages that the final image is made from, and only at those: what a build stage leaves behind is
not shipped. It is silent where a cache or tmpfs mount holds the lists.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y curl\n"),
		Good: file("FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n"),
	},
	Run: func(p *lint.Pass) error {
		final := p.File.Final(p.Facts.Target)
		if final == nil {
			return nil
		}
		for _, st := range final.Lineage() {
			runs, _ := runScripts(st)
			for i, r := range runs {
				c := leavesLists(p, r)
				if c == nil {
					continue
				}
				message := fmt.Sprintf("%s update leaves its package lists in the image: nothing in this RUN removes %s", c.Name(), aptLists)
				if slices.ContainsFunc(runs[i+1:], func(o runScript) bool { return onlyRemovesLists(o.script) }) {
					message = fmt.Sprintf("%s update leaves its package lists in this layer: removing %s in a later RUN does not make the image smaller", c.Name(), aptLists)
				}
				p.Report(lint.Diagnostic{Span: c.Span, Message: message, Fix: removeLists(r, c)})
			}
		}
		return nil
	},
}

// leavesLists is the last update of a RUN that keeps what it fetched, or nil.
// Where nothing is installed the update itself is out of place.
func leavesLists(p *lint.Pass, r runScript) *shell.Command {
	var update *shell.Command
	for _, c := range r.script.Commands() {
		if updates(c) && !strings.Contains(words(c), "Dir::State") {
			update = c
		}
	}
	if update == nil || loneUpdate(r.script) != nil || holdsMount(p, r.in, aptLists) || removesLists(r.script, update) {
		return nil
	}
	return update
}

// removesLists reports that the script removes apt's lists, after the given
// command where there is one.
func removesLists(s *shell.Script, after *shell.Command) bool {
	for _, c := range s.Commands() {
		if after != nil && c.Span.Start < after.Span.Start {
			continue
		}
		u := aptUse(c)
		switch {
		case u != nil && strings.HasSuffix(strings.ReplaceAll(u.Title, "-", ""), " distclean"): // apt 2.7 and later
			return true
		case u == nil && namesLists(c):
			return true
		}
	}
	return false
}

// onlyRemovesLists reports a script that removes lists that it hasn't fetched.
func onlyRemovesLists(s *shell.Script) bool {
	return removesLists(s, nil) && !slices.ContainsFunc(s.Commands(), updates)
}

// namesLists reports a command that is likely to remove the lists: rm, find or
// cd with their folder, or a clean-up script.
func namesLists(c *shell.Command) bool {
	switch c.Name() {
	case "echo", "ls", "mkdir", "chmod", "chown", "du":
		return false
	}
	for _, w := range c.Args() {
		v := w.Value
		switch {
		case strings.Contains(v, "apt/lists/partial"):
		case strings.Contains(v, "/var/lib/apt"), strings.Contains(v, "apt/lists"):
			return true
		case strings.Contains(v, "{") && strings.Contains(v, "apt"): // /var/lib/{apt,dpkg}
			return true
		case c.Name() == "rm" && slices.Contains([]string{"/var/lib/*", "/var/lib", "/var/*", "/var"}, v):
			return true
		}
	}
	// A script or a function that cleans up: clean-layer.sh, install_clean.
	return len(c.Words) > 0 && strings.Contains(strings.ToLower(c.Words[0].Value), "clean")
}

// removeLists removes the lists at the end of the RUN, or is nil where that
// isn't one more command.
func removeLists(r runScript, update *shell.Command) *lint.Fix {
	last := r.script.Statements[len(r.script.Statements)-1]
	if slices.ContainsFunc(r.script.Commands(), func(c *shell.Command) bool {
		return c.Name() == "exec" || c.Name() == "exit" ||
			slices.ContainsFunc(c.Redirects, func(r shell.Redirect) bool { return strings.HasPrefix(r.Op, "<<") })
	}) {
		return nil
	}
	if stmts := r.script.Syntax.Stmts; stmts[len(stmts)-1].Background {
		return nil
	}
	installs, unseen := installsLater(r.in)
	if installs {
		return nil // that install reads these lists
	}
	fix := &lint.Fix{Message: "Remove the package lists in the same RUN", Safety: lint.Safe, Drops: []string{aptLists}}
	if unseen {
		fix.Safety = lint.Unsafe
		fix.Doubt = "a later RUN calls a script that may install packages with these lists"
	}
	at := edit.Span{Start: last.Span.End, End: last.Span.End}
	fix.Edits = []edit.Edit{{Span: at, New: glue(r, last) + sudo(update) + "rm -rf " + aptLists + "/*"}}
	return fix
}

// glue joins one more command to the last, on a line of its own where the last
// has one or takes several.
func glue(r runScript, last *shell.Statement) string {
	f := r.in.Stage.File
	if last.Joiner == "&&" {
		if sep := last.Separator.Of(f.Src); strings.Contains(sep, "\n") && !strings.Contains(sep, "#") {
			return sep
		}
	}
	if len(r.in.Heredocs) == 0 && strings.Contains(last.Span.Of(f.Src), "\n") {
		return " " + string(f.Escape) + f.Newline + f.Indent(last.Span.End) + "&& "
	}
	return " && "
}

// sudo is what the removal needs in front of it where the update had it.
func sudo(update *shell.Command) string {
	for _, w := range update.Wrappers {
		if w.Value == "sudo" {
			return "sudo "
		}
	}
	return ""
}
