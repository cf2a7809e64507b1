package facts_test

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/imgmgr/imgmgr/lint/facts"
)

func TestMeasure(t *testing.T) {
	files := fstest.MapFS{
		"a/b": {Data: make([]byte, 1_500_000)}, "a/c/d": {Data: make([]byte, 500_000)}, "e": {Data: make([]byte, 7)},
	}
	for _, tt := range []struct {
		root  string
		limit int
		leave func(string, bool) bool
		want  facts.Amount
		says  string
	}{
		{".", 10, nil, facts.Amount{Bytes: 2_000_007, Files: 3}, "2.0 MB"},
		{"a", 10, nil, facts.Amount{Bytes: 2_000_000, Files: 2}, "2.0 MB"},
		{"e", 10, nil, facts.Amount{Bytes: 7, Files: 1}, "0.0 MB"},
		{".", 1, nil, facts.Amount{Bytes: 1_500_000, Files: 1, More: true}, "over 1.5 MB"},
		{".", 10, func(name string, dir bool) bool { return dir && name == "a/c" }, facts.Amount{Bytes: 1_500_007, Files: 2}, "1.5 MB"},
	} {
		got, err := facts.Measure(files, tt.root, tt.limit, tt.leave)
		if err != nil || got != tt.want || got.String() != tt.says {
			t.Errorf("%s, at most %d files: %+v, %q, %v; want %+v, %q", tt.root, tt.limit, got, got.String(), err, tt.want, tt.says)
		}
	}
	for _, root := range []string{"nothing", ".."} {
		if _, err := facts.Measure(files, root, 10, nil); !errors.Is(err, facts.ErrUnknown) {
			t.Errorf("%s: the error is %v", root, err)
		}
	}
	if _, err := facts.Measure(nil, ".", 10, nil); !errors.Is(err, facts.ErrUnknown) {
		t.Errorf("of no context: the error is %v", err)
	}
}
