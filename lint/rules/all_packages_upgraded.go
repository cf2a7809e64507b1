package rules

import (
	"fmt"

	"github.com/imgmgr/imgmgr/lint"
)

// AllPackagesUpgraded finds upgrades of the whole system.
var AllPackagesUpgraded = &lint.Rule{
	Name:     "AllPackagesUpgraded",
	Aliases:  []string{"DL3035"},
	Severity: lint.Info,
	Profile:  lint.Strict,
	Doc: lint.Doc{
		Title: "Every package of the base image is upgraded",
		Why: `An upgrade of everything puts a second copy of each upgraded file on top of the base image, which stays in the
image below it, and what comes out depends on the day. Its layer is also cached: the next security update doesn't
arrive until something above it changes. Take a newer base image instead, and let a bot keep its digest up to date.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN apt-get update && apt-get upgrade -y\n"),
		Good: file("FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y openssl\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, u := range installs(p) {
			if u.Upgrades {
				message := fmt.Sprintf("%s upgrades every package of the base image, which stays in the image below them", u.use.Title)
				p.Report(lint.Diagnostic{Span: u.Span, Alias: code(u.Codes.Upgrade, "AllPackagesUpgraded"), Message: message})
			}
		}
		return nil
	},
}
