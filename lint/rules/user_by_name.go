package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
)

// UserByName finds users that only the image's own passwd knows.
var UserByName = &lint.Rule{
	Name:     "UserByName",
	Aliases:  []string{"DL3066"},
	Severity: lint.Info,
	Profile:  lint.Strict,
	Doc: lint.Doc{
		Title: "USER has a name instead of a number",
		Why: `Kubernetes refuses a container with runAsNonRoot: true whose user is a name, for it can't see whether that name is
root ("container has runAsNonRoot and image has non-numeric user"). A number also stays the same when a package adds
users of its own. Only the user that the image ends with counts.`,
		Bad:  file("FROM alpine:3.20\nRUN adduser -D -u 10001 app\nUSER app\n"),
		Good: file("FROM alpine:3.20\nRUN adduser -D -u 10001 app\nUSER 10001\n"),
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
		user := in.Command.(*instructions.UserCommand).User
		name, _, _ := strings.Cut(user, ":")
		if _, err := strconv.Atoi(name); err == nil || isRoot(name) || strings.Contains(name, "$") {
			return nil
		}
		p.Report(lint.Diagnostic{Span: in.Span, Message: fmt.Sprintf("USER %s is a name: a number tells an orchestrator that it isn't root", name)})
		return nil
	},
}
