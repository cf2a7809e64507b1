package rules

import (
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
)

// UserUnknown finds users by name in images that know no names.
var UserUnknown = &lint.Rule{
	Name:     "UserUnknown",
	Severity: lint.Error,
	Doc: lint.Doc{
		Title: "USER has a name, and the image has no passwd to look it up",
		Why: `An image from scratch has no /etc/passwd. A container of it doesn't start: "unable to find user app: no matching
entries in passwd file". Write the number, or copy a passwd into the image. The rule looks at the final stage and is
silent where something is copied to / or /etc.`,
		Bad:  file("FROM scratch\nCOPY app /app\nUSER app\nENTRYPOINT [\"/app\"]\n"),
		Good: file("FROM scratch\nCOPY app /app\nUSER 10001\nENTRYPOINT [\"/app\"]\n"),
	},
	Run: func(p *lint.Pass) error {
		final := p.File.Final(p.Facts.Target)
		if final == nil || !p.Result(final).Scratch {
			return nil
		}
		in := lastUser(final)
		if in == nil {
			return nil
		}
		name, _, _ := strings.Cut(in.Command.(*instructions.UserCommand).User, ":")
		if isRoot(name) || strings.Contains(name, "$") || strings.Trim(name, "0123456789") == "" {
			return nil
		}
		for _, st := range final.Lineage() {
			for _, o := range st.Instructions {
				dest, copies := destination(o)
				if dest = strings.TrimSuffix(dest, "/"); copies && (dest == "" || dest == "." || strings.HasPrefix(dest, "/etc") || strings.Contains(dest, "$")) {
					return nil
				}
			}
		}
		p.Report(lint.Diagnostic{Span: in.Span, Message: fmt.Sprintf("no passwd in this image says who %s is, so its containers don't start", name)})
		return nil
	},
}
