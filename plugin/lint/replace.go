package lint

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// replace writes a file's new text in one step: a reader sees the old text or
// the new one. Mode and, where possible, owner stay; a link stays a link. It
// fails, and leaves the file alone, when its text is no longer what was linted.
func replace(path string, before, after []byte) (err error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("its fixes weren't written: %w", err)
	}
	info, err := os.Stat(real)
	if err != nil {
		return fmt.Errorf("its fixes weren't written: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("its fixes weren't written, for it is no regular file; pass its text as %q to get the repaired text", Stdin)
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
	if _, err = tmp.Write(after); err == nil {
		err = tmp.Chmod(info.Mode().Perm())
	}
	keepOwner(tmp, info)
	if err == nil {
		err = tmp.Sync()
	}
	if err == nil {
		err = tmp.Close()
	}
	if err != nil {
		return fmt.Errorf("its fixes weren't written: %w", err)
	}
	if now, readErr := os.ReadFile(real); readErr != nil || !bytes.Equal(now, before) {
		err = fmt.Errorf("its fixes weren't written, for the file changed meanwhile; run again")
		return err
	}
	if err = os.Rename(tmp.Name(), real); err != nil {
		return fmt.Errorf("its fixes weren't written: %w", err)
	}
	return nil
}
