package rules

import (
	"fmt"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// UnpinnedBaseImage finds images that are named by a tag alone.
var UnpinnedBaseImage = &lint.Rule{
	Name:     "UnpinnedBaseImage",
	Severity: lint.Info,
	Profile:  lint.Strict,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "Image is not pinned by digest",
		Why: `A tag is a name that its owner can move to another image at any time, and most official tags move every few weeks.
Only a digest says which bytes are meant: with "name:tag@sha256:…" every build, on every machine, starts from the same
image, and an update is a commit that a bot such as Renovate or Dependabot can make and a reviewer can see.

The fix writes the digest that the tag has now, where the registry can be asked. It leaves a reference alone that is put
together from variables: a digest would silently win over the tag in them.`,
		Bad: lint.Example{
			Dockerfile: "FROM debian:bookworm-slim\n",
			Images:     map[string]string{"debian:bookworm-slim": `{}`},
		},
		Good: lint.Example{
			// The digest that the tests give the image.
			Dockerfile: "FROM debian:bookworm-slim@sha256:12f2bc40491f9f7b029e375c38f2ecef73006e86ca71ea9321b3cf777df92ba8\n",
			Images:     map[string]string{"debian:bookworm-slim": `{}`},
		},
	},
	Run: func(p *lint.Pass) error {
		for _, r := range imageRefs(p) {
			if r.digest() != "" {
				continue
			}
			message := fmt.Sprintf("%s can become another image at any time: no digest pins it", r.ref)
			d := lint.Diagnostic{Span: r.span, Message: message}
			if digest := digestOf(p, r); digest != "" {
				d.Evidence = []lint.Evidence{{What: r.ref, Says: "is " + digest + " now"}}
				d.Fix = pin(p, r, digest)
			}
			p.Report(d)
		}
		return nil
	},
}

// digestOf is what the reference stands for now, or "" where that isn't known.
func digestOf(p *lint.Pass, r imageRef) string {
	if p.Facts.Images == nil {
		return ""
	}
	image, err := p.Facts.Images.Image(p.Context, r.ref, r.platform)
	if err != nil || image == nil {
		return "" // not known now; the finding stands without a fix
	}
	return image.Digest
}

// pin adds the digest, or is nil where the reference isn't written out.
func pin(p *lint.Pass, r imageRef, digest string) *lint.Fix {
	if r.written != r.ref || r.span.Of(p.File.Src) != r.ref {
		return nil
	}
	return &lint.Fix{
		Message: "Pin " + r.ref + " to " + digest[:min(len(digest), len("sha256:")+12)],
		Safety:  lint.Safe,
		Edits:   []edit.Edit{{Span: edit.Span{Start: r.span.End, End: r.span.End}, New: "@" + digest}},
	}
}
