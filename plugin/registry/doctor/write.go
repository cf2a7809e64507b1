package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// things are what the probes write. They are the same each time, so that a run that
// was killed leaves nothing that the next one doesn't take away.
type things struct{ config, one, two, index, referrer content }

func makeThings() (t things, err error) {
	if t.config, err = makeContent(ocispec.MediaTypeImageConfig, ocispec.Image{Author: "imgmgr registry doctor",
		Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}, RootFS: ocispec.RootFS{Type: "layers"}}); err != nil {
		return t, err
	}
	if t.one, err = image(t.config, "one", nil); err != nil {
		return t, err
	}
	if t.two, err = image(t.config, "two", nil); err != nil {
		return t, err
	}
	if t.referrer, err = image(t.config, "referrer", &t.one.Descriptor); err != nil {
		return t, err
	}
	t.index, err = makeContent(ocispec.MediaTypeImageIndex, ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{t.one.Descriptor}})
	return t, err
}

// write pushes a few images of some hundred bytes, tries everything on them, and
// takes them away.
func (p *probe) write(ctx context.Context) (err error) {
	t, err := makeThings()
	if err != nil {
		return err
	}
	if err := p.Delete(ctx, p.scratch, t.one.Digest.String()); errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		p.found.DeleteManifest = No // what is written would stay
		return nil
	}
	p.found.Wrote = true
	defer func() { err = errors.Join(err, p.tidy(context.WithoutCancel(ctx), t)) }()
	if err := p.upload(ctx, t.config); err != nil {
		return fmt.Errorf("write to the scratch repository: %w; name another with --scratch, or use --read-only", err)
	}
	for _, step := range []func(context.Context, things) error{p.reading, p.mounting, p.referring, p.deleting} {
		if err := step(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// reading pushes and looks at what was pushed.
func (p *probe) reading(ctx context.Context, t things) error {
	for _, tag := range []string{"a", "b", "c"} {
		if err := p.put(ctx, tag, t.one); err != nil {
			return err
		}
	}
	if err := p.put(ctx, "index", t.index); err != nil {
		return err
	}
	if _, err := p.head(ctx, p.scratch, "a"); err != nil {
		return err
	}
	return errors.Join(p.askPages(ctx, p.scratch, 4), p.plain(ctx, p.scratch, t.index.Digest.String()), p.ranged(ctx, p.scratch, t.config.Descriptor))
}

func (p *probe) mounting(ctx context.Context, t things) error {
	to := p.scratch + "/mount"
	p.found.Mount = No
	mounted, err := p.Registry.Mount(ctx, to, t.config.Digest.String(), p.scratch)
	if err != nil || !mounted {
		return err
	}
	there, err := p.HasBlob(ctx, to, t.config.Digest.String())
	if there {
		p.found.Mount = Yes
	}
	return err
}

func (p *probe) referring(ctx context.Context, t things) error {
	if err := p.askReferrers(ctx, p.scratch, t.one.Digest.String()); err != nil || p.found.Referrers != Yes {
		p.found.Subjects = NotTried
		return err
	}
	if err := p.put(ctx, "", t.referrer); err != nil {
		p.found.Subjects, err = answer(err)
		return err
	}
	found, _, err := p.Registry.Referrers(ctx, p.scratch, t.one.Digest.String())
	p.found.Subjects = No
	if slices.ContainsFunc(found, func(d ocispec.Descriptor) bool { return d.Digest == t.referrer.Digest }) {
		p.found.Subjects = Yes
	}
	return err
}

func (p *probe) deleting(ctx context.Context, t things) error {
	var err error
	if p.found.DeleteTag, err = answer(p.Delete(ctx, p.scratch, "b")); err != nil {
		return err
	}
	if p.found.DeleteTag == Yes {
		_, gone := p.Digest(ctx, p.scratch, "b")
		_, stays := p.Digest(ctx, p.scratch, "a")
		if stays != nil || !errors.Is(gone, fs.ErrNotExist) {
			p.found.DeleteTag = No // it said so, and did something else
		}
	}
	if err := p.put(ctx, "d", t.two); err != nil {
		return err
	}
	if p.found.DeleteManifest, err = answer(p.Delete(ctx, p.scratch, t.two.Digest.String())); err != nil || p.found.DeleteManifest != Yes {
		return err
	}
	if _, err := p.Digest(ctx, p.scratch, "d"); !errors.Is(err, fs.ErrNotExist) {
		p.found.DeleteManifest = No
		return nil
	}
	p.found.Undo, err = answer(p.put(ctx, "d", t.two))
	return err
}

// tidy takes away all that was written. Where the registry deletes nothing, it
// stays.
func (p *probe) tidy(ctx context.Context, t things) error {
	for _, tag := range []string{"a", "b", "c", "d", "index"} {
		_ = p.Delete(ctx, p.scratch, tag) // 2.8 can't; they go with their manifest
	}
	var failed []error
	left := false
	for _, c := range []content{t.index, t.referrer, t.one, t.two} {
		a, err := answer(p.Delete(ctx, p.scratch, c.Digest.String()))
		_, still := p.Digest(ctx, p.scratch, c.Digest.String())
		left = left || a != Yes && still == nil
		failed = append(failed, err)
	}
	for _, repository := range []string{p.scratch, p.scratch + "/mount"} {
		_ = p.DeleteBlob(ctx, repository, t.config.Digest.String()) // few can; garbage collection does it
	}
	if left {
		failed = append(failed, fmt.Errorf("the test images in %s/%s could not be deleted", p.Host(), p.scratch))
	}
	return errors.Join(failed...)
}
