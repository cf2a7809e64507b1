package prune

import (
	"slices"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

func TestLocalPolicyIsThatOfDockerImagePrune(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	image := func(digest string, days int, labels map[string]string) retention.Manifest {
		return retention.Manifest{Digest: digest, Kind: retention.KindImage, Created: now.AddDate(0, 0, -days), Labels: labels}
	}
	inv := &retention.Inventory{Taken: now, Repositories: []retention.Repository{
		{Name: "<none>", Manifests: []retention.Manifest{image("sha256:a", 9, nil), image("sha256:b", 1, map[string]string{"keep": "yes"})}},
		{Name: "app", Tags: []retention.Tag{{Name: "1", Digest: "sha256:c"}, {Name: "2", Digest: "sha256:d"}},
			Manifests: []retention.Manifest{image("sha256:c", 9, map[string]string{"team": "red"}), image("sha256:d", 1, nil)}},
		{Name: "pulled", Manifests: []retention.Manifest{image("sha256:e", 9, nil)}},
	}}
	for _, c := range []struct {
		all     bool
		filters client.Filters
		want    string // digests
	}{
		{false, nil, "ab"},
		{true, nil, "abcde"},
		{false, client.Filters{}.Add("dangling", "false"), "abcde"},
		{true, client.Filters{}.Add("until", "48h"), "ace"},
		{true, client.Filters{}.Add("until", "2026-05-30"), "ace"},
		{true, client.Filters{}.Add("label!", "keep"), "acde"},
		{true, client.Filters{}.Add("label!", "keep=no"), "abcde"},
		{true, client.Filters{}.Add("label", "team=red"), "c"},
		{true, client.Filters{}.Add("label", "team=re."), ""},
		{true, client.Filters{}.Add("reference", "app:*"), "cd"},
	} {
		p, err := localPolicy(c.all, c.filters, now)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for _, r := range retention.Make(inv, p).Remove {
			if r.Kind != retention.KindTag {
				got = append(got, r.Digest[len("sha256:")])
			}
		}
		slices.Sort(got)
		if string(got) != c.want {
			t.Errorf("all %v, filters %v: removes %s, want %s", c.all, c.filters, got, c.want)
		}
	}
	for _, bad := range []client.Filters{client.Filters{}.Add("until", "soon"), client.Filters{}.Add("name", "x"), client.Filters{}.Add("reference", "[")} {
		if _, err := localPolicy(false, bad, now); err == nil {
			t.Errorf("filters %v were taken", bad)
		}
	}
}
