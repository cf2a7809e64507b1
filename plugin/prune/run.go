package prune

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// prune plans, shows, asks and acts.
func (f *flags) prune(ctx context.Context) error {
	streams := f.streams()
	if err := f.check(); err != nil {
		return err
	}
	policy, err := f.readPolicy()
	if err != nil {
		return err
	}
	if f.allContexts {
		return f.everyContext(ctx, policy)
	}
	planning := &planning{policy: policy}
	takers := []taker{planning}
	if f.saveInventory != "" {
		takers = append(takers, &saving{path: f.saveInventory})
	}
	if err := f.gather(ctx, streams, f.now(), takers...); err != nil {
		return err
	}
	return f.act(ctx, streams, planning.plan)
}

// act shows a plan, and carries it out.
func (f *flags) act(ctx context.Context, streams ui.Streams, plan *retention.Plan) error {
	if err := f.show(streams, plan); err != nil {
		return err
	}
	if f.dryRun || len(plan.Remove) == 0 {
		return stopped(plan)
	}
	return f.carryOut(ctx, streams, plan)
}

// check refuses options that can't be followed.
func (f *flags) check() error {
	switch {
	case f.format != "text" && f.format != "json":
		return fmt.Errorf("unknown format %q: use --format text or json", f.format)
	case f.format == "json" && !f.dryRun && !f.force:
		return errors.New("--format json leaves no room for a question; add --dry-run or --force")
	case f.inventory != "" && !f.dryRun:
		return errors.New("an --inventory is of another time; add --dry-run, and --plan FILE to apply the plan later")
	case f.workers < 1:
		return fmt.Errorf("--jobs %d: use 1 or more", f.workers)
	}
	return nil
}

// show prints the plan and saves it.
func (f *flags) show(streams ui.Streams, plan *retention.Plan) error {
	if f.plan != "" {
		file, err := os.OpenFile(f.plan, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err == nil {
			err = errors.Join(plan.Write(file), file.Close())
		}
		if err != nil {
			return fmt.Errorf("save the plan: %w", err)
		}
	}
	if f.format == "json" {
		return plan.Write(streams.Out)
	}
	return printPlan(streams.Out, plan)
}

// stopped is the exit code of a plan that isn't whole.
func stopped(plan *retention.Plan) error {
	if len(plan.Stopped) > 0 {
		return &ui.Exit{Code: ui.Findings}
	}
	return nil
}

// carryOut asks, and executes the plan.
func (f *flags) carryOut(ctx context.Context, streams ui.Streams, plan *retention.Plan) error {
	if !f.force {
		yes, err := streams.Ask(fmt.Sprintf("Remove %s from %s?", counted(plan.Remove), placeName(plan.Place)))
		if err != nil {
			return err
		}
		if !yes {
			fmt.Fprintln(streams.Err, "Nothing was removed.")
			return stopped(plan)
		}
	}
	store, err := f.open(ctx, plan.Place, nil)
	if err != nil {
		return err
	}
	dir, err := f.journals()
	if err != nil {
		return err
	}
	journal, err := NewJournal(dir, f.now(), plan)
	if err != nil {
		return err
	}
	bar := ui.NewProgress(streams.Err, "removing")
	out, err := Execute(ctx, store, plan, journal, bar.Show)
	bar.End()
	whole := err == nil && !out.Stopped && len(out.Failed) == 0
	err = errors.Join(err, journal.Close(whole))
	text := streams.Out
	if f.format == "json" {
		text = streams.Err
	}
	printOutcome(text, out, plan.Place, journal.Dir)
	switch {
	case err != nil:
		return err
	case out.Stopped:
		return fmt.Errorf("stopped; to finish: prune apply %s/%s", journal.Dir, planFile)
	case len(out.Failed) > 0:
		return &ui.Exit{Code: ui.Failure}
	case len(out.Skipped) > 0:
		return &ui.Exit{Code: ui.Findings}
	}
	return stopped(plan)
}
