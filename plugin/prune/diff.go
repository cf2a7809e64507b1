package prune

import (
	"context"
	"fmt"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// diff shows what another policy treats otherwise.
func (f *flags) diff(ctx context.Context, oldPath, newPath string) error {
	before, err := policyFile(oldPath)
	if err != nil {
		return err
	}
	after, err := policyFile(newPath)
	if err != nil {
		return err
	}
	streams := f.streams()
	was, is := &planning{policy: before}, &planning{policy: after}
	if err := f.gather(ctx, streams, f.now(), was, is); err != nil {
		return err
	}
	a, b := was.plan, is.plan
	goneA, goneB := reasons(a.Remove), reasons(b.Remove)
	lines := 0
	for _, r := range b.Remove {
		if _, both := goneA[r.Ref]; !both {
			lines++
			fmt.Fprintf(streams.Out, "- %s  %s\n", r.Ref, ui.Plain(goneB[r.Ref]))
		}
	}
	for _, r := range a.Remove {
		if _, both := goneB[r.Ref]; !both {
			lines++
			fmt.Fprintf(streams.Out, "+ %s  stays; was %s\n", r.Ref, ui.Plain(goneA[r.Ref]))
		}
	}
	fmt.Fprintf(streams.Out, "%s differ; %s frees %s, %s %s\n", ui.Count(lines, "removal"), oldPath, ui.Size(a.FreesBytes), newPath, ui.Size(b.FreesBytes))
	if lines > 0 {
		return &ui.Exit{Code: ui.Findings}
	}
	return nil
}

func reasons(removals []retention.Removal) map[string]string {
	out := make(map[string]string, len(removals))
	for _, r := range removals {
		out[r.Ref] = r.Rule + ": " + r.Reason
	}
	return out
}
