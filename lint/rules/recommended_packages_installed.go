package rules

import (
	"fmt"

	"github.com/imgmgr/imgmgr/lint"
)

// RecommendedPackagesInstalled finds installations that bring more than was
// asked for.
var RecommendedPackagesInstalled = &lint.Rule{
	Name:     "RecommendedPackagesInstalled",
	Aliases:  []string{"DL3015"},
	Severity: lint.Info,
	Profile:  lint.Strict,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "Packages are installed that are only recommended",
		Why: `A package's maintainer may recommend others that "all but unusual installations" have: documentation, mail
servers, whole desktops. An image is an unusual installation, and each of them is more to download and to patch.

The fix is unsafe: a program may need what is recommended with it. Build the image and try it.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y git\n"),
		Good: file("FROM debian:bookworm-slim\nRUN apt-get update && apt-get install --no-install-recommends -y git\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, u := range installs(p) {
			if u.Lean == "" || len(u.Packages) == 0 {
				continue
			}
			d := lint.Diagnostic{Span: u.Span, Alias: code(u.Codes.Lean, "RecommendedPackagesInstalled")}
			d.Message = fmt.Sprintf("%s also installs what the packages only recommend: %s leaves that out", u.use.Title, u.Lean)
			if edits := u.addFlag(u.Lean); edits != nil {
				d.Fix = &lint.Fix{Message: "Add " + u.Lean, Safety: lint.Unsafe, Edits: edits, Doubt: "a program may need what is recommended with it"}
			}
			p.Report(d)
		}
		return nil
	},
}
