// Package policies_test runs the tests that the example policies have.
package policies_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

func TestPolicies(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %v (%v)", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		policy, err := retention.ParsePolicy(file, text)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(policy.Tests) == 0 {
			t.Errorf("%s has no tests", file)
		}
		for _, failure := range policy.Check() {
			t.Errorf("%s:%d: %s: %v", file, failure.Case.Line, failure.Case.Name, failure.Details)
		}
	}
}
