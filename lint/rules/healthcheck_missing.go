package rules

import "github.com/imgmgr/imgmgr/lint"

// HealthcheckMissing finds images that don't say how they are.
var HealthcheckMissing = &lint.Rule{
	Name:     "HealthcheckMissing",
	Aliases:  []string{"DL3057"},
	Severity: lint.Info,
	Profile:  lint.All,
	Doc: lint.Doc{
		Title: "The image has no HEALTHCHECK",
		Why: `With a HEALTHCHECK, docker ps, Compose and Swarm know whether the container's process answers, and not only that it
runs. Kubernetes has probes of its own and ignores it, and a job needs none: only the profile all speaks of it.`,
		Bad:  file("FROM nginx:1.29\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n"),
		Good: file("FROM nginx:1.29\nHEALTHCHECK CMD curl -f http://localhost/ || exit 1\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n"),
	},
	Run: func(p *lint.Pass) error {
		final := p.File.Final(p.Facts.Target)
		if final == nil || !starts(p, final) {
			return nil
		}
		for _, st := range p.Lineage(final) {
			for _, in := range st.Instructions {
				if in.Name == "HEALTHCHECK" {
					return nil
				}
			}
		}
		p.Report(lint.Diagnostic{Span: nameSpan(final), Message: "no HEALTHCHECK says whether the image's process answers"})
		return nil
	},
}
