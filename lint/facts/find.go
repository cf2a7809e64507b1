package facts

import (
	"fmt"
	"io/fs"
	"strings"
)

// Finder is a build context that can be asked for names without being read
// whole.
type Finder interface {
	fs.FS
	// FindSuffix returns the path of a file whose name ends with one of the
	// suffixes, or "" when the context holds none, in whatever folder. The
	// error wraps ErrUnknown when that can't be told.
	FindSuffix(suffixes ...string) (string, error)
}

// maxWalk bounds how many entries FindSuffix looks at where a context has to
// be walked.
const maxWalk = 100_000

// FindSuffix asks a [Finder], or else walks the context's names; it reads no
// file. The result is that of Finder.
func FindSuffix(files fs.FS, suffixes ...string) (string, error) {
	if files == nil {
		return "", ErrUnknown
	}
	if f, ok := files.(Finder); ok {
		return f.FindSuffix(suffixes...)
	}
	found, seen := "", 0
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if seen++; seen > maxWalk {
			return fmt.Errorf("it has more than %d entries", maxWalk)
		}
		for _, s := range suffixes {
			if !d.IsDir() && strings.HasSuffix(path, s) {
				found = path
				return fs.SkipAll
			}
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("look for files in the build context: %w: %w", ErrUnknown, err)
	}
	return found, nil
}
