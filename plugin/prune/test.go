package prune

import (
	"fmt"

	"github.com/imgmgr/imgmgr/plugin/ui"
)

// test runs the tests of policies.
func (f *flags) test(paths []string) error {
	if len(paths) == 0 {
		paths = []string{DefaultPolicy}
	}
	out := f.streams().Out
	failed := false
	for _, path := range paths {
		policy, err := policyFile(path)
		if err != nil {
			return err
		}
		failures := policy.Check()
		for _, failure := range failures {
			fmt.Fprintf(out, "%s:%d: %s\n", path, failure.Case.Line, ui.Plain(failure.Case.Name))
			for _, d := range failure.Details {
				fmt.Fprintf(out, "    %s\n", ui.Plain(d))
			}
		}
		failed = failed || len(failures) > 0
		fmt.Fprintf(out, "%s: %s, %d failed\n", path, ui.Count(len(policy.Tests), "test"), len(failures))
	}
	if failed {
		return &ui.Exit{Code: ui.Findings}
	}
	return nil
}
