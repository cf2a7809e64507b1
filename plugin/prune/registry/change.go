package registry

import "context"

// Tags returns the digest of every tag of a repository, as it is now. The
// repository is named as in plans, with the registry's host, here and below.
func (r *Registry) Tags(ctx context.Context, repository string) (map[string]string, error) {
	path, err := r.path(repository)
	if err != nil {
		return nil, err
	}
	tags, err := r.list(ctx, path)
	if err != nil {
		return nil, err
	}
	tags, err = r.follow(ctx, tags, func(ctx context.Context, tag string) (string, error) { return r.remote.Digest(ctx, path, tag) })
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(tags))
	for _, t := range tags {
		out[t.Name] = t.Digest
	}
	return out, nil
}

// Tag returns the digest of one tag; fs.ErrNotExist where there is none.
func (r *Registry) Tag(ctx context.Context, repository, tag string) (string, error) {
	path, err := r.path(repository)
	if err != nil {
		return "", err
	}
	return r.remote.Digest(ctx, path, tag)
}

// Manifest reads a manifest from the registry itself, with its media type;
// fs.ErrNotExist where there is none.
func (r *Registry) Manifest(ctx context.Context, repository, digest string) (mediaType string, content []byte, err error) {
	path, err := r.path(repository)
	if err != nil {
		return "", nil, err
	}
	return r.remote.Manifest(ctx, path, digest)
}

// Referrers is what refers to a manifest by the referrers API, if the registry knows
// that.
func (r *Registry) Referrers(ctx context.Context, repository, digest string) (found []string, supported bool, err error) {
	path, err := r.path(repository)
	if err != nil {
		return nil, false, err
	}
	descriptors, supported, err := r.remote.Referrers(ctx, path, digest)
	for _, d := range descriptors {
		found = append(found, d.Digest.String())
	}
	return found, supported, err
}

// DeleteManifest deletes a manifest, and with it all its tags.
func (r *Registry) DeleteManifest(ctx context.Context, repository, digest string) error {
	return r.delete(ctx, repository, digest)
}

// DeleteTag takes a name away. The error is errors.ErrUnsupported where a
// registry can't do that without the manifest, as distribution 2.8.
func (r *Registry) DeleteTag(ctx context.Context, repository, tag string) error {
	return r.delete(ctx, repository, tag)
}

func (r *Registry) delete(ctx context.Context, repository, reference string) error {
	path, err := r.path(repository)
	if err != nil {
		return err
	}
	return r.remote.Delete(ctx, path, reference)
}

// Put writes a manifest under a tag, or under its digest alone.
func (r *Registry) Put(ctx context.Context, repository, reference, mediaType string, content []byte) error {
	path, err := r.path(repository)
	if err != nil {
		return err
	}
	return r.remote.Put(ctx, path, reference, mediaType, content)
}
