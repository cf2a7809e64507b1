package rules

import (
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// AptUpdateAlone finds apt-get update in a RUN of its own.
var AptUpdateAlone = &lint.Rule{
	Name:     "AptUpdateAlone",
	Severity: lint.Warning,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "apt-get update in a RUN without apt-get install",
		Why: `A RUN is cached by its text. "apt-get update" always has the same one, so its package lists are as old as the
cache, while the RUN with "apt-get install" runs again whenever its packages change: it then asks the mirror for versions
that are gone ("404 Not Found"), or installs versions with known flaws. In one RUN both run together or not at all.

The fix joins the two where the next instruction is the install, and both are plain lists of commands.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN apt-get update\nRUN apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n"),
		Good: file("FROM debian:bookworm-slim\nRUN apt-get update && \\\n    apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, st := range p.File.Stages {
			runs, _ := runScripts(st)
			for _, r := range runs {
				if c := loneUpdate(r.script); c != nil {
					p.Report(lint.Diagnostic{Span: c.Span, Message: aloneMessage(r.in, c), Fix: joinInstall(p, r)})
				}
			}
		}
		return nil
	},
}

// loneUpdate is the update of a script that installs nothing, or nil.
func loneUpdate(s *shell.Script) *shell.Command {
	var update *shell.Command
	for _, c := range s.Commands() {
		switch {
		case updates(c):
			update = c
		case update != nil && (readsLists(c) || opaque(c) || installsByItself(c)):
			return nil
		}
	}
	return update
}

// installsByItself reports a command that may call apt on its own, such as
// "playwright install --with-deps".
func installsByItself(c *shell.Command) bool {
	switch c.Name() {
	case "pip", "pip3", "npm", "yarn", "pnpm", "gem", "go", "cargo", "conda", "composer":
		return false // from an index of their own
	case "gdebi", "apt-file":
		return true
	}
	text := words(c)
	return strings.Contains(text, " install ") || strings.Contains(text, "install-") || strings.Contains(text, "-install") || strings.Contains(text, "install_")
}

func aloneMessage(in *dockerfile.Instruction, c *shell.Command) string {
	what := c.Name() + " update"
	if stale, _ := installsLater(in); stale {
		return fmt.Sprintf("%s is cached apart from the install that needs it, which then uses stale package lists", what)
	}
	return fmt.Sprintf("%s in a RUN that installs nothing only fetches package lists, which get stale in the cache", what)
}

// joinInstall puts the update in front of the install of the next instruction.
func joinInstall(p *lint.Pass, r runScript) *lint.Fix {
	next := following(r.in)
	if next == nil || next.Name != "RUN" || len(r.in.Flags)+len(next.Flags) > 0 ||
		len(r.in.Heredocs)+len(next.Heredocs) > 0 || len(r.script.Statements) != 1 || !r.script.Statements[0].Plain {
		return nil
	}
	s := p.File.Script(next)
	if s == nil || s.Err != nil || !allAnd(s) {
		return nil
	}
	if stale, _ := usesStaleLists(s); !stale {
		return nil
	}
	end, start := r.script.Statements[0].Span.End, s.Statements[0].Span.Start
	between := edit.Span{Start: end, End: next.Span.Start}.Of(p.File.Src)
	if strings.TrimSpace(between) != "" || strings.Contains(edit.Span{Start: next.Keyword.End, End: start}.Of(p.File.Src), "#") {
		return nil // a comment stands there
	}
	glue := " && \\" + p.File.Newline + "    "
	if p.File.Escape == '`' {
		glue = " && `" + p.File.Newline + "    "
	}
	return &lint.Fix{
		Message: "Join the update and the install in one RUN",
		Safety:  lint.Safe,
		Edits:   []edit.Edit{{Span: edit.Span{Start: end, End: start}, New: glue}},
	}
}

// allAnd reports that the script is commands joined by && alone, so that more
// of them can be added on either side.
func allAnd(s *shell.Script) bool {
	for i, st := range s.Statements {
		if i > 0 && st.Joiner != "&&" {
			return false
		}
	}
	return len(s.Statements) > 0
}

// following is the instruction behind in in its stage, or nil.
func following(in *dockerfile.Instruction) *dockerfile.Instruction {
	for i, o := range in.Stage.Instructions {
		if o == in && i+1 < len(in.Stage.Instructions) {
			return in.Stage.Instructions[i+1]
		}
	}
	return nil
}
