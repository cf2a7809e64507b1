package rules

import (
	"fmt"

	"github.com/imgmgr/imgmgr/lint"
)

// PromptUnanswered finds package managers that wait for an answer.
var PromptUnanswered = &lint.Rule{
	Name:     "PromptUnanswered",
	Aliases:  []string{"DL3014", "DL3030", "DL3034", "DL3038"},
	Severity: lint.Warning,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "Package manager asks whether to go on, and nobody answers",
		Why: `A build has no terminal. A package manager that asks before it installs gets no answer and gives up, and so the
build fails as soon as a package brings others with it. A flag answers beforehand.

The rule is silent where the answer comes through a pipe.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN apt-get update && apt-get install --no-install-recommends git\n"),
		Good: file("FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends git\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, u := range installs(p) {
			if u.Yes == "" || u.Piped || answered(u) {
				continue
			}
			d := lint.Diagnostic{Span: u.Span, Alias: code(u.Codes.Yes, "PromptUnanswered")}
			d.Message = fmt.Sprintf("%s asks before it goes on, and a build can't answer: add %s", u.use.Title, u.Yes)
			if edits := u.addFlag(u.Yes); edits != nil {
				d.Fix = &lint.Fix{Message: "Add " + u.Yes, Safety: lint.Safe, Edits: edits}
			}
			p.Report(d)
		}
		return nil
	},
}

// answered reports that the answer may be among words that aren't known, or in
// a file that the command reads.
func answered(u install) bool {
	for _, r := range u.Redirects {
		if r.Op == "<" || r.Op == "<<<" || r.Op == "<<" {
			return true
		}
	}
	return asksInWords(u)
}

// asksInWords reports an option that only the shell knows.
func asksInWords(u install) bool {
	for _, w := range u.Args() {
		if !w.Literal && len(w.Value) > 0 && w.Value[0] == '$' {
			return true
		}
	}
	return false
}
