package facts_test

import (
	"context"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/imgmgr/imgmgr/lint/facts"
)

type commits [][]string

func (c commits) Commits(context.Context) ([][]string, error) {
	if c == nil {
		return nil, fmt.Errorf("no repository: %w", facts.ErrUnknown)
	}
	return c, nil
}

func TestChanges(t *testing.T) {
	files := fstest.MapFS{"src/a/main.go": {}, "src/b.go": {}, "go.mod": {}, "lib-1/x": {}}
	history := commits{{"src/a/main.go"}, {"src/b.go", "go.mod"}, {"README.md"}, {"src/gone.go"}, {"lib-1/x"}}
	for _, tt := range []struct {
		sources []string
		want    int
	}{
		{[]string{"."}, 3}, // README.md and src/gone.go aren't in the context
		{[]string{"/"}, 3},
		{[]string{"src"}, 2},
		{[]string{"./src/"}, 2},
		{[]string{"go.mod", "go.sum"}, 1},
		{[]string{"go.*", "lib-*"}, 2},
		{[]string{"sr"}, 0},
	} {
		if got, all := (facts.Context{Files: files, Churn: history}).Changes(t.Context(), tt.sources...); got != tt.want || all != 5 {
			t.Errorf("%q changed in %d of %d, want %d of 5", tt.sources, got, all, tt.want)
		}
	}
	for _, unknown := range []facts.Context{{Files: files}, {Churn: history}, {Files: files, Churn: commits(nil)}} {
		if got, all := unknown.Changes(t.Context(), "."); got != 0 || all != 0 {
			t.Errorf("what isn't known changed in %d of %d", got, all)
		}
	}
}
