package prune

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// take hands an inventory to takers, as gather does.
func take(t *testing.T, inv *retention.Inventory, takers ...taker) {
	t.Helper()
	add, err := begin(inv, takers)
	if err != nil {
		t.Fatal(err)
	}
	for i := range inv.Repositories {
		add(&inv.Repositories[i])
	}
	if err := end(takers); err != nil {
		t.Fatal(err)
	}
}

// What was listed once keeps its day, whatever its repository is called.
func TestLedgerKeepsTheFirstDay(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	odd := "b\"\\\x01é\u2028"
	days := []time.Time{time.Date(2026, 6, 1, 12, 0, 0, 5, time.UTC), time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC), time.Date(2026, 6, 3, 12, 0, 0, 0, time.UTC)}
	for run, now := range days {
		inv := &retention.Inventory{Host: "h", Taken: now}
		for _, name := range []string{"a", odd} {
			r := retention.Repository{Name: name}
			for _, digest := range []string{"sha256:1", "sha256:2", "sha256:3"}[:run+1] {
				r.Manifests = append(r.Manifests, retention.Manifest{Digest: digest})
			}
			inv.Repositories = append(inv.Repositories, r)
		}
		take(t, inv, &ledger{})
		for _, r := range inv.Repositories {
			for i, m := range r.Manifests {
				if !m.FirstSeen.Equal(days[i]) {
					t.Errorf("on day %d, %s in %q was first seen %s, want %s", run, m.Digest, r.Name, m.FirstSeen, days[i])
				}
			}
		}
	}
}

// A saved inventory is the JSON of the inventory.
func TestSavedInventoryIsTheInventory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "facts.json")
	for _, repositories := range [][]retention.Repository{{}, {{Name: "a", Tags: []retention.Tag{}, Manifests: []retention.Manifest{}}, {Name: "b"}}} {
		inv := &retention.Inventory{Version: retention.InventoryVersion, Place: "layout:/l", Taken: time.Unix(1_700_000_000, 0).UTC(),
			InUse: []retention.Use{{Image: "a", By: "b"}}, Repositories: repositories}
		take(t, inv, &saving{path: path})
		want, err := json.Marshal(inv)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != string(want)+"\n" {
			t.Errorf("%v, saved as\n%swant\n%s", err, got, want)
		}
	}
}
