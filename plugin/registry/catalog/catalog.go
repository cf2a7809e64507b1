// Package catalog is a registry's images as people think of them: an index with
// its platforms is one image, with all its tags, and what refers to an image
// belongs to it. It is made of an inventory's facts alone.
package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// Image is one manifest that somebody could pull, or that nothing names.
type Image struct {
	Repository string   // with the registry's host
	Tags       []string // sorted by name; none for what nothing names
	Digest     string
	Kind       retention.Kind
	Platforms  []string // "linux/arm64", in the order of the index
	// Created is when it was built, that of the youngest platform; zero if no date
	// is known.
	Created time.Time
	// Size is the bytes of its manifests, configurations and layers of all
	// platforms, each blob counted once; that of what refers to it is not in it.
	Size         int64
	Labels       map[string]string // those in which all platforms agree
	Attestations int               // entries of an index that describe others
	Referrers    []Referrer
	Missing      []string // digests of parts that aren't there
	Blobs        []retention.Blob
}

// Referrer is a signature, an SBOM or the like of an image.
type Referrer struct {
	Digest string
	Tag    string // by which it is tied to its subject, if it is
	Kind   retention.Kind
	Size   int64 // bytes, as Image.Size
	Blobs  []retention.Blob
}

// Repository is the images of one name.
type Repository struct {
	Name       string // with the registry's host
	Incomplete string // why not all of it is known
	Images     []Image
}

// Repositories turns facts into images: in each repository those with tags by
// their first tag, then those without any by digest.
func Repositories(inv *retention.Inventory) []Repository {
	var out []Repository
	for i := range inv.Repositories {
		in := &inv.Repositories[i]
		name := in.Name
		if inv.Host != "" {
			name = inv.Host + "/" + name
		}
		out = append(out, Repository{Name: name, Incomplete: in.Incomplete, Images: newReader(name, in).images()})
	}
	slices.SortFunc(out, func(a, b Repository) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// reader follows the digests of one repository.
type reader struct {
	name      string
	manifests map[string]*retention.Manifest
	tags      map[string][]string // by digest
	referrers map[string][]Referrer
	parts     map[string]bool // digests that belong to another manifest
}

func newReader(name string, in *retention.Repository) *reader {
	r := &reader{name, map[string]*retention.Manifest{}, map[string][]string{}, map[string][]Referrer{}, map[string]bool{}}
	for i := range in.Manifests {
		m := &in.Manifests[i]
		r.manifests[m.Digest] = m
		for _, c := range m.Children {
			r.parts[c.Digest] = true
		}
	}
	tied := map[string]string{} // referrers by digest, to their tag
	for _, t := range in.Tags {
		subject := retention.TagSubject(t.Name)
		if r.manifests[subject] == nil {
			r.tags[t.Digest] = append(r.tags[t.Digest], t.Name)
			continue
		}
		r.parts[t.Digest] = true
		if m := r.manifests[t.Digest]; m != nil && m.Kind == retention.KindIndex && t.Name == strings.Replace(subject, ":", "-", 1) {
			continue // the fallback's list of referrers, which name their subject themselves
		}
		tied[t.Digest] = t.Name
		r.refer(subject, t.Digest, t.Name)
	}
	for i := range in.Manifests {
		m := &in.Manifests[i]
		if r.manifests[m.Subject] != nil && tied[m.Digest] == "" {
			r.parts[m.Digest] = true
			r.refer(m.Subject, m.Digest, "")
		}
	}
	return r
}

func (r *reader) refer(subject, digest, tag string) {
	ref := Referrer{Digest: digest, Tag: tag, Kind: retention.KindOpaque}
	if m := r.manifests[digest]; m != nil {
		ref.Kind = m.Kind
		ref.Blobs = r.contents(m, map[string]bool{})
		ref.Size = bytes(ref.Blobs)
	}
	r.referrers[subject] = append(r.referrers[subject], ref)
}

func (r *reader) images() []Image {
	var out []Image
	for _, digest := range slices.Sorted(maps.Keys(r.manifests)) {
		if len(r.tags[digest]) > 0 || !r.parts[digest] {
			out = append(out, r.image(r.manifests[digest]))
		}
	}
	slices.SortStableFunc(out, func(a, b Image) int {
		if len(a.Tags) == 0 || len(b.Tags) == 0 {
			return cmp.Compare(len(b.Tags), len(a.Tags))
		}
		return cmp.Compare(a.Tags[0], b.Tags[0])
	})
	return out
}

func (r *reader) image(m *retention.Manifest) Image {
	img := Image{Repository: r.name, Digest: m.Digest, Kind: m.Kind, Tags: slices.Sorted(slices.Values(r.tags[m.Digest])), Referrers: r.referrers[m.Digest]}
	slices.SortFunc(img.Referrers, func(a, b Referrer) int { return cmp.Or(cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Digest, b.Digest)) })
	img.Blobs = r.contents(m, map[string]bool{})
	img.Size = bytes(img.Blobs)
	img.Created = m.Created
	r.describe(&img, m, map[string]bool{})
	return img
}

// describe adds what the platforms of an image say.
func (r *reader) describe(img *Image, m *retention.Manifest, seen map[string]bool) {
	if seen[m.Digest] {
		return
	}
	seen[m.Digest] = true
	for _, c := range m.Children {
		part := r.manifests[c.Digest]
		switch {
		case part == nil:
			img.Missing = append(img.Missing, c.Digest)
		case c.Attestation:
			img.Attestations++
		default:
			r.describe(img, part, seen)
			img.Referrers = append(img.Referrers, r.referrers[c.Digest]...)
		}
	}
	if m.Kind != retention.KindImage {
		return
	}
	if len(img.Platforms) == 0 {
		img.Labels = maps.Clone(m.Labels)
	} else {
		maps.DeleteFunc(img.Labels, func(key, value string) bool { return m.Labels[key] != value })
	}
	img.Platforms = append(img.Platforms, m.Platform)
	if m.Created.After(img.Created) {
		img.Created = m.Created
	}
}

// contents are all blobs of a manifest and its parts, manifests among them.
func (r *reader) contents(m *retention.Manifest, seen map[string]bool) []retention.Blob {
	if seen[m.Digest] {
		return nil
	}
	seen[m.Digest] = true
	out := []retention.Blob{{Digest: m.Digest, Bytes: m.Bytes}}
	for _, b := range m.Blobs {
		if !seen[b.Digest] {
			seen[b.Digest] = true
			out = append(out, b)
		}
	}
	for _, c := range m.Children {
		if part := r.manifests[c.Digest]; part != nil {
			out = append(out, r.contents(part, seen)...)
		}
	}
	return out
}

func bytes(blobs []retention.Blob) int64 {
	var sum int64
	for _, b := range blobs {
		sum += b.Bytes
	}
	return sum
}

// Implausible dates, of build tools that write none, are before this one.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Dated reports that the date can be true.
func (i *Image) Dated(now time.Time) bool {
	return i.Created.After(earliest) && !i.Created.After(now.Add(24*time.Hour))
}
