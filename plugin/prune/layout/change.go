package layout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/distribution"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// Tags returns the digest of every tag of a repository.
func (l *Layout) Tags(_ context.Context, repository string) (map[string]string, error) {
	index, err := l.index()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, e := range index.Manifests {
		if repo, tag := nameOf(e); repo == repository && tag != "" {
			out[tag] = e.Digest.String()
		}
	}
	return out, nil
}

// Tag returns the digest of one tag; fs.ErrNotExist where there is none.
func (l *Layout) Tag(ctx context.Context, repository, tag string) (string, error) {
	tags, err := l.Tags(ctx, repository)
	if err == nil && tags[tag] == "" {
		err = fmt.Errorf("%s:%s: %w", repository, tag, fs.ErrNotExist)
	}
	return tags[tag], err
}

// Manifest reads a manifest; of a blob that is none it has no content.
func (l *Layout) Manifest(_ context.Context, _, digest string) (string, []byte, error) {
	if !distribution.IsDigest(digest) {
		return "", nil, fmt.Errorf("%q is no digest", digest)
	}
	info, err := l.root.Stat(pathOf(digest))
	if err != nil {
		return "", nil, err
	}
	const blob = "application/octet-stream"
	if m, err := l.look(digest, info); m == nil {
		return blob, nil, err
	}
	content, err := l.root.ReadFile(pathOf(digest))
	var doc struct {
		MediaType string `json:"mediaType"`
	}
	if err == nil {
		err = json.Unmarshal(content, &doc)
	}
	return doc.MediaType, content, err
}

// DeleteManifest takes a manifest's entries in a repository away, and deletes it
// with what it alone needs once no other entry leads to it.
func (l *Layout) DeleteManifest(ctx context.Context, repository, digest string) error {
	return l.change(ctx, repository, func(repo, tag string, e ocispec.Descriptor) bool {
		return repo == repository && e.Digest.String() == digest
	}, digest)
}

// DeleteTag takes one entry away.
func (l *Layout) DeleteTag(ctx context.Context, repository, tag string) error {
	return l.change(ctx, repository, func(repo, t string, _ ocispec.Descriptor) bool { return repo == repository && t == tag }, "")
}

// Put can't be done: the blobs are gone.
func (l *Layout) Put(_ context.Context, repository, reference, _ string, _ []byte) error {
	return fmt.Errorf("give back %s of %s: %w: its blobs are deleted; copy the image there again", reference, repository, errors.ErrUnsupported)
}

// change removes entries of index.json, and then a manifest that nothing leads to
// any more. It holds the lock that BuildKit takes for its changes.
func (l *Layout) change(ctx context.Context, repository string, goes func(repo, tag string, e ocispec.Descriptor) bool, digest string) (err error) {
	lock := flock.New(filepath.Join(l.dir, ocispec.ImageIndexFile+".lock"))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock %s: %w", l.dir, err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	s, err := l.scan(ctx)
	if err != nil {
		return err
	}
	all := len(s.index.Manifests)
	s.index.Manifests = slices.DeleteFunc(s.index.Manifests, func(e ocispec.Descriptor) bool {
		repo, tag := nameOf(e)
		return goes(repo, tag, e)
	})
	if len(s.index.Manifests) != all {
		if err := l.write(s.index); err != nil {
			return err
		}
	}
	if digest == "" {
		return nil
	}
	// Blobs go last: until then, another run can find what is left.
	garbage, err := s.garbage(digest)
	if err != nil {
		return err
	}
	for _, d := range garbage {
		if err := l.root.Remove(pathOf(d)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("delete %s of %s: %w", d, repository, err)
		}
		delete(l.read, d)
	}
	return nil
}

// garbage is a manifest that no entry leads to, and what only it needs: blobs
// first, the manifest last. It is nothing while an entry leads there.
func (s *scan) garbage(digest string) ([]string, error) {
	lost := s.lost()
	if lost.Incomplete != "" {
		return nil, errors.New(lost.Incomplete)
	}
	if !slices.ContainsFunc(lost.Manifests, func(m retention.Manifest) bool { return m.Digest == digest }) {
		return nil, nil
	}
	needed := map[string]bool{}
	for _, b := range s.blobs {
		if b.manifest == nil || b.manifest.Digest == digest {
			continue
		}
		for _, part := range b.manifest.Blobs {
			needed[part.Digest] = true
		}
	}
	var out []string
	if m := s.blobs[digest].manifest; m != nil {
		for _, part := range m.Blobs {
			if _, there := s.blobs[part.Digest]; there && !needed[part.Digest] {
				out = append(out, part.Digest)
			}
		}
	}
	return append(out, digest), nil
}

// write puts a new index.json in place of the old one, at once.
func (l *Layout) write(index *ocispec.Index) error {
	text, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s of %s: %w", ocispec.ImageIndexFile, l.dir, err)
	}
	const partial = ocispec.ImageIndexFile + ".imgmgr"
	file, err := l.root.Create(partial)
	if err == nil {
		_, err = file.Write(append(text, '\n'))
		err = errors.Join(err, file.Sync(), file.Close())
	}
	if err == nil {
		err = l.root.Rename(partial, ocispec.ImageIndexFile)
	}
	if err != nil {
		return fmt.Errorf("write %s of %s: %w", ocispec.ImageIndexFile, l.dir, err)
	}
	return nil
}
