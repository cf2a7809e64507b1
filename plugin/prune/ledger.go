package prune

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/imgmgr/imgmgr/plugin/folders"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// ledger fills in when each manifest was listed for the first time, from a file on
// this machine, and adds to it what is new. Registries don't say when something was
// pushed; this is how long it has been there at least.
type ledger struct {
	path  string
	seen  map[string]time.Time // by reference
	host  string
	taken time.Time
	fresh bool // something is new
}

func (l *ledger) begin(head *retention.Inventory) error {
	state, err := folders.State()
	if err != nil {
		return err
	}
	l.path, l.seen = filepath.Join(state, "first-seen.json"), map[string]time.Time{}
	l.host, l.taken = head.Host, head.Taken
	text, err := os.ReadFile(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("read when images were first seen: %w", err)
	}
	if err := json.Unmarshal(text, &l.seen); err != nil {
		return fmt.Errorf("read when images were first seen, from %s: %w; without that file, they count as seen today", l.path, err)
	}
	return nil
}

func (l *ledger) add(r *retention.Repository) {
	for i := range r.Manifests {
		m := &r.Manifests[i]
		ref := l.host + "/" + r.Name + "@" + m.Digest
		first, known := l.seen[ref]
		if !known {
			first, l.fresh = l.taken, true
			l.seen[ref] = first
		}
		m.FirstSeen = first
	}
}

func (l *ledger) end() error {
	seen := l.seen
	l.seen = nil // what ends after it needs the room
	if !l.fresh {
		return nil
	}
	return writeLedger(l.path, seen)
}

// writeLedger replaces the ledger as a whole, an image a line, so that a crash leaves
// the old one.
func writeLedger(path string, seen map[string]time.Time) error {
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = writeSynced(path+".new", func(out io.Writer) error {
			begin := "{"
			for _, ref := range slices.Sorted(maps.Keys(seen)) {
				name, err := json.Marshal(ref)
				if err != nil {
					return err
				}
				fmt.Fprintf(out, "%s%s:%q", begin, name, seen[ref].Format(time.RFC3339Nano))
				begin = ",\n"
			}
			_, err := io.WriteString(out, "}\n")
			return err
		})
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("note when images were first seen: %w", err)
	}
	return nil
}
