package facts

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Churn is the history of a build context.
type Churn interface {
	// Commits are the newest ones that changed anything in the context's folder,
	// each with the paths that it changed there. Errors wrap ErrUnknown.
	Commits(ctx context.Context) ([][]string, error)
}

// Changes counts the commits that changed a file which a COPY of the sources, as
// they stand in the Dockerfile, takes today; all is how many are known, 0 where
// that isn't known.
func (c Context) Changes(ctx context.Context, sources ...string) (changed, all int) {
	if c.Churn == nil || c.Files == nil {
		return 0, 0
	}
	commits, err := c.Churn.Commits(ctx)
	if err != nil {
		return 0, 0
	}
	taken := map[string]bool{}
	takes := func(name string) bool {
		known, ok := taken[name]
		if !ok {
			_, err := fs.Stat(c.Files, name)
			known = err == nil && slices.ContainsFunc(sources, func(source string) bool { return Takes(source, name) })
			taken[name] = known
		}
		return known
	}
	for _, names := range commits {
		if slices.ContainsFunc(names, takes) {
			changed++
		}
	}
	return changed, len(commits)
}

// Takes reports whether a COPY of a source takes the file of the context: the
// source is the file, a folder above it, or a pattern for one of them.
func Takes(source, name string) bool {
	source = path.Clean(strings.TrimLeft(source, "/"))
	if source == "." {
		return true
	}
	for ; name != "."; name = path.Dir(name) {
		if ok, err := path.Match(source, name); ok && err == nil {
			return true
		}
	}
	return false
}
