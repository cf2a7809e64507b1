package ecosystem

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
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

// holds reports that the project's folder may hold name: it is there, or that
// isn't known. It saves questions for what would lie in a folder.
func (p Project) holds(name string) bool {
	there, err := p.Has(name)
	return there || err != nil
}

// regular reports that name is a regular file, and no link to one.
func (p Project) regular(name string) bool {
	info, err := fs.Lstat(p.Files, path.Join(p.Dir, name))
	return err == nil && info.Mode().IsRegular()
}

// IsLink reports that name is a symbolic link.
func (p Project) IsLink(name string) bool {
	if !p.Known() {
		return false
	}
	info, err := fs.Lstat(p.Files, path.Join(p.Dir, name))
	return err == nil && info.Mode().Type() == fs.ModeSymlink
}

// read returns the bytes of a file; nil where it can't be had.
func (p Project) read(name string) []byte {
	data, err := fs.ReadFile(p.Files, path.Join(p.Dir, name))
	if err != nil {
		return nil
	}
	return data
}

// IsManifest reports that a file of this name, or a pattern of names, stands in
// a project's folder and says what the project needs.
func IsManifest(name string) bool {
	return isMSBuild(name) || slices.ContainsFunc([]string{"go.", "package", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "pyproject.toml", "uv.lock", "poetry.lock", "requirements",
		"Cargo.", "pom.xml", "composer.", "Gemfile", "Directory."},
		func(start string) bool { return strings.HasPrefix(name, start) })
}
