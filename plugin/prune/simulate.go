package prune

import (
	"fmt"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// simulate shows what a policy would have done with saved inventories.
func (f *flags) simulate(paths []string) error {
	policy, err := f.readPolicy()
	if err != nil {
		return err
	}
	out := f.streams().Out
	for _, path := range paths {
		planning := &planning{policy: policy}
		err := readInventory(path, func(head *retention.Inventory) (func(*retention.Repository), error) {
			return begin(head, []taker{planning})
		})
		if err == nil {
			err = planning.end()
		}
		if err != nil {
			return err
		}
		plan := planning.plan
		fmt.Fprintf(out, "%s  %s  removes %s, frees %s, stops at %s\n", plan.Taken.Format(time.DateOnly), placeName(plan.Place),
			counted(plan.Remove), ui.Size(plan.FreesBytes), ui.Count(len(plan.Stopped), "repository"))
	}
	return nil
}
