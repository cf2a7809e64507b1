package lint

import (
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
)

// filtered is a folder without what an ignore list leaves out. An ignored
// folder is there if something below it is excepted ("!dir/keep"). Nothing is
// read before it is asked for. It is for one goroutine.
type filtered struct {
	all     fs.FS
	matcher *patternmatcher.PatternMatcher
	visible map[string]bool // of ignored folders: whether they hold exceptions
}

var (
	_ fs.ReadDirFS  = (*filtered)(nil)
	_ fs.StatFS     = (*filtered)(nil)
	_ fs.ReadFileFS = (*filtered)(nil)
	_ fs.ReadLinkFS = (*filtered)(nil)
)

// Open opens a file or folder that is not left out.
func (f *filtered) Open(name string) (fs.File, error) {
	if err := f.reach("open", name); err != nil {
		return nil, err
	}
	file, err := f.all.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.IsDir() {
		return file, nil
	}
	return &filteredDir{File: file, parent: f, name: name}, nil
}

// ReadDir returns the entries of a folder that are not left out.
func (f *filtered) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := f.reach("readdir", name); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(f.all, name)
	if err != nil {
		return nil, err
	}
	kept := entries[:0]
	for _, e := range entries {
		if child := join(name, e.Name()); !f.ignored(child) || e.IsDir() && f.excepted(child) {
			kept = append(kept, e)
		}
	}
	return kept, nil
}

// Stat describes a file or folder that is not left out.
func (f *filtered) Stat(name string) (fs.FileInfo, error) {
	if err := f.reach("stat", name); err != nil {
		return nil, err
	}
	return fs.Stat(f.all, name)
}

// ReadFile reads a file that is not left out.
func (f *filtered) ReadFile(name string) ([]byte, error) {
	if err := f.reach("open", name); err != nil {
		return nil, err
	}
	return fs.ReadFile(f.all, name)
}

// ReadLink returns where a link points that is not left out.
func (f *filtered) ReadLink(name string) (string, error) {
	if err := f.reach("readlink", name); err != nil {
		return "", err
	}
	return fs.ReadLink(f.all, name)
}

// Lstat is Stat of a link itself.
func (f *filtered) Lstat(name string) (fs.FileInfo, error) {
	if err := f.reach("lstat", name); err != nil {
		return nil, err
	}
	return fs.Lstat(f.all, name)
}

// reach fails as if name didn't exist where it is left out.
func (f *filtered) reach(op, name string) error {
	switch {
	case !fs.ValidPath(name):
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	case f.ignored(name) && !f.excepted(name):
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return nil
}

// ignored asks the list as BuildKit does: folder by folder from the top.
func (f *filtered) ignored(name string) bool {
	if name == "." {
		return false
	}
	var above patternmatcher.MatchInfo
	var matched bool
	for end := 0; end < len(name); {
		if next := strings.IndexByte(name[end+1:], '/'); next < 0 {
			end = len(name)
		} else {
			end += 1 + next
		}
		var err error
		matched, above, err = f.matcher.MatchesUsingParentResults(filepath.FromSlash(name[:end]), above)
		if err != nil {
			return true // patterns were compiled before; nothing else fails
		}
	}
	return matched
}

// excepted reports whether something below an ignored folder isn't.
func (f *filtered) excepted(dir string) bool {
	if !f.matcher.Exclusions() {
		return false
	}
	if known, ok := f.visible[dir]; ok {
		return known
	}
	f.visible[dir] = false
	entries, err := fs.ReadDir(f.all, dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if child := join(dir, e.Name()); !f.ignored(child) || e.IsDir() && f.excepted(child) {
			f.visible[dir] = true
			return true
		}
	}
	return false
}

func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// filteredDir is an open folder of a filtered one.
type filteredDir struct {
	fs.File
	parent *filtered
	name   string
	rest   []fs.DirEntry
	read   bool
}

// ReadDir returns the next n entries that are not left out, or all for n ≤ 0.
func (d *filteredDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if !d.read {
		entries, err := d.parent.ReadDir(d.name)
		if err != nil {
			return nil, err
		}
		d.rest, d.read = entries, true
	}
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.rest))
	next := d.rest[:n]
	d.rest = d.rest[n:]
	return next, nil
}
