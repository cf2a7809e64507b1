package lint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
)

// ignoredByGit says what the .gitignore files of a tree leave out. It is told
// of each folder before it is asked for what is in it.
type ignoredByGit struct {
	top      string // the folder that the patterns are matched from, absolute
	root     string // the folder that is walked, as it was named
	below    []string
	patterns []gitignore.Pattern
}

// gitIgnored reads what holds in a folder: the lists above it, up to the folder
// that holds the repository, and there the repository's own. Without a
// repository only those of the folder and below it count. A folder that is itself
// left out was named on purpose: then the lists above it don't count either.
func gitIgnored(dir string) *ignoredByGit {
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir // without a current folder nothing above is known
	}
	ig := &ignoredByGit{top: repository(abs), root: dir}
	if ig.top == "" {
		ig.top = abs
		return ig
	}
	rel, err := filepath.Rel(ig.top, abs)
	if err != nil {
		return ig
	}
	if rel != "." {
		ig.below = strings.Split(filepath.ToSlash(rel), "/")
	}
	ig.read(filepath.Join(ig.top, ".git", "info", "exclude"), nil)
	for i := range ig.below {
		ig.read(filepath.Join(ig.top, filepath.Join(ig.below[:i]...), ".gitignore"), ig.below[:i])
		if gitignore.NewMatcher(ig.patterns).Match(ig.below[:i+1], true) {
			ig.patterns = nil
			break
		}
	}
	return ig
}

// repository is the folder at or above dir that holds a repository; "" for none.
func repository(dir string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, ".git")); !errors.Is(err, fs.ErrNotExist) {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// enter reads the list of a folder on the walk.
func (ig *ignoredByGit) enter(dir string) {
	ig.read(filepath.Join(dir, ".gitignore"), ig.path(dir))
}

// has reports whether a path on the walk is left out.
func (ig *ignoredByGit) has(path string, isDir bool) bool {
	return len(ig.patterns) > 0 && gitignore.NewMatcher(ig.patterns).Match(ig.path(path), isDir)
}

// path is a path on the walk as git sees it, by its elements.
func (ig *ignoredByGit) path(path string) []string {
	rel, err := filepath.Rel(ig.root, path)
	if err != nil || rel == "." {
		return ig.below
	}
	return append(slices.Clone(ig.below), strings.Split(filepath.ToSlash(rel), "/")...)
}

// read adds the patterns of a list. One that can't be read leaves nothing out.
func (ig *ignoredByGit) read(file string, domain []string) {
	text, err := os.ReadFile(file)
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			ig.patterns = append(ig.patterns, gitignore.ParsePattern(line, slices.Clone(domain)))
		}
	}
}
