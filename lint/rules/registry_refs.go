package rules

import (
	"fmt"
	"strings"
	"time"

	"github.com/distribution/reference"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// offered is what a reference names in its registry now; nil where that isn't
// known.
func offered(p *lint.Pass, ref, platform string) (*facts.Manifest, error) {
	if p.Facts.Registry == nil {
		return nil, facts.ErrUnknown
	}
	return p.Facts.Registry.Manifest(p.Context, ref, platform)
}

// byTag is the reference without its digest; "" where it has no tag.
func (r imageRef) byTag() string {
	if r.tag() == "" {
		return ""
	}
	tagged, err := reference.WithTag(reference.TrimNamed(r.named), r.tag())
	if err != nil {
		return ""
	}
	return reference.FamiliarString(tagged)
}

// repin puts another digest in the place of the one that is written; nil where
// variables are in the reference.
func (r imageRef) repin(p *lint.Pass, digest string) []edit.Edit {
	text := r.span.Of(p.File.Src)
	if r.written != r.ref || text != r.ref {
		return nil
	}
	start := r.span.Start + strings.Index(text, "@") + 1
	return []edit.Edit{{Span: edit.Span{Start: start, End: start + len(r.digest())}, New: digest}}
}

// shortDigest is a digest as people compare it.
func shortDigest(digest string) string { return digest[:min(len(digest), len("sha256:")+12)] }

// made says when an image was made; "" where it doesn't tell: images that are built
// to the same bytes each time are of 1970 or so.
func made(m *facts.Manifest) string {
	if m == nil || m.Created.Year() < 2000 {
		return ""
	}
	return m.Created.UTC().Format(time.DateOnly)
}

// megabytes are bytes for people.
func megabytes(n int64) string { return fmt.Sprintf("%d MB", (n+500_000)/1_000_000) }

// platformsOf are those that an image is there for.
func platformsOf(m *facts.Manifest) string {
	var names []string
	for _, p := range m.Platforms {
		names = append(names, p.Platform)
	}
	return strings.Join(names, ", ")
}
