package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// Amount is how much a part of a build context holds.
type Amount struct {
	Bytes int64
	Files int
	// More says that the walk ended before all was seen.
	More bool
}

// Measure adds up the files at a path of a build context and below it, at most
// limit of them, by their sizes alone: none is read. leave, where it isn't nil,
// keeps what it reports out, folders with all below them. The error wraps
// ErrUnknown for a context that can't be walked, as a [Finder] can't.
func Measure(files fs.FS, root string, limit int, leave func(name string, dir bool) bool) (Amount, error) {
	var sum Amount
	if _, ok := files.(Finder); ok || files == nil {
		return sum, ErrUnknown
	}
	err := fs.WalkDir(files, root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return nil // the build can't send it either
		case err != nil:
			return err
		case leave != nil && name != root && leave(name, d.IsDir()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		case sum.Files >= limit:
			sum.More = true
			return fs.SkipAll
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone since
		}
		if err != nil {
			return err
		}
		sum.Files++
		sum.Bytes += info.Size()
		return nil
	})
	if err != nil {
		return Amount{}, fmt.Errorf("measure %s of the build context: %w: %w", path.Clean(root), ErrUnknown, err)
	}
	return sum, nil
}

// String is the amount in megabytes of a million bytes: "12.3 MB", "over 12.3 MB".
func (a Amount) String() string {
	text := fmt.Sprintf("%.1f MB", float64(a.Bytes)/1e6)
	if a.More {
		return "over " + text
	}
	return text
}
