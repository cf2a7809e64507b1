package prove

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CopyContext makes a copy of a build context, of those files that a build gets. Files
// are hard links where that can be done: nothing writes to them.
func CopyContext(files fs.FS, dir, to string) error {
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		from, target := filepath.Join(dir, filepath.FromSlash(name)), filepath.Join(to, filepath.FromSlash(name))
		switch d.Type() {
		case fs.ModeDir:
			return copyFolder(from, target)
		case fs.ModeSymlink:
			link, err := os.Readlink(from)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		case 0:
			if os.Link(from, target) == nil {
				return nil
			}
			return copyFile(from, target)
		}
		return nil // sockets and devices aren't sent to a builder
	})
	if err != nil {
		return fmt.Errorf("copy the build context %s: %w", dir, err)
	}
	return nil
}

// copyFolder makes a folder with the mode of another, and one that takes new files.
func copyFolder(from, to string) error {
	info, err := os.Stat(from)
	if err == nil {
		if err = os.Mkdir(to, 0o700); os.IsExist(err) {
			err = nil // the topmost one
		}
	}
	if err != nil {
		return err
	}
	return os.Chmod(to, info.Mode()|0o700)
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		return err
	}
	return os.Chmod(to, info.Mode())
}

// Edit puts empty lines to the end of a copied file, so many that no build before is
// likely to have seen the same: what was built of it is not in any cache. No language
// minds them. undo gives the file back as it was.
func Edit(context, name string) (undo func() error, err error) {
	file := filepath.Join(context, filepath.FromSlash(name))
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("edit a copy of %s: %w", name, err)
	}
	var n [2]byte
	_, _ = rand.Read(n[:]) // never fails
	lines := 1 + int(n[0])<<4 + int(n[1])>>4
	replace := func(text []byte) error {
		info, err := os.Stat(file)
		if err == nil {
			// A new file: this one may be the user's own, by another name.
			err = os.WriteFile(file+".imgmgr", text, 0o600)
		}
		if err == nil {
			err = os.Chmod(file+".imgmgr", info.Mode())
		}
		if err == nil {
			err = os.Rename(file+".imgmgr", file)
		}
		if err != nil {
			return fmt.Errorf("edit a copy of %s: %w", name, err)
		}
		return nil
	}
	if err := replace(append(bytes.Clone(text), bytes.Repeat([]byte("\n"), lines)...)); err != nil {
		return nil, err
	}
	return func() error { return replace(text) }, nil
}
