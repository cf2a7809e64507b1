package prune

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// The first listing counts, of each repository by itself, also after a run that was
// cut off while it wrote that down, and whatever a registry calls its repositories.
func TestFirstSeenIsTheFirstListing(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	start := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	web := "web\"\\\x01é\u2028"
	list := func(days int, digests ...string) map[string]int {
		t.Helper()
		inv := &retention.Inventory{Host: "registry.example.com", Taken: start.AddDate(0, 0, days)}
		for _, name := range []string{"app", web} {
			r := retention.Repository{Name: name}
			for _, d := range digests {
				if name == web && days == 0 {
					continue
				}
				r.Manifests = append(r.Manifests, retention.Manifest{Digest: d})
			}
			inv.Repositories = append(inv.Repositories, r)
		}
		take(t, inv, &ledger{})
		seen := map[string]int{}
		for _, r := range inv.Repositories {
			for _, m := range r.Manifests {
				seen[r.Name+"@"+m.Digest] = int(m.FirstSeen.Sub(start) / (24 * time.Hour))
			}
		}
		return seen
	}
	list(0, "sha256:a")
	if err := os.WriteFile(filepath.Join(state, "imgmgr", "first-seen.json.new"), []byte("{cut"), 0o600); err != nil {
		t.Fatal(err)
	}
	list(3, "sha256:a", "sha256:b")
	seen := list(9, "sha256:a", "sha256:b", "sha256:c")
	for ref, want := range map[string]int{"app@sha256:a": 0, web + "@sha256:a": 3, "app@sha256:b": 3, "app@sha256:c": 9} {
		if seen[ref] != want {
			t.Errorf("%s was first seen on day %d, want %d", ref, seen[ref], want)
		}
	}
}
