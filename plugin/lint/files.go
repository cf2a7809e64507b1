package lint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// find returns the Dockerfiles that the options name: files as they are, those
// that bake and compose files build, and of folders and patterns all that are
// named like Dockerfiles and that git doesn't ignore, in the order of their
// names. A file that is named twice is linted once.
func find(ctx context.Context, o *Options) []target {
	var targets []target
	seen := map[string]bool{}
	add := func(found ...target) {
		for _, t := range found {
			key := filepath.Clean(t.path)
			if t.inline != nil {
				key += "\x00" + t.inline.text
			}
			if !seen[key] {
				seen[key] = true
				targets = append(targets, t)
			}
		}
	}
	paths, defined := o.sorted()
	if len(defined) > 0 {
		add(bakeTargets(ctx, o, defined)...)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case path == Stdin:
			add(target{path: Stdin})
		case err != nil && strings.ContainsAny(path, "*?[{"):
			add(matching(path)...)
		case err != nil:
			add(target{path: path, err: readError(err)})
		case info.IsDir():
			add(within(path)...)
		default:
			add(target{path: path})
		}
	}
	return targets
}

// sorted are the paths to look at, and the bake and compose files among them.
func (o *Options) sorted() (paths, defined []string) {
	defined = slices.Clone(o.Files)
	for _, path := range o.Paths {
		if isBake(path) {
			defined = append(defined, path)
		} else {
			paths = append(paths, path)
		}
	}
	if len(paths)+len(defined) == 0 {
		paths = []string{"."}
	}
	return paths, defined
}

// within are the Dockerfiles in a folder.
func within(dir string) []target {
	found := search(dir, func(path string) bool { return isDockerfile(filepath.Base(path)) })
	if len(found) == 0 {
		return []target{{path: dir, err: errors.New("no Dockerfile was found in this folder; name the file itself")}}
	}
	return found
}

// matching are the files that a pattern names, with "**" for any folders, and
// the Dockerfiles in folders that it names.
func matching(pattern string) []target {
	pattern = filepath.ToSlash(filepath.Clean(pattern))
	if !doublestar.ValidatePattern(pattern) {
		return []target{{path: pattern, err: errors.New("this is no pattern; write it like services/**/*.Dockerfile")}}
	}
	base, last := doublestar.SplitPattern(pattern)
	named := strings.Trim(last[strings.LastIndexByte(last, '/')+1:], "*?") != "" // "src/*" names nothing
	wanted := func(path string) bool {
		slashed, dockerfile := filepath.ToSlash(path), isDockerfile(filepath.Base(path))
		return (named || dockerfile) && doublestar.MatchUnvalidated(pattern, slashed) ||
			dockerfile && doublestar.MatchUnvalidated(pattern+"/**", slashed)
	}
	var found []target
	if _, err := os.Stat(filepath.FromSlash(base)); err == nil {
		found = search(filepath.FromSlash(base), wanted)
	}
	if len(found) == 0 {
		return []target{{path: pattern, err: errors.New("no file matches this pattern; check it")}}
	}
	return found
}

// search walks a folder for files that are wanted. Folders that can't be read
// are targets with an error.
func search(dir string, wanted func(path string) bool) []target {
	var targets []target
	ignored := gitIgnored(dir)
	// The function returns no error but SkipDir, and neither does WalkDir.
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			targets = append(targets, target{path: path, err: readError(err)})
			return fs.SkipDir
		case path != dir && (entry.IsDir() && slices.Contains(skippedFolders, entry.Name()) || ignored.has(path, entry.IsDir())):
			if entry.IsDir() {
				return fs.SkipDir
			}
		case entry.IsDir():
			ignored.enter(path)
		case wanted(path) && regular(path, entry):
			targets = append(targets, target{path: path})
		}
		return nil
	})
	return targets
}

// skippedFolders hold other people's files, or none that are built.
var skippedFolders = []string{".git", ".hg", ".svn", ".cache", "node_modules"}

// regular reports whether an entry is a file or a link to one.
func regular(path string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// notDockerfiles are endings of files that stand beside Dockerfiles and are
// named after them: ignore lists, documentation, templates, and what editors
// and merges leave.
var notDockerfiles = []string{
	".dockerignore", ".md", ".txt", ".tmpl", ".template", ".tpl", ".j2", ".jinja", ".jinja2", ".erb", ".mustache",
	".gotmpl", ".orig", ".rej", ".bak", ".swp", ".swo", "~", ".sha256", ".sig", ".asc",
}

// isDockerfile reports whether a file in a folder is meant: Dockerfile,
// Containerfile, Dockerfile.NAME, Dockerfile-NAME, NAME.Dockerfile and the like.
// Lower case is common for whole names and endings only: dockerfile.go is
// somebody's source code.
func isDockerfile(name string) bool {
	lower := strings.ToLower(name)
	for _, ending := range notDockerfiles {
		if strings.HasSuffix(lower, ending) {
			return false
		}
	}
	for _, kind := range []string{"Dockerfile", "Containerfile"} {
		small := strings.ToLower(kind)
		if lower == small || strings.HasSuffix(lower, "."+small) {
			return true
		}
		if rest, ok := strings.CutPrefix(name, kind); ok && len(rest) > 1 && strings.ContainsRune("._-", rune(rest[0])) {
			return true
		}
	}
	return false
}

// checkFolder says what is wrong with a folder that the user named as context.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("build context %s is no folder; name one with --context", dir)
	}
	if err == nil {
		_, err = os.ReadDir(dir)
	}
	if err != nil {
		return fmt.Errorf("build context %s: %w, or name another with --context", dir, readError(err))
	}
	return nil
}
