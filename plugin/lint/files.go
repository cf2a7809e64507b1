package lint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// target is a file to lint, or a path that can't be.
type target struct {
	path string
	err  error
}

// find returns the files that paths name: files as they are, and below folders
// all that are named like Dockerfiles, in the order of their names. A file that
// is named twice is linted once.
func find(paths []string) []target {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var targets []target
	seen := map[string]bool{}
	add := func(t target) {
		if key := filepath.Clean(t.path); !seen[key] {
			seen[key] = true
			targets = append(targets, t)
		}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case path == Stdin:
			add(target{path: Stdin})
		case err != nil:
			add(target{path, readError(err)})
		case info.IsDir():
			found := search(path)
			if len(found) == 0 {
				add(target{path, errors.New("no Dockerfile was found in this folder; name the file itself")})
			}
			for _, t := range found {
				add(t)
			}
		default:
			add(target{path: path})
		}
	}
	return targets
}

// search walks a folder for Dockerfiles. Folders that can't be read are
// targets with an error.
func search(dir string) []target {
	var targets []target
	// The function returns no error but SkipDir, and neither does WalkDir.
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			targets = append(targets, target{path, readError(err)})
			return fs.SkipDir
		case entry.IsDir():
			if path != dir && slices.Contains(skippedFolders, entry.Name()) {
				return fs.SkipDir
			}
		case isDockerfile(entry.Name()) && regular(path, entry):
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
