package ecosystem

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// Known reports that the project's files can be asked for.
func (p Project) Known() bool { return p.Files != nil }

// Has reports that the project's folder holds name, whatever that is. The
// error says that it isn't known.
func (p Project) Has(name string) (bool, error) {
	_, err := fs.Lstat(p.Files, path.Join(p.Dir, name))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return false, fmt.Errorf("whether the context holds %s is not known: %w", path.Join(p.Dir, name), err)
}

// regular reports that name is a regular file, and no link to one.
func (p Project) regular(name string) bool {
	info, err := fs.Lstat(p.Files, path.Join(p.Dir, name))
	return err == nil && info.Mode().IsRegular()
}

// read returns the bytes of a file; nil where it can't be had.
func (p Project) read(name string) []byte {
	data, err := fs.ReadFile(p.Files, path.Join(p.Dir, name))
	if err != nil {
		return nil
	}
	return data
}
