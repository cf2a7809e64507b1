package rules

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// DigestOutdated finds pinned images that their tag has left.
var DigestOutdated = &lint.Rule{
	Name:     "DigestOutdated",
	Severity: lint.Info,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "Image is pinned by a digest that its tag has left",
		Why: `A digest keeps a build where it is, security updates included: the tag beside it moves on, and nobody notices. Registries
also delete what no tag names any more, and then the build fails. The rule asks the registry what the tag names now, says
of when both images are, and the fix pins the new one. It changes the image, which is what it is for: look at it as at any
update. Where nobody asks the registry (--online), the rule is silent.`,
		Bad: lint.Example{
			Dockerfile: "FROM debian:12-slim@sha256:1111111111111111111111111111111111111111111111111111111111111111\n",
			Images:     map[string]string{},
			Registry: map[string]string{
				"debian:12-slim": `{"digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222", "index": true, "created": "2026-11-02T00:00:00Z"}`,
				"debian:12-slim@sha256:1111111111111111111111111111111111111111111111111111111111111111": `{"digest": "sha256:1111111111111111111111111111111111111111111111111111111111111111", "index": true, "created": "2026-03-01T00:00:00Z"}`,
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
			now, err := offered(p, r.byTag(), r.platform)
			if err != nil || now.Digest == r.digest() || holds(now, r.digest()) {
				continue
			}
			was, err := offered(p, r.ref, r.platform)
			d := lint.Diagnostic{Span: r.span, Message: movedOn(r, was, now)}
			if errors.Is(err, fs.ErrNotExist) {
				d.Severity = lint.Warning
				d.Message = fmt.Sprintf("the registry hasn't got %s any more; %s names another image now", shortDigest(r.digest()), r.byTag())
			}
			d.Evidence = []lint.Evidence{{What: r.byTag(), Says: "is " + now.Digest + " now"}}
			if edits := r.repin(p, now.Digest); edits != nil {
				d.Fix = &lint.Fix{Message: "Pin what " + r.byTag() + " names now, " + shortDigest(now.Digest), Safety: lint.Unsafe, Edits: edits}
			}
			p.Report(d)
		}
		return nil
	},
}

// holds reports that an index lists the image.
func holds(m *facts.Manifest, digest string) bool {
	return slices.ContainsFunc(m.Platforms, func(p facts.PlatformManifest) bool { return p.Digest == digest })
}

// movedOn says of when the pinned image is, and the one that the tag names now.
func movedOn(r imageRef, was, now *facts.Manifest) string {
	text := fmt.Sprintf("%s names another image than the pinned one now", r.byTag())
	if before, after := made(was), made(now); before != "" && after != "" && before != after {
		text = fmt.Sprintf("%s names an image of %s now, and the pinned one is of %s", r.byTag(), after, before)
	}
	return text
}
