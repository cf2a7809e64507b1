package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
)

// EnvUsesItself finds variables that an ENV uses and sets at once.
var EnvUsesItself = &lint.Rule{
	Name:     "EnvUsesItself",
	Aliases:  []string{"DL3044"},
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "ENV uses a variable that the same ENV sets",
		Why: `All values of one ENV see the variables as they were before it. In ENV DIR=/app BIN=$DIR/bin the value of BIN is
"/bin": DIR isn't set yet. Write two ENVs. A variable that is set above, such as PATH in ENV PATH=/app/bin:$PATH, is
meant to be the old one.`,
		Bad:  file("FROM alpine:3.20\nENV DIR=/app BIN=$DIR/bin\n"),
		Good: file("FROM alpine:3.20\nENV DIR=/app\nENV BIN=$DIR/bin\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			c, ok := in.Command.(*instructions.EnvCommand)
			if !ok || in.Stage == nil {
				continue
			}
			state := p.State(in)
			for i, kv := range c.Env {
				for j, other := range c.Env {
					_, set, _ := state.Lookup(other.Key)
					if set || other.Key == "PATH" || i == j || !usesVariable(kv.Value, other.Key) {
						continue
					}
					message := fmt.Sprintf("%s uses %s, which the same ENV sets: its value here is the one from before, and that is empty", kv.Key, other.Key)
					p.Report(lint.Diagnostic{Span: assignmentSpan(p.File, in, kv.Key), Message: message})
				}
			}
		}
		return nil
	},
}

var variableName = regexp.MustCompile(`\\?\$\{?[A-Za-z_][A-Za-z0-9_]*`)

// usesVariable reports that a value of ENV is expanded with a variable.
func usesVariable(value, name string) bool {
	if strings.HasPrefix(value, "'") {
		return false
	}
	return slices.ContainsFunc(variableName.FindAllString(value, -1), func(found string) bool {
		return strings.TrimLeft(found, "${") == name
	})
}
