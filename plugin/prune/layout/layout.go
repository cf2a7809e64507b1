// Package layout reads and removes the images of an OCI layout folder, for prune.
//
// The entries of index.json are tags, or images without one. An entry's name is a
// tag of the repository "layout", or a full reference, as annotations have it.
// What lies in blobs and nothing leads to is in the repository "<none>": manifests
// that lost their name, and blobs that lost their manifest. A removal deletes its
// blobs at once, so it can't be given back.
//
// Source: OCI image specification 1.1, "Image Layout Specification".
package layout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	godigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/distribution"
	"github.com/imgmgr/imgmgr/plugin/prune/manifest"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

const (
	// Scheme begins the places of plans; the folder's path follows.
	Scheme = "layout:"
	// Unnamed is the repository of what no entry of index.json leads to.
	Unnamed = "<none>"
	// repository is that of names that are no more than a tag.
	repository = "layout"
	// nameKey is what containerd, and so BuildKit, writes full names under.
	nameKey = "io.containerd.image.name"
	// largest is the most that a manifest may have, in bytes.
	largest = 4 << 20
)

// Layout is a folder. It is for one goroutine.
type Layout struct {
	dir  string
	root *os.Root
	read map[string]*retention.Manifest // by digest, nil for blobs that are none
}

// Open opens a folder.
func Open(dir string) (*Layout, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the OCI layout: %w", err)
	}
	l := &Layout{dir, root, map[string]*retention.Manifest{}}
	if _, err := l.index(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return l, nil
}

// Inventory reads all entries, and all blobs that nothing leads to.
func (l *Layout) Inventory(ctx context.Context, now time.Time) (*retention.Inventory, error) {
	s, err := l.scan(ctx)
	if err != nil {
		return nil, err
	}
	inv := &retention.Inventory{Version: retention.InventoryVersion, Place: Scheme + l.dir, Taken: now.UTC(), Final: true}
	repositories := map[string]*retention.Repository{}
	for _, e := range s.index.Manifests {
		repo, tag := nameOf(e)
		r := repositories[repo]
		if r == nil {
			r = &retention.Repository{Name: repo}
			repositories[repo] = r
		}
		if tag != "" {
			r.Tags = append(r.Tags, retention.Tag{Name: tag, Digest: e.Digest.String(), Pushed: s.blobs[e.Digest.String()].time})
		}
		s.add(r, e.Digest.String())
	}
	for _, r := range repositories {
		inv.Repositories = append(inv.Repositories, *r)
	}
	if lost := s.lost(); len(lost.Manifests) > 0 {
		inv.Repositories = append(inv.Repositories, lost)
	}
	slices.SortFunc(inv.Repositories, func(a, b retention.Repository) int { return strings.Compare(a.Name, b.Name) })
	return inv, nil
}

// nameOf is the name of an entry. Names that can't be told apart from digests are
// none.
func nameOf(e ocispec.Descriptor) (repo, tag string) {
	for _, key := range []string{nameKey, ocispec.AnnotationRefName} {
		name := e.Annotations[key]
		if name == "" || strings.Contains(name, "@") {
			continue
		}
		if repo, tag, _, err := retention.SplitRef(name); err == nil && tag != "" {
			return repo, tag
		}
		if !strings.ContainsAny(name, ":/") {
			return repository, name
		}
	}
	return repository, ""
}

// blob is a file of a layout.
type blob struct {
	bytes int64
	time  time.Time
	// manifest is nil where the blob is none.
	manifest *retention.Manifest
}

// scan is a layout as it was read.
type scan struct {
	index *ocispec.Index
	blobs map[string]blob // by digest
}

