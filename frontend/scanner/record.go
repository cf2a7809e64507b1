package scanner

import (
	"context"
	"io"
	"path"
	"strings"
	"sync"

	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/source"
)

// manifests is the one pattern whose files syft reads one by one: a package.json
// is a package, whatever else there is.
const manifests = "**/package.json"

// asked is what a scan asked of its root. A scan of another root in which all of
// it has the same answers finds the same packages.
type asked struct {
	// Globs and Types (media types) are the patterns by which files were looked
	// for, and Lookups the paths, with whether they were there.
	Globs, Types, Lookups map[string]bool
	// Paths are the files that were found or read, by their real paths. The
	// value tells those that only the pattern manifests found.
	Paths map[string]bool
	// Access are the paths by which symbolic links led to files.
	Access map[string]bool
}

func newAsked() *asked {
	return &asked{
		Globs: map[string]bool{}, Types: map[string]bool{}, Lookups: map[string]bool{},
		Paths: map[string]bool{}, Access: map[string]bool{},
	}
}

// recorded is a source that records what is asked of it, and that shows only
// some of its files.
type recorded struct {
	source.Source
	record *recorder
}

func (s recorded) FileResolver(scope source.Scope) (file.Resolver, error) {
	r, err := s.Source.FileResolver(scope)
	if err != nil {
		return nil, err
	}
	s.record.Resolver = r
	return s.record, nil
}

func (s recorded) ExcludedPaths() []string {
	if e, ok := s.Source.(source.PathExcluder); ok {
		return e.ExcludedPaths()
	}
	return nil
}

// recorder writes down what syft's catalogers, which run in parallel, ask.
type recorder struct {
	file.Resolver
	shown map[string]bool // nil for all
	mu    sync.Mutex
	asked *asked
}

func (r *recorder) FilesByGlob(patterns ...string) ([]file.Location, error) {
	found, err := r.Resolver.FilesByGlob(patterns...)
	found = r.visible(found)
	r.mu.Lock()
	defer r.mu.Unlock()
	listings := true
	for _, p := range patterns {
		r.asked.Globs[rooted(p)] = true
		_, ok := listing(rooted(p))
		listings = listings && ok
	}
	if !listings { // of a directory's files, those that matter are read
		r.note(found, len(patterns) == 1 && patterns[0] == manifests)
	}
	return found, err
}

func (r *recorder) FilesByMIMEType(types ...string) ([]file.Location, error) {
	found, err := r.Resolver.FilesByMIMEType(types...)
	found = r.visible(found)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range types {
		r.asked.Types[t] = true
	}
	r.note(found, false)
	return found, err
}

func (r *recorder) FilesByPath(paths ...string) ([]file.Location, error) {
	var all []file.Location
	for _, p := range paths {
		found, err := r.Resolver.FilesByPath(p)
		if err != nil {
			return nil, err
		}
		found = r.visible(found)
		all = append(all, found...)
		r.lookup(p, len(found) > 0, found...)
	}
	return all, nil
}

func (r *recorder) RelativeFileByPath(at file.Location, name string) *file.Location {
	found := r.Resolver.RelativeFileByPath(at, name)
	if found == nil || len(r.visible([]file.Location{*found})) == 0 {
		r.lookup(name, false)
		return nil
	}
	r.lookup(name, true, *found)
	return found
}

func (r *recorder) HasPath(name string) bool {
	has := r.Resolver.HasPath(name)
	r.lookup(name, has)
	return has
}

func (r *recorder) FileContentsByLocation(l file.Location) (io.ReadCloser, error) {
	r.mu.Lock()
	if p := rooted(l.RealPath); !r.asked.Paths[p] {
		r.note([]file.Location{l}, false)
	}
	r.mu.Unlock()
	return r.Resolver.FileContentsByLocation(l)
}

// AllLocations is what only the cataloger of Nix asks for, which looks for
// directories below nix/store: see noNix.
func (r *recorder) AllLocations(ctx context.Context) <-chan file.Location {
	return r.Resolver.AllLocations(ctx)
}

func (r *recorder) lookup(name string, there bool, found ...file.Location) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked.Lookups[rooted(name)] = there
	r.note(found, false)
}

// note takes r.mu to be held.
func (r *recorder) note(found []file.Location, manifest bool) {
	for _, l := range found {
		real := rooted(l.RealPath)
		if only, ok := r.asked.Paths[real]; ok {
			manifest = manifest && only
		}
		r.asked.Paths[real] = manifest
		if access := rooted(l.AccessPath); l.AccessPath != "" && access != real {
			r.asked.Access[access] = true
		}
	}
}

func (r *recorder) visible(found []file.Location) []file.Location {
	if r.shown == nil {
		return found
	}
	var out []file.Location
	for _, l := range found {
		if r.shown[rooted(l.RealPath)] {
			out = append(out, l)
		}
	}
	return out
}

// rooted gives paths, and patterns of paths, the one form in which they are
// compared.
func rooted(name string) string {
	if strings.HasPrefix(name, "**") {
		return name
	}
	return path.Clean("/" + name)
}

// listing is the directory all of whose files a pattern asks for.
func listing(pattern string) (dir string, ok bool) {
	dir, last := path.Split(pattern)
	return path.Clean(dir), last == "*" && !strings.ContainsAny(dir, `*?[{\`)
}
