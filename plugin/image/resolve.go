package image

import (
	"path"
	"strings"
)

// maxSymlinks is how many links Linux follows on the way to a file.
const maxSymlinks = 40

// Resolve follows symbolic links to what is at an absolute path, "/bin/sh".
func (s *Stacked) Resolve(name string) (Entry, bool) {
	rest, at := strings.Split(strings.Trim(path.Clean(name), "/"), "/"), "."
	for links := 0; ; {
		entry, ok := s.Lookup(path.Join(at, rest[0]))
		if !ok || links > maxSymlinks {
			return Entry{}, false
		}
		if entry.File != nil && entry.File.Type == Symlink {
			links++
			target := entry.File.Link
			if !path.IsAbs(target) {
				target = path.Join("/", at, target)
			}
			target = strings.Trim(path.Clean(target), "/")
			rest, at = append(strings.Split(target, "/"), rest[1:]...), "."
			if target == "" {
				rest = rest[1:]
			}
		} else {
			at, rest = entry.Path, rest[1:]
		}
		if len(rest) == 0 {
			return s.Lookup(at)
		}
	}
}
