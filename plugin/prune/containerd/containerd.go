// Package containerd reads and removes the images of a containerd namespace, for
// prune: what `ctr`, nerdctl and Kubernetes have pulled.
//
// containerd has images under names, and each name leads to a manifest or an index. A
// name with a tag is a tag of its repository; a name by digest alone is an image
// without a tag there. The names that Kubernetes gives by ID ("sha256:…") follow the
// others, and are in the repository "<none>" where there is no other.
//
// A removal takes names away, only as long as they lead to what the plan saw, and
// never content: that is containerd's own collection, which runs with the last name. It
// shares content among namespaces, so a plan says how much it frees at most.
//
//	containerd.go  the place, and its facts
//	read.go        what an image holds: content, and unpacked snapshots
//	change.go      what the executor needs
package containerd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/identifiers"
	"github.com/containerd/containerd/v2/pkg/namespaces"

	source "github.com/imgmgr/imgmgr/plugin/image/containerd"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

const (
	// Scheme begins the places of plans; NAMESPACE or NAMESPACE@ADDRESS follows.
	Scheme = "containerd:"
	// Unnamed is the repository of images that have no name but their ID.
	Unnamed = "<none>"
	// pinnedLabel keeps an image from Kubernetes' own collection. Source: containerd,
	// docs/cri/config.md; internal/cri/labels.
	pinnedLabel, pinned = "io.cri-containerd.pinned", "pinned"
)

// Namespace is the images of one namespace.
type Namespace struct {
	client *client.Client
	name   string
	place  string
}

// Open connects to containerd. Place is NAMESPACE, or NAMESPACE@ADDRESS with the path of
// a socket other than containerd's usual one.
func Open(place string) (*Namespace, error) {
	name, address, ok := strings.Cut(place, "@")
	if !ok {
		address = source.DefaultAddress
	}
	if err := identifiers.Validate(name); err != nil {
		return nil, fmt.Errorf("containerd's namespace %q: %w; want NAMESPACE or NAMESPACE@SOCKET, as k8s.io", name, err)
	}
	c, err := client.New(address, client.WithDefaultNamespace(name), client.WithTimeout(10*time.Second))
	if err != nil {
		return nil, fmt.Errorf("connect to containerd at %s: %w", address, err)
	}
	return &Namespace{c, name, place}, nil
}

// Inventory reads the facts of all images, and what holds on to them: containers,
// leases and pins. It takes no lease of its own, for that would change something; an
// image that goes meanwhile is not there.
func (n *Namespace) Inventory(ctx context.Context, now time.Time) (*retention.Inventory, error) {
	ctx = n.in(ctx)
	records, err := n.client.ImageService().List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the images of containerd's namespace %s: %w", n.name, err)
	}
	reader, err := n.reader(ctx)
	if err != nil {
		return nil, err
	}
	named := map[string]bool{} // targets with a name that is no ID
	for _, r := range records {
		if repo, _ := nameOf(r.Name); repo != Unnamed {
			named[r.Target.Digest.String()] = true
		}
	}
	repositories := map[string]*retention.Repository{}
	for _, record := range records {
		repo, tag := nameOf(record.Name)
		digest := record.Target.Digest.String()
		if repo == Unnamed && named[digest] && !isPinned(record) {
			continue // goes with the others
		}
		r := repositories[repo]
		if r == nil {
			r = &retention.Repository{Name: repo}
			repositories[repo] = r
		}
		if tag != "" {
			r.Tags = append(r.Tags, retention.Tag{Name: tag, Digest: digest, Pushed: record.UpdatedAt})
		}
		i := slices.IndexFunc(r.Manifests, func(m retention.Manifest) bool { return m.Digest == digest })
		if i < 0 {
			i = len(r.Manifests)
			r.Manifests = append(r.Manifests, reader.image(ctx, record.Target))
		}
		if isPinned(record) {
			r.Manifests[i].Pinned = "pinned in containerd"
		}
	}
	inv := &retention.Inventory{Version: retention.InventoryVersion, Place: Scheme + n.place, Taken: now.UTC(), Partial: true, Final: true}
	for _, r := range repositories {
		slices.SortFunc(r.Manifests, func(a, b retention.Manifest) int { return strings.Compare(a.Digest, b.Digest) })
		inv.Repositories = append(inv.Repositories, *r)
	}
	slices.SortFunc(inv.Repositories, func(a, b retention.Repository) int { return strings.Compare(a.Name, b.Name) })
	inv.InUse, err = n.uses(ctx, records)
	return inv, err
}

// nameOf is the repository of a name, and its tag.
func nameOf(name string) (repository, tag string) {
	if repo, _, ok := strings.Cut(name, "@"); ok {
		if bare, _, _, err := retention.SplitRef(repo); err == nil {
			repo = bare
		}
		return repo, ""
	}
	if strings.HasPrefix(name, "sha256:") {
		return Unnamed, ""
	}
	if repo, tag, _, err := retention.SplitRef(name); err == nil {
		return repo, tag
	}
	return name, ""
}

func isPinned(record images.Image) bool { return record.Labels[pinnedLabel] == pinned }

// uses are the images of all containers, by name and by what the name leads to.
func (n *Namespace) uses(ctx context.Context, records []images.Image) ([]retention.Use, error) {
	containers, err := n.client.ContainerService().List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the containers of containerd's namespace %s: %w", n.name, err)
	}
	targets := map[string]string{}
	for _, r := range records {
		targets[r.Name] = r.Target.Digest.String()
	}
	var uses []retention.Use
	for _, c := range containers {
		by := "container " + c.ID
		if target := targets[c.Image]; target != "" {
			uses = append(uses, retention.Use{Image: target, By: by})
		}
		if c.Image != "" {
			uses = append(uses, retention.Use{Image: c.Image, By: by})
		}
	}
	return uses, nil
}

// in is a context of the namespace.
func (n *Namespace) in(ctx context.Context) context.Context {
	return namespaces.WithNamespace(ctx, n.name)
}
