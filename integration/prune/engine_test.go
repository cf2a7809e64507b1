//go:build linux

package prune_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/client"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/engine"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// What Docker's own prune gets wrong: it removes an image of 1970 that was loaded
// a second ago, and takes the very name away that a container was made from.
func TestPruneOfAnEngine(t *testing.T) {
	for name, host := range engines(t) {
		t.Run(name, func(t *testing.T) { pruneEngine(t, host) })
	}
}

// engines are the addresses of a Docker Engine with its own store of images, and
// of one with containerd's.
func engines(t *testing.T) map[string]string {
	if err := errors.Join(sb.StartEngine(t.Context()), sb.StartNewestEngine(t.Context())); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"classic": sb.Engine, "newest": sb.NewestEngine}
}

func pruneEngine(t *testing.T, host string) {
	isolated(t)
	s := seeder{t, ""}
	real := time.Now()
	at := func(word string, days int) v1.Image {
		img, err := mutate.CreatedAt(s.image(word, 0, map[string]string{"test": "prune"}, "amd64"), v1.Time{Time: real.AddDate(0, 0, -days)})
		s.must(err)
		return img
	}
	images := map[string]v1.Image{
		"prune/app:old": at("old", 40), "prune/app:older": at("older", 50), "prune/app:new": at("new", 0),
		"prune/undated:1": s.image("undated", -1, map[string]string{"test": "prune"}, "amd64"),
		"prune/used:now":  at("used", 40), "prune/dangling:1": at("dangling", 40),
	}
	images["prune/used:a"], images["prune/used:z"] = images["prune/used:now"], images["prune/used:now"]
	byName := map[name.Reference]v1.Image{}
	for ref, img := range images {
		parsed, err := name.NewTag(ref)
		s.must(err)
		byName[parsed] = img
	}
	archive := filepath.Join(t.TempDir(), "images.tar")
	s.must(tarball.MultiRefWriteToFile(archive, byName))
	docker := func(args ...string) string {
		t.Helper()
		out, err := sb.DockerAt(t.Context(), host, "", args...)
		s.must(err)
		return out
	}
	tidy := func() { // a run that was killed leaves its images behind
		docker("container", "prune", "--force", "--filter", "label=test=prune")
		docker("image", "prune", "--all", "--force", "--filter", "label=test=prune")
	}
	tidy()
	defer tidy()
	docker("load", "--input", archive)
	docker("tag", "prune/app:new", "prune/dangling:1") // its image has no name any more
	docker("create", "prune/used:now", "true")

	api, err := client.New(client.WithHost(host))
	s.must(err)
	defer api.Close()
	e := engine.New(api)
	// Two hours on: nothing here is a minute old.
	inv, err := e.Inventory(t.Context(), real.Add(2*time.Hour))
	s.must(err)
	inv.Repositories = slices.DeleteFunc(inv.Repositories, func(r retention.Repository) bool {
		return !strings.HasPrefix(r.Name, "prune/") && r.Name != engine.Unnamed
	})
	for i, r := range inv.Repositories { // other tests leave unnamed images behind, too
		inv.Repositories[i].Manifests = slices.DeleteFunc(r.Manifests, func(m retention.Manifest) bool { return m.Labels["test"] != "prune" })
	}
	text := "version: 1\nlimits: {share: 100%, keep_last: false}\nrules: [{name: old, max_age: 30d}]"
	policy, err := retention.ParsePolicy("engine.yaml", []byte(text))
	s.must(err)
	p := retention.Make(inv, policy)
	var refs []string
	for _, r := range p.Remove {
		if r.Kind == retention.KindTag {
			refs = append(refs, r.Ref)
		} else if strings.HasPrefix(r.Ref, engine.Unnamed) {
			refs = append(refs, engine.Unnamed)
		}
	}
	if want := []string{engine.Unnamed, "prune/app:old", "prune/app:older"}; !slices.Equal(refs, want) {
		t.Fatalf("the plan removes %v, want %v\n%v", refs, want, p)
	}
	journal, err := prune.NewJournal(t.TempDir(), real, p)
	s.must(err)
	out, err := prune.Execute(t.Context(), e, p, journal, nil)
	s.must(err)
	if len(out.Failed)+len(out.Skipped) > 0 {
		t.Errorf("failed: %v, skipped: %v", out.Failed, out.Skipped)
	}
	left := strings.Fields(docker("image", "ls", "--all", "--filter", "label=test=prune", "--format", "{{.Repository}}:{{.Tag}}"))
	slices.Sort(left)
	if want := []string{"prune/app:new", "prune/dangling:1", "prune/undated:1", "prune/used:a", "prune/used:now", "prune/used:z"}; !slices.Equal(left, want) {
		t.Errorf("left are %v, want %v", left, want)
	}
	for _, r := range p.Remove {
		if r.Kind != retention.KindTag && r.Bytes == 0 {
			t.Errorf("%s frees nothing, says the plan", r.Ref)
		}
	}
}
