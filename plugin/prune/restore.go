package prune

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Restored is what became of a journal's entries.
type Restored struct {
	Back []Entry
	// Left are tags that lead elsewhere by now, and Lost what the place doesn't
	// take back: its parts are gone.
	Left, Lost []Loss
}

// Loss is something that wasn't given back.
type Loss struct {
	Ref    string
	Reason string
}

// Restore gives back what a journal holds, in the reverse order: parts before
// their index, referrers before their subject. What is there already is left as
// it is, so it can be run again. What a place refuses is tried once more for as
// long as others come back, for it may have waited for them.
func Restore(ctx context.Context, store Store, entries []Entry, progress func(done, all int)) (*Restored, error) {
	out := &Restored{}
	left := slices.Clone(entries)
	slices.Reverse(left)
	for {
		var refused []Entry
		out.Lost = nil
		for i, e := range left {
			if err := ctx.Err(); err != nil {
				return out, fmt.Errorf("stopped with %d of %d manifests to go; run it again: %w", len(left)-i+len(refused), len(entries), err)
			}
			if err := store.Put(ctx, e.Repository, e.Digest, e.MediaType, e.Manifest); err != nil {
				refused = append(refused, e)
				out.Lost = append(out.Lost, Loss{e.Repository + "@" + e.Digest, err.Error()})
				continue
			}
			if err := out.names(ctx, store, e); err != nil {
				return out, err
			}
			out.Back = append(out.Back, e)
			if progress != nil {
				progress(len(out.Back), len(entries))
			}
		}
		if len(refused) == 0 || len(refused) == len(left) {
			return out, nil
		}
		left = refused
	}
}

// names gives a manifest its tags back, those that nothing else has now.
func (out *Restored) names(ctx context.Context, store Store, e Entry) error {
	for _, tag := range e.Tags {
		ref := e.Repository + ":" + tag
		now, err := store.Tag(ctx, e.Repository, tag)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if err := store.Put(ctx, e.Repository, tag, e.MediaType, e.Manifest); err != nil {
				return err
			}
		case err != nil:
			return err
		case now != e.Digest:
			out.Left = append(out.Left, Loss{ref, "it leads to " + short(now) + " by now"})
		}
	}
	return nil
}
