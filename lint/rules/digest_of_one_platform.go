package rules

import (
	"fmt"

	"github.com/imgmgr/imgmgr/lint"
)

// DigestOfOnePlatform finds pins to the image for one platform of several.
var DigestOfOnePlatform = &lint.Rule{
	Name:     "DigestOfOnePlatform",
	Severity: lint.Info,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "Image is pinned to one platform of several",
		Why: `Behind most tags is an index that lists an image for each platform. Who pins the digest of one of those, as an engine or
a registry's page shows it, builds from that platform on every machine: with another one, the build gets programs for the
wrong processor, which fail or run emulated. The index's digest pins all of them. The fix writes it, where the tag's
index still lists the pinned image: for that platform nothing changes.`,
		Bad: lint.Example{
			Dockerfile: "FROM debian:12-slim@sha256:1111111111111111111111111111111111111111111111111111111111111111\n",
			Images:     map[string]string{},
			Registry: map[string]string{
				"debian:12-slim": `{"digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222", "index": true, "platforms": [
					{"platform": "linux/amd64", "digest": "sha256:1111111111111111111111111111111111111111111111111111111111111111"},
					{"platform": "linux/arm64", "digest": "sha256:3333333333333333333333333333333333333333333333333333333333333333"}]}`,
			},
		},
		Good: lint.Example{
			Dockerfile: "FROM debian:12-slim@sha256:2222222222222222222222222222222222222222222222222222222222222222\n",
			Registry: map[string]string{
				"debian:12-slim": `{"digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222", "index": true}`,
			},
		},
	},
	Run: func(p *lint.Pass) error {
		for _, r := range imageRefs(p) {
			if r.digest() == "" || r.byTag() == "" {
				continue
			}
			index, err := offered(p, r.byTag(), r.platform)
			if err != nil || !index.Index || len(index.Platforms) < 2 || !holds(index, r.digest()) {
				continue
			}
			var pinned string
			for _, of := range index.Platforms {
				if of.Digest == r.digest() {
					pinned = of.Platform
					break
				}
			}
			if r.platform == pinned && p.Facts.Platform != pinned {
				continue // on purpose: its FROM names the platform
			}
			d := lint.Diagnostic{Span: r.span, Message: fmt.Sprintf("the digest is that of the image for %s alone, and %s is there for %d platforms", pinned, r.byTag(), len(index.Platforms))}
			d.Evidence = []lint.Evidence{{What: r.byTag(), Says: index.Digest + " lists " + platformsOf(index)}}
			if r.platform != "" && r.platform != pinned {
				d.Severity = lint.Warning
				d.Evidence = append(d.Evidence, lint.Evidence{What: "the build", Says: "is for " + r.platform})
			}
			if edits := r.repin(p, index.Digest); edits != nil {
				d.Fix = &lint.Fix{Message: "Pin the index, " + shortDigest(index.Digest), Safety: lint.Safe, Edits: edits}
			}
			p.Report(d)
		}
		return nil
	},
}
