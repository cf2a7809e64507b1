package scanner

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// findLeaks lists the symbolic links of root that would lead the scan out of
// it, as patterns for syft's exclusions.
//
// Syft resolves a link's own target in its base, but then lets the operating
// system walk to that target. With /door -> / and /window -> door/proc, the
// target of window is <root>/door/proc, and that is the scanner's own /proc.
// So a link leaks if the directory of its target is reached through another
// link and ends outside. Such a link can be left out at no loss: the files it
// names are found where they really are.
func findLeaks(ctx context.Context, root string) ([]string, error) {
	var leaks []string
	walk := func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// A root that cannot be read at all is an error; a directory of it is
		// for syft to pass over.
		if err != nil && path != root {
			return nil
		}
		if err != nil {
			return err
		}
		if d.Type()&fs.ModeSymlink == 0 || !leads(root, path) {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		leaks = append(leaks, "./"+literal(rel))
		return nil
	}
	if err := filepath.WalkDir(root, walk); err != nil {
		return nil, err
	}
	return leaks, nil
}

// leads reports whether following link takes the operating system out of root
// after the link's own target was put into it.
func leads(root, link string) bool {
	to, err := os.Readlink(link)
	if err != nil {
		return false // it is not followed either
	}
	if !filepath.IsAbs(to) {
		dir, err := filepath.Rel(root, filepath.Dir(link))
		if err != nil {
			return true
		}
		to = filepath.Join("/", dir, to)
	}
	to = filepath.Join(root, to)
	parent := filepath.Dir(to)
	if parent == filepath.Dir(root) {
		return false // the target is the root itself
	}
	// A target in a real directory is taken as it is, link or not, and if it
	// is a link it is judged on its own.
	if real, err := filepath.EvalSymlinks(parent); err == nil && real == parent {
		return false
	}
	end, err := filepath.EvalSymlinks(to)
	if err != nil {
		return false // dangling: there is nothing to walk into
	}
	return end != root && !strings.HasPrefix(end, strings.TrimSuffix(root, "/")+"/")
}

// literal escapes what a pattern would give a meaning to.
func literal(path string) string {
	return strings.NewReplacer(
		`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`,
	).Replace(path)
}
