package rules

import "github.com/imgmgr/imgmgr/lint"

// CdInRun finds cd, which a WORKDIR could stand for.
var CdInRun = &lint.Rule{
	Name:     "CdInRun",
	Aliases:  []string{"DL3003"},
	Severity: lint.Info,
	Profile:  lint.All,
	Doc: lint.Doc{
		Title: "cd in a RUN",
		Why: `The folder that cd goes to is forgotten at the end of the RUN; WORKDIR holds for all that follows, and makes the
folder. Within one RUN cd does no harm, which is why only the profiles all and hadolint speak of it.`,
		Bad:  file("FROM alpine:3.20\nRUN cd /src && make\n"),
		Good: file("FROM alpine:3.20\nWORKDIR /src\nRUN make\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			if c.Name() == "cd" {
				p.Report(lint.Diagnostic{Span: c.Span, Message: "cd holds until the end of this RUN: WORKDIR holds for what follows"})
			}
		}
		return nil
	},
}
