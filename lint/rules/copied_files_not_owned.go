package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// CopiedFilesNotOwned finds commands that change files of root's as another user.
var CopiedFilesNotOwned = &lint.Rule{
	Name:     "CopiedFilesNotOwned",
	Severity: lint.Error,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "A user changes files that COPY has brought for root",
		Why: `COPY and ADD ignore USER: what they bring from the build context is root's. A RUN of another user can't change its mode, nor
write into it: "Operation not permitted", "Permission denied". --chown gives the files to the user as they are copied, and
--chmod sets their mode.

The rule knows chmod, chgrp and redirections that name a copied file, and is silent where root may have given it away before.`,
		Bad:  file("FROM debian:12\nUSER 1000\nCOPY start.sh /app/start.sh\nRUN chmod +x /app/start.sh\n"),
		Good: file("FROM debian:12\nUSER 1000\nCOPY --chown=1000 start.sh /app/start.sh\nRUN chmod +x /app/start.sh\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			user, _, _ := strings.Cut(p.State(c.in).User, ":")
			if isRoot(user) || strings.Contains(user, "$") || c.Conditional || len(c.Wrappers) > 0 || forgiven(c) {
				continue
			}
			for _, target := range changedFiles(p, c) {
				copied := broughtBy(p, c, target)
				if copied == nil || !leftToRoot(p, copied, c, target) {
					continue
				}
				d := lint.Diagnostic{
					Span:    c.Span,
					Message: fmt.Sprintf("%s runs as %s and can't change %s, which is root's: %s has no --chown", c.Name(), user, target, quoted(p, copied)),
				}
				if plainPath("/" + user) {
					at := copied.Keyword.End
					d.Fix = &lint.Fix{
						Message: "Copy with --chown=" + user, Safety: lint.Safe,
						Edits: []edit.Edit{{Span: edit.Span{Start: at, End: at}, New: " --chown=" + user, Origin: copied.Keyword}},
					}
				}
				p.Report(d)
				break
			}
		}
		return nil
	},
}

// forgiven reports that the step goes on where the command fails.
func forgiven(c ran) bool {
	for i, st := range c.script.Statements {
		if slices.Contains(st.Commands, c.Command) {
			return i+1 < len(c.script.Statements) && c.script.Statements[i+1].Joiner == "||"
		}
	}
	return true
}

// changedFiles are absolute paths of files whose mode the command sets, or that it
// writes into.
func changedFiles(p *lint.Pass, c ran) []string {
	var list []string
	switch c.Name() {
	case "chmod", "chgrp":
		list = changed(p, c)
	}
	for _, r := range c.Redirects {
		if (r.Op == ">" || r.Op == ">>") && r.Path.Literal && path.IsAbs(r.Path.Value) {
			list = append(list, path.Clean(r.Path.Value))
		}
	}
	return list
}

// leftToRoot reports that a COPY brings a file from the build context for root, and
// nothing up to the command may have given it to somebody else.
func leftToRoot(p *lint.Pass, copied *dockerfile.Instruction, c ran, target string) bool {
	command, ok := copied.Command.(*instructions.CopyCommand)
	if !ok || command.From != "" || command.Chown != "" {
		return false
	}
	between := false
	for _, st := range slices.Backward(c.in.Stage.Lineage()) {
		for _, in := range st.Instructions {
			switch {
			case in == copied:
				between = true
			case in == c.in:
				return between
			case between && in.Name == "RUN" && mayGive(p.File.Script(in), path.Dir(target)):
				return false
			}
		}
	}
	return false
}
