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
