package rules

import (
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// imageRef is a place in the Dockerfile that names an image of a registry:
// FROM, COPY --from or RUN --mount=from.
type imageRef struct {
	span edit.Span // the reference where it stands alone, else what holds it
	ref  string    // with the variables in it expanded
	// written is the reference as it stands; it differs from ref where
	// variables are in it.
	written  string
	named    reference.Named
	platform string // as facts.ImageResolver takes it
}

// tag is the reference's tag, or "".
func (r imageRef) tag() string {
	if t, ok := r.named.(reference.Tagged); ok {
		return t.Tag()
	}
	return ""
}

// digest is the reference's digest, or "".
func (r imageRef) digest() string {
	if d, ok := r.named.(reference.Digested); ok {
		return d.Digest().String()
	}
	return ""
}

// imageRefs returns the images that a Dockerfile names. Left out are stages,
// scratch, named contexts, and references that aren't known without a build
// argument.
func imageRefs(p *lint.Pass) []imageRef {
	var refs []imageRef
	for _, st := range p.File.Stages {
		if r, ok := baseRef(p, st); ok {
			refs = append(refs, r)
		}
		for _, in := range st.Instructions {
			refs = append(refs, copiedRefs(p, in)...)
		}
	}
	return refs
}

// baseRef is the image that FROM names.
func baseRef(p *lint.Pass, st *dockerfile.Stage) (imageRef, bool) {
	if st.Parent != nil || st.From == nil || st.From.Err != nil || len(st.From.Args) == 0 {
		return imageRef{}, false
	}
	ref, ok := p.BaseRef(st)
	if !ok {
		return imageRef{}, false
	}
	word := st.From.Args[0]
	r := imageRef{span: word.Span, ref: ref, written: word.Raw, platform: p.Facts.Platform}
	if st.Platform != "" {
		r.platform = ""
		if !strings.ContainsAny(st.Platform, "$`\\") {
			r.platform = st.Platform
		}
	}
	return r.resolve(p)
}

// copiedRefs are the images that COPY --from and RUN --mount=from name.
func copiedRefs(p *lint.Pass, in *dockerfile.Instruction) []imageRef {
	var refs []imageRef
	add := func(flag dockerfile.Flag, from string) {
		if from == "" || strings.Contains(from, "$") || isStage(p.File, from) {
			return
		}
		r := imageRef{span: flag.Span, ref: from, platform: p.Facts.Platform}
		// The reference alone, where the flag holds it once.
		if text := flag.Span.Of(p.File.Src); strings.Count(text, "from="+from) == 1 {
			start := flag.Span.Start + strings.Index(text, "from="+from) + len("from=")
			r.span = edit.Span{Start: start, End: start + len(from)}
			r.written = from
		}
		if r, ok := r.resolve(p); ok {
			refs = append(refs, r)
		}
	}
	switch c := in.Command.(type) {
	case *instructions.CopyCommand:
		if flag, ok := in.Flag("from"); ok {
			add(flag, c.From)
		}
	case *instructions.RunCommand:
		i := 0
		mounts := instructions.GetMounts(c)
		for _, flag := range in.Flags {
			if flag.Name != "mount" || i >= len(mounts) {
				continue
			}
			add(flag, mounts[i].From)
			i++
		}
	}
	return refs
}

// resolve reads the reference. It fails for scratch, a named context, and what
// is no reference.
func (r imageRef) resolve(p *lint.Pass) (imageRef, bool) {
	if r.ref == "scratch" {
		return r, false
	}
	named, err := reference.ParseNormalizedNamed(r.ref)
	if err != nil {
		return r, false // BuildKit reports it
	}
	r.named = named
	_, replaced := facts.Replacing(p.Facts.Named, r.ref)
	return r, !replaced
}

// isStage reports whether COPY --from=name means a stage.
func isStage(f *dockerfile.File, name string) bool {
	if strings.Trim(name, "0123456789") == "" {
		return true
	}
	for _, st := range f.Stages {
		if st.Name != "" && strings.EqualFold(st.Name, name) {
			return true
		}
	}
	return false
}
