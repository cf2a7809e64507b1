package prune

import (
	"context"
	"fmt"
	"os"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// apply carries out a saved plan.
func (f *flags) apply(ctx context.Context, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	plan, err := retention.ReadPlan(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	streams := f.streams()
	if !f.force {
		if err := printPlan(streams.Out, plan); err != nil {
			return err
		}
	}
	if len(plan.Remove) == 0 {
		return stopped(plan)
	}
	return f.carryOut(ctx, streams, plan)
}
