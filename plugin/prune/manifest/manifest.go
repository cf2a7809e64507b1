// Package manifest turns the documents of the OCI and Docker image formats into
// facts for prune. Registries, layouts and containerd have the same.
package manifest

import (
	"encoding/json"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imgmgr/imgmgr/plugin/distribution"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// descriptor is the part of an OCI descriptor that is of interest here.
type descriptor struct {
	MediaType   types.MediaType   `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations"`
	Platform    *platform         `json:"platform"`
}

type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

// Annotations and values that say what a manifest is. Sources: OCI image
// specification 1.1, "Pre-Defined Annotation Keys"; BuildKit,
// docs/attestations/attestation-storage.md.
const (
	createdKey     = "org.opencontainers.image.created"
	baseKey        = "org.opencontainers.image.base.digest"
	attestationKey = "vnd.docker.reference.type"
)

// Parse reads a manifest of any type into facts. The second value is the digest
// of the configuration to read, "" where there is none.
func Parse(digest string, content []byte) (retention.Manifest, string) {
	m := retention.Manifest{Digest: digest, Kind: retention.KindOpaque, Bytes: int64(len(content))}
	var doc struct {
		SchemaVersion int               `json:"schemaVersion"`
		Config        *descriptor       `json:"config"`
		Layers        []descriptor      `json:"layers"`
		Manifests     []descriptor      `json:"manifests"`
		Subject       *descriptor       `json:"subject"`
		Annotations   map[string]string `json:"annotations"`
	}
	if json.Unmarshal(content, &doc) != nil || doc.SchemaVersion != 2 || (doc.Config == nil) == (doc.Manifests == nil) {
		return m, ""
	}
	for _, d := range append(doc.Layers, doc.Manifests...) {
		if !distribution.IsDigest(d.Digest) || d.Size < 0 {
			return m, ""
		}
	}
	if doc.Subject != nil && distribution.IsDigest(doc.Subject.Digest) {
		m.Subject = doc.Subject.Digest
	}
	m.Created = date(doc.Annotations[createdKey])
	m.Base = doc.Annotations[baseKey]
	if doc.Manifests != nil {
		m.Kind = retention.KindIndex
		for _, d := range doc.Manifests {
			m.Children = append(m.Children, retention.Child{Digest: d.Digest, Attestation: d.isAttestation()})
		}
		return m, ""
	}
	if !distribution.IsDigest(doc.Config.Digest) || doc.Config.Size < 0 {
		return m, ""
	}
	m.Kind = retention.KindArtifact
	m.Blobs = append(m.Blobs, retention.Blob{Digest: doc.Config.Digest, Bytes: doc.Config.Size})
	for _, l := range doc.Layers {
		m.Blobs = append(m.Blobs, retention.Blob{Digest: l.Digest, Bytes: l.Size})
	}
	if t := doc.Config.MediaType; t == types.OCIConfigJSON || t == types.DockerConfigJSON {
		m.Kind = retention.KindImage
		return m, doc.Config.Digest
	}
	return m, ""
}

// isAttestation reports an index's entry that describes another one.
func (d *descriptor) isAttestation() bool {
	return d.Annotations[attestationKey] != "" || d.Platform != nil && d.Platform.OS == "unknown"
}

// Describe adds what an image's configuration says.
func Describe(m *retention.Manifest, config []byte) {
	var doc struct {
		platform
		Created string `json:"created"`
		Config  struct {
			Labels map[string]string `json:"Labels"`
		} `json:"config"`
	}
	if json.Unmarshal(config, &doc) != nil {
		return
	}
	m.Created = date(doc.Created)
	m.Labels = doc.Config.Labels
	if m.Base == "" {
		m.Base = m.Labels[baseKey]
	}
	m.Platform = doc.OS + "/" + doc.Architecture
	if doc.Variant != "" {
		m.Platform += "/" + doc.Variant
	}
}

// date is zero for what is no date.
func date(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
