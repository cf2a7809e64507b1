package facts_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/imgmgr/imgmgr/lint/facts"
)

// finder answers by itself; its files can't be walked.
type finder struct{ fs.FS }

func (finder) FindSuffix(suffixes ...string) (string, error) { return "found" + suffixes[0], nil }

// closed is a context that can't be listed.
type closed struct{}

func (closed) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

func TestFindSuffix(t *testing.T) {
	files := fstest.MapFS{"a/b.c": {}, "a/d/e.h": {}, "x.h/readme": {}}
	for _, tt := range []struct {
		files   fs.FS
		suffix  []string
		want    string
		unknown bool
	}{
		{files, []string{".hpp", ".h"}, "a/d/e.h", false},
		{files, []string{".go"}, "", false},
		{files, []string{"x.h"}, "", false}, // a folder
		{finder{closed{}}, []string{".h"}, "found.h", false},
		{closed{}, []string{".h"}, "", true},
		{nil, []string{".h"}, "", true},
	} {
		got, err := facts.FindSuffix(tt.files, tt.suffix...)
		if got != tt.want || errors.Is(err, facts.ErrUnknown) != tt.unknown || (err != nil) != tt.unknown {
			t.Errorf("FindSuffix(%v, %s) = %q, %v", tt.files, tt.suffix, got, err)
		}
	}
}
