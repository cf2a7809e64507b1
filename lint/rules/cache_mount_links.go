package rules

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// baseLinks holds that no link of the base image leads to another place than
// the one that is mounted: the cache that the image has there would be missing
// at a path that nobody declared. Official images have no such links. Links
// that the Dockerfile makes are for otherSteps to see.
func (all *steps) baseLinks(s *step, w *want, v *verdict) {
	ref, ok := all.pass.BaseRef(all.root(s.in.Stage))
	if ok && official(ref) || s.state.Image == nil {
		return // or said already
	}
	for _, place := range w.places() {
		switch link, err := linkTo(s.state.Image.Files, place); {
		case err != nil:
			v.less(lint.Safe, "whether the way to %s is a link in %s is not known", place, s.base)
		case link != "":
			v.less(lint.Unsafe, "%s is a link in %s", link, s.base)
		}
	}
}

var errNoFiles = errors.New("the image's files are not known")

// linkTo is the first component of a path that is a link; "" where none is.
func linkTo(files fs.FS, p string) (string, error) {
	if files == nil {
		return "", errNoFiles
	}
	at := ""
	for _, step := range strings.Split(strings.TrimPrefix(p, "/"), "/") {
		at += "/" + step
		switch info, err := fs.Lstat(files, at[1:]); {
		case errors.Is(err, fs.ErrNotExist):
			return "", nil
		case err != nil:
			return "", err
		case info.Mode().Type() == fs.ModeSymlink:
			return at, nil
		}
	}
	return "", nil
}
