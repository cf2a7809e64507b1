package lint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// replace writes a file's new text in one step: a reader sees the old text or
// the new one. Mode and, where possible, owner stay; a link stays a link. It
// fails, and leaves the file alone, when its text is no longer what was linted.
// A nil text before stands for no file.
func replace(path string, before, after []byte) (err error) {
	real, err := filepath.EvalSymlinks(path)
	var info os.FileInfo
	switch {
	case errors.Is(err, fs.ErrNotExist) && before == nil:
		real = path
	case err != nil:
		return fmt.Errorf("its fixes weren't written: %w", err)
	default:
		if info, err = os.Stat(real); err != nil {
			return fmt.Errorf("its fixes weren't written: %w", err)
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("its fixes weren't written, for it is no regular file; pass its text as %q to get the repaired text", Stdin)
		}
	}
	tmp, err := os.CreateTemp(filepath.Dir(real), ".imgmgr-*")
	if err != nil {
		return fmt.Errorf("its fixes weren't written, for its folder takes no new file: %w", err)
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	mode := fs.FileMode(0o644)
	if info != nil {
		mode = info.Mode().Perm()
		keepOwner(tmp, info)
	}
	if _, err = tmp.Write(after); err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err == nil {
		err = tmp.Close()
	}
	if err != nil {
		return fmt.Errorf("its fixes weren't written: %w", err)
	}
	now, readErr := os.ReadFile(real)
	if readErr != nil && !(before == nil && errors.Is(readErr, fs.ErrNotExist)) || !bytes.Equal(now, before) {
		err = fmt.Errorf("its fixes weren't written, for the file changed meanwhile; run again")
		return err
	}
	if err = os.Rename(tmp.Name(), real); err != nil {
		return fmt.Errorf("its fixes weren't written: %w", err)
	}
	return nil
}
