package rules

import (
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// UnpinnedPackage finds packages that are installed in whatever version is the
// newest.
var UnpinnedPackage = &lint.Rule{
	Name:     "UnpinnedPackage",
	Aliases:  []string{"DL3008", "DL3013", "DL3016", "DL3018", "DL3028", "DL3033", "DL3037", "DL3041", "DL3062"},
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "Package is installed without a version",
		Why: `Without a version each build installs the newest one of that day: a build that worked yesterday fails today, and
nothing in the Dockerfile says why. Write the version down, or install from a lock file.

The rule speaks where a pin holds: of indexes that keep old versions, such as PyPI, npm, RubyGems, crates.io, the Go
module proxy and conda's channels. Debian, Alpine, Fedora and openSUSE keep the newest version of a package only; a pin
there breaks the build with the next security update. The profiles all and hadolint ask for it nevertheless.

A package manager that updates itself (pip install --upgrade pip) is left alone, too.`,
		Bad:  file("FROM python:3.13-slim\nRUN pip install flask\n"),
		Good: file("FROM python:3.13-slim\nRUN pip install flask==3.1.0\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, u := range installs(p) {
			if !u.Lasting && !asHadolint(p) {
				continue
			}
			var names []string
			var span edit.Span
			for _, pkg := range u.Packages {
				if pkg.Pinned || !asHadolint(p) && ofTools(pkg.Word.Value) {
					continue
				}
				if names == nil {
					span.Start = pkg.Word.Span.Start
				}
				names, span.End = append(names, pkg.Word.Value), pkg.Word.Span.End
			}
			if names != nil {
				message := fmt.Sprintf("%s takes the newest version of %s on the day of the build: write %s", u.use.Title, list(names), u.Pin)
				p.Report(lint.Diagnostic{Span: span, Alias: code(u.Codes.Pin, "UnpinnedPackage"), Message: message})
			}
		}
		return nil
	},
}

// ofTools reports a package that is part of the tools that install packages.
func ofTools(name string) bool {
	name, _, _ = strings.Cut(name, "@")
	switch strings.ToLower(name) {
	case "pip", "setuptools", "wheel", "pipenv", "poetry", "uv", "npm", "yarn", "pnpm", "corepack", "bundler", "conda", "mamba", "build", "virtualenv":
		return true
	}
	return false
}

// list names up to four things in a sentence.
func list(names []string) string {
	if n := len(names); n > 4 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), n-3)
	} else if n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return names[0]
}
