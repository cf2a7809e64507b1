package rules

import (
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// UserUnknown finds users by name in images that know no names.
var UserUnknown = &lint.Rule{
	Name:     "UserUnknown",
	Severity: lint.Error,
	Doc: lint.Doc{
		Title: "USER has a name, and the image has no passwd to look it up",
		Why: `An image from scratch has no /etc/passwd. A container of it doesn't start: "unable to find user app: no matching
entries in passwd file". Write the number, or copy a passwd into the image. The rule looks at the final stage and is
silent where something is copied to / or /etc. Where the files of the base image are at hand, it reads their passwd, too,
and is silent where a step makes users or installs packages, which may make some.`,
		Bad:  file("FROM scratch\nCOPY app /app\nUSER app\nENTRYPOINT [\"/app\"]\n"),
		Good: file("FROM scratch\nCOPY app /app\nUSER 10001\nENTRYPOINT [\"/app\"]\n"),
	},
	Run: func(p *lint.Pass) error {
		final := p.File.Final(p.Facts.Target)
		if final == nil {
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
		if !p.Result(final).Scratch {
			reportUnlisted(p, final, in, name)
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

// reportUnlisted reports a user whom the base image's passwd doesn't list, and whom
// no step makes.
func reportUnlisted(p *lint.Pass, final *dockerfile.Stage, in *dockerfile.Instruction, name string) {
	image := p.Result(final).Image
	if image == nil || image.Files == nil || mayMake(p, final.Lineage(), "/etc/passwd") {
		return
	}
	base := origin(final).Base
	passwd, err := facts.Read(image.Files, "etc/passwd")
	if facts.Absent(err) {
		p.Report(lint.Diagnostic{
			Span: in.Span, Message: fmt.Sprintf("no passwd in this image says who %s is, so its containers don't start", name),
			Evidence: []lint.Evidence{{What: "the files of " + base, Says: "hold no /etc/passwd"}},
		})
		return
	}
	if err != nil {
		return
	}
	var users []string
	for line := range strings.Lines(string(passwd)) {
		user, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		if user == name {
			return
		}
		users = append(users, user)
	}
	p.Report(lint.Diagnostic{
		Span: in.Span, Message: fmt.Sprintf("the passwd of %s doesn't say who %s is, and no step makes that user, so its containers don't start", base, name),
		Evidence: []lint.Evidence{{What: base, Says: "has the users " + list(users)}},
	})
}
