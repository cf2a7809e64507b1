package prune

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// firstSeen fills in when each manifest was listed for the first time, from a
// ledger on this machine, and adds to the ledger what is new. Registries don't say
// when something was pushed; this is how long it has been there at least.
func firstSeen(inv *retention.Inventory) error {
	state, err := stateFolder()
	if err != nil {
		return err
	}
	path := filepath.Join(state, "first-seen.json")
	ledger := map[string]time.Time{} // by reference
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("read when images were first seen: %w", err)
	default:
		if err := json.Unmarshal(text, &ledger); err != nil {
			return fmt.Errorf("read when images were first seen, from %s: %w; without that file, they count as seen today", path, err)
		}
	}
	before := maps.Clone(ledger)
	for i := range inv.Repositories {
		repo := &inv.Repositories[i]
		for j := range repo.Manifests {
			m := &repo.Manifests[j]
			ref := inv.Host + "/" + repo.Name + "@" + m.Digest
			if _, known := ledger[ref]; !known {
				ledger[ref] = inv.Taken
			}
			m.FirstSeen = ledger[ref]
		}
	}
	if maps.Equal(before, ledger) {
		return nil
	}
	return writeLedger(path, ledger)
}

// writeLedger replaces the ledger as a whole, so that a crash leaves the old one.
func writeLedger(path string, ledger map[string]time.Time) error {
	text, err := json.Marshal(ledger)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = writeSynced(path+".new", text)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("note when images were first seen: %w", err)
	}
	return nil
}
