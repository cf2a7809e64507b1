//go:build linux

package prune_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imgmgr/imgmgr/plugin/prune/registry"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// now is the time of all inventories; ages are counted back from it.
var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// kind is a kind of registry.
type kind struct {
	name  string
	old   bool
	start func(context.Context, string) (string, error)
}

// kinds are the registries that everything is shown on.
var kinds = []kind{
	{"distribution 3", false, func(ctx context.Context, dir string) (string, error) { return sb.NewRegistry(ctx, dir) }},
	{"distribution 2.8", true, func(ctx context.Context, dir string) (string, error) { return sb.NewOldRegistry(ctx, dir) }},
}

// zot has the referrers API. It is asked what those can't show.
var zot = kind{"zot", false, func(ctx context.Context, dir string) (string, error) { return sb.NewZot(ctx, dir) }}

// pings makes reads share what a registry said of itself: without it, each asks anew.
var pings = func() remote.Option {
	puller, err := remote.NewPuller()
	if err != nil {
		panic(err)
	}
	return remote.Reuse(puller)
}()

// onEachKind runs a test on a registry of each kind, empty and in memory.
func onEachKind(t *testing.T, test func(t *testing.T, s seeder)) {
	on(t, kinds, test)
}

// andOnZot is onEachKind, and on zot.
func andOnZot(t *testing.T, test func(t *testing.T, s seeder)) {
	on(t, append(slices.Clone(kinds), zot), test)
}

func on(t *testing.T, kinds []kind, test func(t *testing.T, s seeder)) {
	isolated(t)
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			host, err := kind.start(t.Context(), memory(t))
			if err != nil {
				t.Fatal(err)
			}
			test(t, seeder{t, host})
		})
	}
}

// inventory is all that is in the registry.
func (s seeder) inventory() *retention.Inventory {
	s.t.Helper()
	inv, err := open(s.t, s.host, registry.Options{}).Inventory(s.t.Context(), now)
	s.must(err)
	return inv
}

// seeder pushes images to one registry.
type seeder struct {
	t    *testing.T
	host string
}

// layer is a tar archive of one file, whose name and content are the word.
func (s seeder) layer(word string) v1.Layer {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	s.must(w.WriteHeader(&tar.Header{Name: word, Mode: 0o644, Size: int64(len(word))}))
	_, err := w.Write([]byte(word))
	s.must(err)
	s.must(w.Close())
	return static.NewLayer(b.Bytes(), types.OCIUncompressedLayer)
}

// image makes an image whose layers are the base and one of its own.
func (s seeder) image(word string, days float64, labels map[string]string, arch string) v1.Image {
	s.t.Helper()
	img, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON),
		s.layer("base"), s.layer(word))
	s.must(err)
	config, err := img.ConfigFile()
	s.must(err)
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Config.Labels = labels
	if days >= 0 {
		config.Created = v1.Time{Time: now.Add(-time.Duration(days * 24 * float64(time.Hour)))}
	}
	img, err = mutate.ConfigFile(img, config)
	s.must(err)
	return img
}

// index makes an image for two platforms, with BuildKit's kind of attestation.
func (s seeder) index(word string, days float64) v1.ImageIndex {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var first v1.Hash
	for i, arch := range []string{"amd64", "arm64"} {
		img := s.image(word+arch, days, nil, arch)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
		if i == 0 {
			first = s.digest(img)
		}
	}
	return mutate.AppendManifests(index, mutate.IndexAddendum{
		Add: s.image("attestation of "+word, -1, nil, "unknown"),
		Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"},
			Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": first.String()}},
	})
}

func (s seeder) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s seeder) digest(img partial.WithRawManifest) v1.Hash {
	raw, err := img.RawManifest()
	s.must(err)
	h, _, err := v1.SHA256(bytes.NewReader(raw))
	s.must(err)
	return h
}

func (s seeder) push(img v1.Image, refs ...string) v1.Hash {
	for _, ref := range refs {
		s.must(remote.Write(s.ref(ref), img))
	}
	return s.digest(img)
}

func (s seeder) pushIndex(index v1.ImageIndex, refs ...string) v1.Hash {
	for _, ref := range refs {
		s.must(remote.WriteIndex(s.ref(ref), index))
	}
	return s.digest(index)
}

func (s seeder) ref(ref string) name.Reference {
	s.t.Helper()
	parsed, err := name.ParseReference(s.host + "/" + ref)
	s.must(err)
	return parsed
}

// sign puts an SBOM beside a manifest, as a referrer, and a cosign signature.
func (s seeder) sign(repo string, subject v1.Hash, size int64) {
	s.describe(repo, subject, size)
	s.push(s.image("signature of "+subject.Hex, -1, nil, ""), repo+":sha256-"+subject.Hex+".sig")
}

