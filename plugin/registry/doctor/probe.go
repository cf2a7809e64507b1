package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/distribution"
)

// probe asks one registry.
type probe struct {
	*distribution.Registry
	scratch string // repository to write to; "" reads alone
	found   Answers
}

// Examine asks a registry all there is to ask. It writes to the scratch repository
// and the one below it named "mount" alone, and takes away what it wrote there; with
// no scratch repository, it reads what is there.
func Examine(ctx context.Context, registry *distribution.Registry, scratch string) (*Answers, error) {
	p := &probe{Registry: registry, scratch: scratch, found: Answers{
		Pages: NotTried, PlainIndex: NotTried, Digests: NotTried, Referrers: NotTried, Subjects: NotTried, Range: NotTried,
		Mount: NotTried, DeleteTag: NotTried, DeleteManifest: NotTried, Undo: NotTried,
	}}
	var err error
	if p.found.Login, err = registry.Login(ctx); err != nil {
		return nil, err
	}
	repositories, err := p.catalog(ctx)
	if err != nil {
		return nil, err
	}
	if scratch == "" {
		return &p.found, p.existing(ctx, repositories)
	}
	if err := p.write(ctx); err != nil || p.found.Wrote {
		return &p.found, err
	}
	return &p.found, p.existing(ctx, repositories)
}

// answer turns an error into an answer, where it is one.
func answer(err error) (Answer, error) {
	switch {
	case err == nil:
		return Yes, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errors.ErrUnsupported), errors.Is(err, fs.ErrPermission):
		return No, nil
	}
	return Unknown, err
}

func (p *probe) catalog(ctx context.Context) (repositories []string, err error) {
	repositories, err = p.Repositories(ctx)
	p.found.Catalog, err = answer(err)
	return repositories, err
}

// existing looks at what is there: the first repository with tags, and the first
// index in it.
func (p *probe) existing(ctx context.Context, repositories []string) error {
	const most = 20 // of repositories and tags to look at
	for _, repository := range repositories[:min(len(repositories), most)] {
		tags, err := p.Tags(ctx, repository)
		if err != nil || len(tags) == 0 {
			continue
		}
		if len(tags) > 1 && p.found.Pages == NotTried {
			if err := p.askPages(ctx, repository, len(tags)); err != nil {
				return err
			}
		}
		for _, tag := range tags[:min(len(tags), most)] {
			if err := p.image(ctx, repository, tag); err != nil {
				return err
			}
			if p.found.PlainIndex != NotTried && p.found.Pages != NotTried && p.found.Range != NotTried {
				return nil
			}
		}
	}
	return nil
}

// image reads one image.
func (p *probe) image(ctx context.Context, repository, tag string) error {
	digest, err := p.head(ctx, repository, tag)
	if err != nil {
		return err
	}
	if err := p.askReferrers(ctx, repository, digest); err != nil {
		return err
	}
	_, content, err := p.Manifest(ctx, repository, digest)
	if err != nil {
		return err
	}
	var m struct {
		Manifests []ocispec.Descriptor
		Config    ocispec.Descriptor
	}
	if json.Unmarshal(content, &m) != nil {
		return nil
	}
	if m.Manifests != nil {
		return p.plain(ctx, repository, digest)
	}
	if m.Config.Size > 1 {
		return p.ranged(ctx, repository, m.Config)
	}
	return nil
}

// askPages asks for one name of several.
func (p *probe) askPages(ctx context.Context, repository string, known int) error {
	got, err := p.Do(ctx, distribution.Request{Method: http.MethodGet, Repository: repository, Path: "tags/list?n=1", Rights: distribution.MayRead})
	if err != nil {
		return err
	}
	var page struct{ Tags []string }
	if json.Unmarshal(got.Body, &page) != nil {
		p.found.Pages = Unknown
		return nil
	}
	p.found.Pages = No
	if len(page.Tags) < known && got.Header.Get("Link") != "" {
		p.found.Pages = Yes
	}
	return nil
}

func (p *probe) head(ctx context.Context, repository, reference string) (string, error) {
	got, err := p.Do(ctx, distribution.Request{Method: http.MethodHead, Repository: repository, Path: "manifests/" + reference, Rights: distribution.MayRead, Header: distribution.Accepting()})
	if err == nil && p.found.Digests == NotTried {
		p.found.Digests = No
		if got.Header.Get("Docker-Content-Digest") != "" {
			p.found.Digests = Yes
		}
	}
	if err != nil {
		return "", err
	}
	return p.Digest(ctx, repository, reference)
}

func (p *probe) askReferrers(ctx context.Context, repository, digest string) error {
	_, err := p.Do(ctx, distribution.Request{Method: http.MethodGet, Repository: repository, Path: "referrers/" + digest, Rights: distribution.MayRead})
	var unexpected error
	p.found.Referrers, unexpected = answer(err)
	return unexpected
}

// plain asks for an index as a client does that knows of images alone.
func (p *probe) plain(ctx context.Context, repository, digest string) error {
	_, err := p.Do(ctx, distribution.Request{Method: http.MethodGet, Repository: repository, Path: "manifests/" + digest, Rights: distribution.MayRead})
	var unexpected error
	p.found.PlainIndex, unexpected = answer(err)
	return unexpected
}

func (p *probe) ranged(ctx context.Context, repository string, d ocispec.Descriptor) error {
	got, err := p.Do(ctx, distribution.Request{Method: http.MethodGet, Repository: repository, Path: "blobs/" + d.Digest.String(), Rights: distribution.MayRead,
		Header: http.Header{"Range": {"bytes=1-"}}})
	p.found.Range = No
	if err == nil && got.Status == http.StatusPartialContent && int64(len(got.Body)) == d.Size-1 {
		p.found.Range = Yes
	}
	_, err = answer(err)
	return err
}

// content is a blob or a manifest that is written for a probe.
type content struct {
	ocispec.Descriptor
	bytes []byte
}

func makeContent(mediaType string, v any) (content, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return content{}, fmt.Errorf("make an image for the test: %w", err)
	}
	return content{ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(text), Size: int64(len(text))}, text}, nil
}

func image(config content, word string, subject *ocispec.Descriptor) (content, error) {
	return makeContent(ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config.Descriptor, Subject: subject,
		Layers: []ocispec.Descriptor{config.Descriptor}, Annotations: map[string]string{"imgmgr.doctor": word},
	})
}

func (p *probe) upload(ctx context.Context, c content) error {
	return p.Upload(ctx, p.scratch, c.Digest.String(), c.Size, func() io.ReadCloser { return io.NopCloser(strings.NewReader(string(c.bytes))) })
}

func (p *probe) put(ctx context.Context, reference string, c content) error {
	if reference == "" {
		reference = c.Digest.String()
	}
	return p.Put(ctx, p.scratch, reference, c.MediaType, c.bytes)
}