// scan reads all manifests.
func (l *Layout) scan(ctx context.Context) (*scan, error) {
	index, err := l.index()
	if err != nil {
		return nil, err
	}
	s := &scan{index, map[string]blob{}}
	err = fs.WalkDir(l.root.FS(), ocispec.ImageBlobsDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		digest := filepath.Base(filepath.Dir(path)) + ":" + d.Name()
		if !distribution.IsDigest(digest) { // a blob that is being written, or nothing of ours
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		m, err := l.look(digest, info)
		s.blobs[digest] = blob{info.Size(), info.ModTime().UTC(), m}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the OCI layout %s: %w", l.dir, err)
	}
	return s, nil
}

// look reads a blob that may be a manifest, and its configuration, once. It is nil
// for one that is none, or not what its digest says.
func (l *Layout) look(digest string, info fs.FileInfo) (*retention.Manifest, error) {
	if m, known := l.read[digest]; known || info.Size() > largest {
		return m, nil
	}
	content, err := l.root.ReadFile(pathOf(digest))
	if err != nil {
		return nil, err
	}
	l.read[digest] = nil
	m, config := manifest.Parse(digest, content)
	if m.Kind == retention.KindOpaque || godigest.Digest(digest).Algorithm().FromBytes(content).String() != digest {
		return nil, nil
	}
	if config != "" {
		text, err := l.root.ReadFile(pathOf(config))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		manifest.Describe(&m, text)
	}
	m.Pushed = info.ModTime().UTC()
	l.read[digest] = &m
	return &m, nil
}

// index reads index.json.
func (l *Layout) index() (*ocispec.Index, error) {
	text, err := l.root.ReadFile(ocispec.ImageIndexFile)
	if err != nil {
		return nil, fmt.Errorf("%s is not an OCI layout: %w", l.dir, err)
	}
	index := &ocispec.Index{}
	if err := json.Unmarshal(text, index); err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", ocispec.ImageIndexFile, l.dir, err)
	}
	return index, nil
}

// add puts a manifest with its parts, and what refers to them, into a repository.
func (s *scan) add(r *retention.Repository, digest string) {
	known := func(m retention.Manifest) bool { return m.Digest == digest }
	b, there := s.blobs[digest]
	if !there || slices.ContainsFunc(r.Manifests, known) {
		return
	}
	if b.manifest == nil {
		r.Manifests = append(r.Manifests, retention.Manifest{Digest: digest, Kind: retention.KindOpaque, Bytes: b.bytes})
		return
	}
	r.Manifests = append(r.Manifests, *b.manifest)
	for _, c := range b.manifest.Children {
		s.add(r, c.Digest)
	}
	for other, o := range s.blobs {
		if o.manifest != nil && o.manifest.Subject == digest {
			s.add(r, other)
		}
	}
}

// lost is what no entry leads to.
func (s *scan) lost() retention.Repository {
	led := &retention.Repository{}
	for _, e := range s.index.Manifests {
		s.add(led, e.Digest.String())
	}
	needed := map[string]bool{}
	need := func(m retention.Manifest) {
		needed[m.Digest] = true
		for _, b := range m.Blobs {
			needed[b.Digest] = true
		}
	}
	out := retention.Repository{Name: Unnamed, Tags: []retention.Tag{}}
	for _, m := range led.Manifests {
		need(m)
		if m.Kind == retention.KindOpaque {
			out.Incomplete = m.Digest + " can't be read, so it may need any blob"
		}
	}
	for digest, b := range s.blobs {
		if b.manifest != nil && !needed[digest] {
			out.Manifests = append(out.Manifests, *b.manifest)
		}
	}
	for _, m := range out.Manifests {
		need(m)
	}
	for digest, b := range s.blobs {
		if !needed[digest] {
			out.Manifests = append(out.Manifests, retention.Manifest{Digest: digest, Kind: retention.KindBlob, Bytes: b.bytes, Created: b.time, Pushed: b.time})
		}
	}
	slices.SortFunc(out.Manifests, func(a, b retention.Manifest) int { return strings.Compare(a.Digest, b.Digest) })
	return out
}

func pathOf(digest string) string {
	algorithm, hex, _ := strings.Cut(digest, ":")
	return filepath.Join(ocispec.ImageBlobsDir, algorithm, hex)
}
