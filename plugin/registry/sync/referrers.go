package sync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/distribution"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// referrers brings over what refers to a manifest: what the referrers API or the
// list under its fallback tag names, and what cosign's tags lead to.
//
// The fallback's list isn't copied as it is. A destination with the API makes its
// own, and one without gets a list with what it had and what has come. Source: OCI
// distribution specification 1.1, "Referrers Tag Schema".
func (c *copier) referrers(ctx context.Context, from, to, subject string) error {
	found, _, err := c.From.Referrers(ctx, from, subject)
	if err != nil {
		return err
	}
	fallback := strings.Replace(subject, ":", "-", 1)
	for _, tag := range c.tags[from] {
		switch {
		case retention.TagSubject(tag) != subject:
		case tag == fallback:
			listed, err := fallbackList(ctx, c.From, from, fallback)
			if err != nil {
				return err
			}
			found = append(found, listed...)
		default:
			if err := c.tagged(ctx, from, to, tag); err != nil {
				return err
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	known, supported, err := c.To.Referrers(ctx, to, subject)
	if err == nil && !supported {
		known, err = fallbackList(ctx, c.To, to, fallback)
	}
	if err != nil {
		return err
	}
	list, fresh := merge(known, found)
	for _, d := range found {
		if err := c.fetch(ctx, from, to, d.Digest.String()); err != nil {
			return fmt.Errorf("copy a referrer of %s: %w", subject, err)
		}
	}
	c.counts.Referrers.Add(int64(fresh))
	if supported || fresh == 0 {
		return nil
	}
	content, err := json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: list})
	if err != nil {
		return fmt.Errorf("list the referrers of %s: %w", subject, err)
	}
	return c.To.Put(ctx, to, fallback, ocispec.MediaTypeImageIndex, content)
}

// merge adds referrers to those that are known, and says how many were not.
func merge(known, found []ocispec.Descriptor) (list []ocispec.Descriptor, fresh int) {
	have := map[string]bool{}
	for _, d := range known {
		have[d.Digest.String()] = true
	}
	list = known
	for _, d := range found {
		if !have[d.Digest.String()] {
			have[d.Digest.String()] = true
			list = append(list, d)
			fresh++
		}
	}
	return list, fresh
}

// tagged brings over a signature that only its tag ties to its subject.
func (c *copier) tagged(ctx context.Context, from, to, tag string) error {
	digest, err := c.From.Digest(ctx, from, tag)
	if err != nil {
		return err
	}
	if now, err := c.To.Digest(ctx, to, tag); err == nil && now == digest {
		return nil
	}
	content, err := c.From.Content(ctx, from, "manifests", digest)
	if err != nil {
		return err
	}
	if err := c.manifest(ctx, from, to, digest, content); err != nil {
		return err
	}
	c.counts.Referrers.Add(1)
	return c.To.Put(ctx, to, tag, typeOf(content), content)
}

// fallbackList is what a fallback tag lists; nothing where there is none.
func fallbackList(ctx context.Context, registry *distribution.Registry, repository, tag string) ([]ocispec.Descriptor, error) {
	digest, err := registry.Digest(ctx, repository, tag)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, content, err := registry.Manifest(ctx, repository, digest)
	if err != nil {
		return nil, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(content, &index); err != nil {
		return nil, fmt.Errorf("read the referrers under %s of %s: %w", tag, repository, err)
	}
	return index.Manifests, nil
}