// describe puts an SBOM alone beside a manifest. With the referrers API, no tag leads
// to it.
func (s seeder) describe(repo string, subject v1.Hash, size int64) {
	sbom := s.image("sbom of "+subject.Hex, -1, nil, "")
	with, ok := mutate.Subject(sbom, v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: subject, Size: size}).(v1.Image)
	if !ok {
		s.t.Fatal("an image with a subject is no image")
	}
	d := s.digest(with)
	s.must(remote.Write(s.ref(repo+"@"+d.String()), with))
}

// seed fills a registry with everything that a prune must tell apart.
func (s seeder) seed() {
	for i := range 8 {
		img := s.image(fmt.Sprint("feature", i), float64(i*5), map[string]string{"environment": "development"}, "amd64")
		d := s.push(img, fmt.Sprintf("team/app:feature-%d", i))
		if i%3 == 0 {
			size, err := img.Size()
			s.must(err)
			s.sign("team/app", d, size)
		}
	}
	for i := range 6 {
		s.pushIndex(s.index(fmt.Sprint("release", i), float64(i*20)), fmt.Sprintf("team/app:v1.%d.0", i))
	}
	shared := s.image("shared", 60, nil, "amd64")
	s.push(shared, "team/app:feature-shared", "team/app:production")
	gone := s.image("three names", 70, nil, "amd64")
	s.push(gone, "team/app:feature-a", "team/app:feature-b", "team/app:feature-c")
	s.push(s.image("undated", -1, nil, "amd64"), "team/app:feature-undated")
	// An old tag of a part of an index that stays.
	s.push(s.image("release0amd64", 0, nil, "amd64"), "team/app:feature-part")
	for i := range 4 {
		s.push(s.image(fmt.Sprint("tool", i), float64(100+i), nil, "amd64"), fmt.Sprintf("tools/build:feature-%d", i))
	}
}

const policyText = `version: 1
limits: {share: 80%}
rules:
- {name: features, select: {tag: "feature-*"}, max_age: 7d, max_count: 2, when: any}
- {name: releases, select: {tag: "v*"}, max_age: 50d, keep_latest: 1}
`

func policy(t *testing.T) *retention.Policy {
	t.Helper()
	p, err := retention.ParsePolicy("test.yaml", []byte(policyText))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// check pulls an image with all its parts, down to the last blob.
func (s seeder) check(ref string) error { return s.look().check(ref) }

// look looks at the registry as it is at one moment: what it has seen whole, it
// doesn't pull again.
func (s seeder) look() *look { return &look{s, map[string]bool{}} }

type look struct {
	seeder
	whole map[string]bool // blobs and manifests, as repository@digest
}

func (l *look) check(ref string) error {
	parsed, err := name.ParseReference(l.host + "/" + strings.TrimPrefix(ref, l.host+"/"))
	if err != nil || l.whole[parsed.Name()] {
		return err
	}
	desc, err := remote.Get(parsed, pings)
	if err != nil {
		return err
	}
	repo := parsed.Context().Name()
	return l.once(repo, desc.Digest, func() error {
		if desc.MediaType.IsIndex() {
			return l.checkIndex(parsed.Context(), desc)
		}
		img, err := desc.Image()
		if err != nil {
			return err
		}
		return l.checkImage(repo, img)
	})
}

// once does something about a part of a repository, until it has gone well.
func (l *look) once(repo string, part v1.Hash, do func() error) error {
	at := repo + "@" + part.String()
	if l.whole[at] {
		return nil
	}
	if err := do(); err != nil {
		return err
	}
	l.whole[at] = true
	return nil
}

func (l *look) checkIndex(repo name.Repository, desc *remote.Descriptor) error {
	index, err := desc.ImageIndex()
	if err != nil {
		return err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for _, m := range manifest.Manifests {
		if err := l.check(repo.Digest(m.Digest.String()).String()); err != nil {
			return fmt.Errorf("part %s: %w", m.Digest, err)
		}
	}
	return nil
}

// checkImage reads all blobs; the reader holds them against their digests.
func (l *look) checkImage(repo string, img v1.Image) error {
	if _, err := img.RawConfigFile(); err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		d, err := layer.Digest()
		if err != nil {
			return err
		}
		err = l.once(repo, d, func() error {
			r, err := layer.Compressed()
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, r)
			return errors.Join(err, r.Close())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func isNotFound(err error) bool {
	refused, ok := errors.AsType[*transport.Error](err)
	return ok && refused.StatusCode == http.StatusNotFound
}
