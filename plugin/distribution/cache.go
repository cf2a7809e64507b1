package distribution

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// cache keeps content by its digest. It is only ever a short cut: what can't be
// written is fetched again, and what is damaged isn't used.
type cache struct{ dir string }

func (c cache) file(digest string) string {
	algorithm, hex, _ := strings.Cut(digest, ":")
	return filepath.Join(c.dir, algorithm, hex[:2], hex)
}

func (c cache) get(digest string) []byte {
	if c.dir == "" {
		return nil
	}
	content, err := os.ReadFile(c.file(digest))
	if err != nil || !matches(content, digest) {
		return nil
	}
	return content
}

func (c cache) put(digest string, content []byte) {
	if c.dir == "" {
		return
	}
	path := c.file(digest)
	err := os.WriteFile(path, content, 0o600)
	if errors.Is(err, fs.ErrNotExist) && os.MkdirAll(filepath.Dir(path), 0o700) == nil {
		_ = os.WriteFile(path, content, 0o600)
	}
}
