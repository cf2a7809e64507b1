package rules

import (
	"fmt"
	"slices"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/effect"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// PackageCacheLeft finds downloads of a package manager that stay in a layer.
var PackageCacheLeft = &lint.Rule{
	Name:     "PackageCacheLeft",
	Aliases:  []string{"DL3019", "DL3032", "DL3036", "DL3040", "DL3042", "DL3060"},
	Severity: lint.Info,
	Profile:  lint.Strict,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "Package manager's cache stays in the image",
		Why: `What a package manager has downloaded is of no use in the image once it is installed. A cache mount keeps it out of
the image and makes the next build faster; without one, turn the cache off, or empty it in the same RUN: a later one
doesn't make the image smaller.

The rule is silent where a cache or tmpfs mount is there, and looks only at the stages that the final image is made
from. The profile for hadolint looks at all.`,
		Bad:  file("FROM python:3.13-slim\nRUN pip install flask==3.1.0\n"),
		Good: file("FROM python:3.13-slim\nRUN pip install --no-cache-dir flask==3.1.0\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, u := range installs(p) {
			if u.Leaves == "" || !inFinal(p, u.in) && !asHadolint(p) || cleaned(p, u) {
				continue
			}
			d := lint.Diagnostic{Span: u.Span, Alias: code(u.Codes.Cache, "PackageCacheLeft")}
			remedy := u.Clean + " in the same RUN empties it"
			if u.NoCache != "" {
				remedy = u.NoCache + " prevents that"
				if edits := u.addFlag(u.NoCache); edits != nil {
					d.Fix = &lint.Fix{Message: "Add " + u.NoCache, Safety: lint.Safe, Drops: []string{u.Leaves}, Edits: edits}
				}
			}
			d.Message = fmt.Sprintf("%s leaves its cache in the image (%s): a cache mount keeps it out, or %s", u.use.Title, u.Leaves, remedy)
			p.Report(d)
		}
		return nil
	},
}

// cleaned reports that the cache isn't in the layer: it is in a mount, is turned
// off, or is emptied by the same script.
func cleaned(p *lint.Pass, u install) bool {
	if slices.ContainsFunc(mounts(p, u.in), func(m effect.Mount) bool { return m.Kind == "cache" || m.Kind == "tmpfs" }) {
		return true
	}
	if v, set, _ := p.State(u.in).Lookup("PIP_NO_CACHE_DIR"); u.NoCache == "--no-cache-dir" && set && v != "" {
		return true
	}
	if slices.ContainsFunc(u.Assigns, func(a shell.Assign) bool { return a.Name == "PIP_NO_CACHE_DIR" }) || removes(u.script, u.Leaves) {
		return true
	}
	return slices.ContainsFunc(u.script.Commands(), func(c *shell.Command) bool {
		other := ecosystem.Find(c)
		return other != nil && other.Tool.Name == u.use.Tool.Name && other.Kind&ecosystem.Clean != 0
	})
}
