package containerd

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	godigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/prune/manifest"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// snapshotKey begins the labels by which a configuration holds on to the unpacked
// layers. Source: containerd, docs/garbage-collection.md.
const snapshotKey = "containerd.io/gc.ref.snapshot."

// largest is the most that a manifest or a configuration may have, in bytes.
const largest = 8 << 20

// reader reads images. What lies in the content store, and which of it leases hold, is
// listed once.
type reader struct {
	*Namespace
	content map[string]content.Info
	leased  map[string]string // by digest, the lease
}

func (n *Namespace) reader(ctx context.Context) (*reader, error) {
	r := &reader{n, map[string]content.Info{}, map[string]string{}}
	err := n.client.ContentStore().Walk(ctx, func(info content.Info) error {
		r.content[info.Digest.String()] = info
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the content of containerd's namespace %s: %w", n.name, err)
	}
	leases, err := n.client.LeasesService().List(ctx)
	for _, lease := range leases {
		resources, err := n.client.LeasesService().ListResources(ctx, lease)
		if err != nil {
			continue // it has just ended
		}
		for _, held := range resources {
			r.leased[held.ID] = lease.ID
		}
	}
	if err != nil {
		err = fmt.Errorf("list the leases of containerd's namespace %s: %w", n.name, err)
	}
	return r, err
}

// image is all that a name leads to, as one manifest: containerd keeps and collects an
// index with its platforms, and platforms that were not pulled are not there.
func (r *reader) image(ctx context.Context, root ocispec.Descriptor) retention.Manifest {
	return r.follow(ctx, root.Digest.String(), map[string]bool{})
}

func (r *reader) follow(ctx context.Context, digest string, seen map[string]bool) retention.Manifest {
	seen[digest] = true
	text, err := r.text(ctx, digest)
	if err != nil { // too little is known of it
		return retention.Manifest{Digest: digest, Kind: retention.KindOpaque, Pinned: r.lease(digest)}
	}
	m, config := manifest.Parse(digest, text)
	m.Pinned = r.lease(digest)
	m.Blobs = r.present(m.Blobs)
	if config != "" {
		if text, err := r.text(ctx, config); err == nil {
			manifest.Describe(&m, text)
		}
		m.Blobs = append(m.Blobs, r.snapshots(ctx, config)...)
	}
	children, first := m.Children, true
	m.Children = nil
	for _, c := range children {
		if _, here := r.content[c.Digest]; !here || seen[c.Digest] {
			continue
		}
		part := r.follow(ctx, c.Digest, seen)
		m.Blobs = append(append(m.Blobs, retention.Blob{Digest: c.Digest, Bytes: part.Bytes}), part.Blobs...)
		if m.Pinned == "" {
			m.Pinned = part.Pinned
		}
		if c.Attestation {
			continue
		}
		if part.Kind == retention.KindOpaque {
			m.Kind = retention.KindOpaque
		}
		describe(&m, part, first)
		first = false
	}
	return m
}

// describe adds what a platform says to its index: the youngest one's date, and the
// labels that all have.
func describe(m *retention.Manifest, part retention.Manifest, first bool) {
	if part.Created.After(m.Created) {
		m.Created = part.Created
	}
	if first {
		m.Labels, m.Platform = maps.Clone(part.Labels), part.Platform
		return
	}
	m.Platform = ""
	maps.DeleteFunc(m.Labels, func(name, value string) bool { return part.Labels[name] != value })
}

// present are the blobs that are there: layers can be gone once they are unpacked.
func (r *reader) present(blobs []retention.Blob) []retention.Blob {
	var out []retention.Blob
	for _, b := range blobs {
		if info, here := r.content[b.Digest]; here {
			out = append(out, retention.Blob{Digest: b.Digest, Bytes: info.Size})
		}
	}
	return out
}

// snapshots are the unpacked layers that a configuration holds on to.
func (r *reader) snapshots(ctx context.Context, config string) (out []retention.Blob) {
	for label, key := range r.content[config].Labels {
		snapshotter, ok := strings.CutPrefix(label, snapshotKey)
		if !ok {
			continue
		}
		service := r.client.SnapshotService(snapshotter)
		for key != "" {
			info, err := service.Stat(ctx, key)
			if err != nil {
				break
			}
			if usage, err := service.Usage(ctx, key); err == nil {
				out = append(out, retention.Blob{Digest: "snapshot " + snapshotter + " " + key, Bytes: usage.Size})
			}
			key = info.Parent
		}
	}
	return out
}

func (r *reader) lease(digest string) string {
	if lease := r.leased[digest]; lease != "" {
		return "held by lease " + lease
	}
	return ""
}

// text reads a manifest or a configuration.
func (n *Namespace) text(ctx context.Context, digest string) ([]byte, error) {
	d, err := godigest.Parse(digest)
	if err != nil {
		return nil, err
	}
	info, err := n.client.ContentStore().Info(ctx, d)
	if err != nil {
		return nil, err
	}
	if info.Size > largest {
		return nil, fmt.Errorf("%s has %d bytes, too many for a manifest", digest, info.Size)
	}
	return content.ReadBlob(ctx, n.client.ContentStore(), ocispec.Descriptor{Digest: d, Size: info.Size})
}
