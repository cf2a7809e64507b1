//go:build linux

package prune_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/containerd"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// A real containerd: what containers, leases and pins hold stays, a tag that moved
// stays, what Kubernetes names by ID goes with its image, and the bytes promised are
// those that the content store loses.
func TestPruneOfContainerd(t *testing.T) {
	socket, err := sb.StartContainerd(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(socket, client.WithDefaultNamespace("test"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := namespaces.WithNamespace(t.Context(), "test")
	s := seeder{t, ""}
	records := map[string]images.Image{}
	for _, word := range []string{"old", "older", "used", "leased", "pinned", "moved", "twice"} {
		ref := "registry.example.com/app:" + word
		tag, err := name.NewTag(ref)
		s.must(err)
		var archive bytes.Buffer
		s.must(tarball.Write(tag, s.image(word, 40, nil, "amd64"), &archive))
		_, err = c.Import(ctx, &archive)
		s.must(err)
		records[word], err = c.ImageService().Get(ctx, ref)
		s.must(err)
	}
	also := func(name, word string) {
		_, err := c.ImageService().Create(ctx, images.Image{Name: name, Target: records[word].Target})
		s.must(err)
	}
	also("sha256:"+strings.Repeat("1", 64), "old")
	also("registry.example.com/other:twice", "twice")
	_, err = c.ContainerService().Create(ctx, containers.Container{ID: "web", Image: records["used"].Name,
		Runtime: containers.RuntimeInfo{Name: "io.containerd.runc.v2"}, Spec: &anypb.Any{TypeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Spec", Value: []byte("{}")}})
	s.must(err)
	lease, err := c.LeasesService().Create(ctx, leases.WithID("keep"))
	s.must(err)
	s.must(c.LeasesService().AddResource(ctx, lease, leases.Resource{ID: records["leased"].Target.Digest.String(), Type: "content"}))
	held := records["pinned"]
	held.Labels = map[string]string{"io.cri-containerd.pinned": "pinned"}
	_, err = c.ImageService().Update(ctx, held, "labels")
	s.must(err)

	place, err := containerd.Open("test@" + socket)
	s.must(err)
	later := time.Now().Add(48 * time.Hour) // nothing is too young then
	inv, err := place.Inventory(ctx, later)
	s.must(err)
	policy, err := retention.ParsePolicy("containerd.yaml", []byte("version: 1\nlimits: {share: 100%, keep_last: false}\nrules: [{name: old, select: {repository: registry.example.com/app}, max_age: 30d}]"))
	s.must(err)
	p := retention.Make(inv, policy)
	want := []string{"moved", "old", "older", "twice"}
	if got := removedTags(p); !slices.Equal(got, want) || !p.Final {
		t.Fatalf("the plan removes %v, want %v: %+v", got, want, p.Keep)
	}
	before := storedBytes(t, c)
	// Between plan and run, a tag moves.
	moved := records["moved"]
	moved.Target = records["used"].Target
	_, err = c.ImageService().Update(ctx, moved, "target")
	s.must(err)
	spare, err := c.LeasesService().Create(ctx, leases.WithID("spare"))
	s.must(err)
	s.must(c.LeasesService().Delete(ctx, spare, leases.SynchronousDelete)) // collects what the tag led to
	lost := before - storedBytes(t, c)

	journal, err := prune.NewJournal(t.TempDir(), later, p)
	s.must(err)
	out, err := prune.Execute(t.Context(), place, p, journal, nil)
	s.must(err)
	for _, skip := range out.Skipped {
		if skip.Digest != records["moved"].Target.Digest.String() {
			t.Errorf("skipped %s: %s", skip.Ref, skip.Reason)
		}
	}
	var left []string
	all, err := c.ImageService().List(ctx)
	s.must(err)
	for _, r := range all {
		left = append(left, strings.TrimPrefix(r.Name, "registry.example.com/"))
	}
	slices.Sort(left)
	if want := []string{"app:leased", "app:moved", "app:pinned", "app:used", "other:twice"}; !slices.Equal(left, want) {
		t.Errorf("left are %v, want %v", left, want)
	}
	if freed := before - lost - storedBytes(t, c); len(out.Failed) > 0 || out.Freed == 0 || freed != out.Freed {
		t.Errorf("failed: %v; %d bytes were freed, the run says %d", out.Failed, freed, out.Freed)
	}
}

// removedTags are the tags that a plan removes, sorted.
func removedTags(p *retention.Plan) (tags []string) {
	for _, r := range p.Remove {
		if _, tag, _, err := retention.SplitRef(r.Ref); err == nil && tag != "" {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return tags
}

// storedBytes is what lies in containerd's content store.
func storedBytes(t *testing.T, c *client.Client) (sum int64) {
	t.Helper()
	err := c.ContentStore().Walk(namespaces.WithNamespace(t.Context(), "test"), func(info content.Info) error {
		sum += info.Size
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
