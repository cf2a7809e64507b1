//go:build linux

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	perRepository = 200 // tags that people gave
	perTeam       = 4   // repositories
)

func teamName(team int) string { return fmt.Sprintf("team-%02d", team) }

func repositoryName(i int) string { return fmt.Sprintf("%s/app-%02d", teamName(i/perTeam), i) }

// descriptor is what one document says of another. Source: OCI image specification
// 1.1, of which Docker's media types are the older form.
type descriptor struct {
	MediaType   types.MediaType   `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Platform    map[string]string `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type manifest struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     types.MediaType `json:"mediaType"`
	Config        *descriptor     `json:"config,omitempty"`
	Layers        []descriptor    `json:"layers,omitempty"`
	Manifests     []descriptor    `json:"manifests,omitempty"`
	Subject       *descriptor     `json:"subject,omitempty"`
}

// content goes to where a repository's documents are kept.
type content interface {
	blob(text []byte) (digest string)
	manifest(text []byte) (digest string)
	tag(name, digest string)
}

// repository makes the images of one repository. The same number makes the same
// bytes: of 200 tags, 30 name an image that another one names, 20 are indexes, half of
// those with attestations; every twelfth image has an SBOM that refers to it and every
// thirtieth a signature of cosign; of a hundred, one was made in 1970, one has no date,
// and three lack the label.
type repository struct {
	number int
	random *rand.Rand
	to     content
	docker bool // Docker's media types
	taken  time.Time
}

func newRepository(number int, taken time.Time, to content) *repository {
	return &repository{number: number, random: rand.New(rand.NewPCG(uint64(number), 7)), to: to, docker: number%4 == 0, taken: taken}
}

func (r *repository) fill() {
	var last string
	for i := range perRepository {
		name := fmt.Sprintf("v1.%d.0", i)
		switch {
		case i%20 >= 17: // 15 of 100 share
			r.to.tag(name, last)
			continue
		case i%10 == 0:
			last = r.index(i, i%20 == 0).Digest
		default:
			d := r.image(fmt.Sprint(i), i, "amd64")
			last = d.Digest
			if i%30 == 2 {
				r.to.tag(referrersTag(last)+".sig", r.image("signature "+last, -1, "").Digest)
			}
			if i%12 == 3 {
				r.refer(d)
			}
		}
		r.to.tag(name, last)
	}
}

// image makes an image of two base layers, which all images of the repository share,
// and one of its own. It was made so many days before.
func (r *repository) image(word string, days int, arch string) descriptor {
	manifestType, configType, layerType := types.OCIManifestSchema1, types.OCIConfigJSON, types.OCILayer
	if r.docker {
		manifestType, configType, layerType = types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer
	}
	word = fmt.Sprintf("%d/%s/%s", r.number, word, arch)
	config := map[string]any{"os": "linux", "architecture": arch, "rootfs": map[string]any{"type": "layers", "diff_ids": []string{sum("base 1"), sum("base 2"), sum("layer " + word)}}}
	labels := map[string]string{"app": fmt.Sprint(r.number), "version": word}
	switch chance := r.random.IntN(100); {
	case days < 0 || chance == 0:
	case chance == 1:
		config["created"] = time.Unix(0, 0).UTC()
	default:
		config["created"] = r.taken.Add(-time.Duration(days)*24*time.Hour - 2*time.Hour)
	}
	if r.random.IntN(100) >= 3 {
		labels["environment"] = []string{"development", "staging", "production"}[r.random.IntN(3)]
	}
	config["config"] = map[string]any{"Labels": labels}
	text := encode(config)
	base := fmt.Sprint("base of ", r.number%5)
	return r.put(manifest{SchemaVersion: 2, MediaType: manifestType,
		Config: &descriptor{MediaType: configType, Digest: r.to.blob(text), Size: int64(len(text))},
		Layers: []descriptor{
			{MediaType: layerType, Digest: sum(base), Size: 30_000_000},
			{MediaType: layerType, Digest: sum(base + " 2"), Size: 50_000_000},
			{MediaType: layerType, Digest: sum("layer " + word), Size: int64(r.random.IntN(20_000_000))},
		}})
}

// index makes an image for two platforms.
func (r *repository) index(days int, attested bool) descriptor {
	m := manifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	if r.docker {
		m.MediaType = types.DockerManifestList
	}
	for _, arch := range []string{"amd64", "arm64"} {
		d := r.image(fmt.Sprint(days), days, arch)
		d.Platform = map[string]string{"os": "linux", "architecture": arch}
		m.Manifests = append(m.Manifests, d)
		if attested && !r.docker {
			a := r.image("attestation "+d.Digest, -1, "unknown")
			a.Platform = map[string]string{"os": "unknown", "architecture": "unknown"}
			a.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": d.Digest}
			m.Manifests = append(m.Manifests, a)
		}
	}
	return r.put(m)
}

// refer makes an SBOM that refers to an image, and the index that leads to it in
// registries without the referrers API.
func (r *repository) refer(subject descriptor) {
	text := []byte("{}")
	d := r.put(manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Subject: &subject,
		Config: &descriptor{MediaType: "application/vnd.oci.empty.v1+json", Digest: r.to.blob(text), Size: int64(len(text))},
		Layers: []descriptor{{MediaType: "application/spdx+json", Digest: sum("sbom " + subject.Digest), Size: 40_000}}})
	r.to.tag(referrersTag(subject.Digest), r.put(manifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []descriptor{d}}).Digest)
}

func (r *repository) put(m manifest) descriptor {
	text := encode(m)
	return descriptor{MediaType: m.MediaType, Digest: r.to.manifest(text), Size: int64(len(text))}
}

// referrersTag is the tag that stands in for the referrers API. Source: OCI
// distribution specification 1.1, "Referrers Tag Schema".
func referrersTag(digest string) string { return "sha256-" + digest[len("sha256:"):] }

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps, strings and numbers can be encoded
	}
	return text
}

func sum(word string) string {
	h := sha256.Sum256([]byte(word))
	return "sha256:" + hex.EncodeToString(h[:])
}
