package prune

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/imgmgr/imgmgr/plugin/ui"
)

// undo gives back what a run removed.
func (f *flags) undo(ctx context.Context) error {
	streams := f.streams()
	dir, err := f.journals()
	if err != nil {
		return err
	}
	journals, err := Journals(dir)
	if err != nil {
		return err
	}
	if f.listJournals {
		return printJournals(streams.Out, journals)
	}
	path := f.undoJournal
	if path == "" {
		if len(journals) == 0 {
			return fmt.Errorf("there is no journal in %s: nothing was removed, or --journal names another folder", dir)
		}
		path = journals[0]
	} else if !filepath.IsAbs(path) && filepath.Base(path) == path {
		path = filepath.Join(dir, path)
	}
	plan, entries, err := ReadJournal(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no journal %s: see prune undo --list", path)
	}
	if err != nil {
		return err
	}
	if plan.Final {
		return fmt.Errorf("%s can't take back what was deleted there: pull or build it again; for another run, see prune undo --list", placeName(plan.Place))
	}
	store, err := f.open(ctx, plan.Place, nil)
	if err != nil {
		return err
	}
	bar := ui.NewProgress(streams.Err, "giving back")
	out, err := Restore(ctx, store, entries, bar.Show)
	bar.End()
	printRestored(streams.Out, out, plan)
	switch {
	case err != nil:
		return err
	case len(out.Lost) > 0:
		return &ui.Exit{Code: ui.Failure}
	case len(out.Left) > 0:
		return &ui.Exit{Code: ui.Findings}
	}
	return nil
}
