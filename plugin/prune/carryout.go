package prune

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// CarryOut is how other verbs remove images: by a plan that is shown, asked for,
// written into a journal and executed as prune's own, so that "prune apply" and
// "prune undo" work with it.
type CarryOut struct {
	Insecure bool
	Jobs     int // requests at one time
	Force    bool
	DryRun   bool
	Journal  string // folder; "" is the usual one
	SavePlan string // file
}

// Register adds the flags that say how, but not those of the connection.
func (c *CarryOut) Register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.DryRun, "dry-run", false, "Show the plan, and change nothing")
	cmd.Flags().BoolVarP(&c.Force, "force", "f", false, "Don't ask")
	cmd.Flags().StringVar(&c.SavePlan, "plan", "", "Save the plan as `FILE`, for prune apply")
	journalFlag(cmd, &c.Journal)
}

// Do shows the plan, asks, and executes it. The error has the exit code of prune.
func (c *CarryOut) Do(ctx context.Context, streams ui.Streams, plan *retention.Plan) error {
	f := &flags{
		source: source{insecure: c.Insecure, workers: c.Jobs}, force: c.Force, plan: c.SavePlan, format: "text",
		journal: c.Journal, streams: func() ui.Streams { return streams }, now: time.Now,
	}
	if err := f.show(streams, plan); err != nil {
		return err
	}
	if c.DryRun || len(plan.Remove) == 0 {
		return stopped(plan)
	}
	return f.carryOut(ctx, streams, plan)
}
