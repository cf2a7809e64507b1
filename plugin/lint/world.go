package lint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/plugin/image/base"
)

// world is what is known of a file's build, and what has to be closed with it.
type world struct {
	facts facts.Context
	// ignoreList is the file that says what the build context ignores, also where
	// there is none yet; "" where the context isn't known.
	ignoreList string
	roots      []*os.Root
}

func (w *world) close() {
	for _, root := range w.roots {
		root.Close() // it was only read
	}
}

// openWorld gathers the facts of a file's build. The context is the folder that
// the build names. Without one it is the file's own folder, or else the
// current one, provided that everything is there that the file copies from its
// context; otherwise it isn't known, as for standard input. The world is there
// beside an error, too, with what is known all the same.
func openWorld(o Options, t target, b build, file *dockerfile.File) (*world, error) {
	w := &world{facts: facts.Context{Args: b.args, Target: b.stage, Platform: b.platform, Platforms: t.platforms(), OtherTargets: t.stages, Today: o.Today}}
	w.facts.CacheNamespace = b.args["BUILDKIT_CACHE_MOUNT_NS"]
	if o.Images != nil && !o.Fragment {
		w.facts.Images = o.Images
		if o.Images.Reach() == base.Network {
			w.facts.Registry = o.Images
		}
	}
	if o.Downloads != nil {
		w.facts.Downloads = o.Downloads
	}
	if o.ShellCheck != nil {
		w.facts.ShellCheck = o.ShellCheck
	}
	list := t.path // whose ignore list may stand beside it
	if t.inline != nil {
		list = Stdin
	}
	w.facts.Named, w.facts.Bases = w.named(b.named), o.bases(t.group, b)
	if t.group != nil {
		w.facts.Group = beside{t.group, t.targets()}
	}
	var root *os.Root
	var err error
	switch {
	case b.context != "":
		root, err = w.open(b.context)
	case t.path != Stdin && !b.remote:
		if root = guessContext(t.path, file); root != nil {
			w.roots = append(w.roots, root)
		}
	}
	if err != nil || root == nil {
		return w, err
	}
	w.facts.Files, w.facts.Ignored, w.ignoreList, err = ignoring(root, list)
	if o.History != nil {
		w.facts.Churn = o.History.of(root.Name())
	}
	return w, err
}

func (w *world) open(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("its build context %s isn't known: %w", dir, readError(err))
	}
	w.roots = append(w.roots, root)
	return root, nil
}

// named are the files of named contexts, unknown where they are no folders of
// this machine.
func (w *world) named(contexts map[string]string) map[string]fs.FS {
	if len(contexts) == 0 {
		return nil
	}
	named := map[string]fs.FS{}
	for name, from := range contexts {
		named[name] = nil
		dir, remote := folder(&from)
		if from == "" || remote {
			continue
		}
		if root, err := w.open(dir); err == nil {
			if files, _, _, err := ignoring(root, Stdin); err == nil {
				named[name] = files
			}
		}
	}
	return named
}

// guessContext finds the folder that is the file's build context.
func guessContext(name string, file *dockerfile.File) *os.Root {
	own := filepath.Dir(name)
	for _, dir := range []string{own, "."} {
		if rel, err := filepath.Rel(dir, own); err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			continue // the current folder isn't above the file
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			continue
		}
		if holds(root, file) {
			return root
		}
		root.Close()
	}
	return nil
}

// holds reports whether a folder has everything that the file copies from its
// context by name.
func holds(root *os.Root, file *dockerfile.File) bool {
	for _, in := range file.Instructions {
		var from string
		var sources []string
		switch c := in.Command.(type) {
		case *instructions.CopyCommand:
			from, sources = c.From, c.SourcePaths
		case *instructions.AddCommand:
			sources = c.SourcePaths
		}
		if from != "" {
			continue
		}
		for _, source := range sources {
			if strings.ContainsAny(source, `*?[\$:`) {
				continue // a pattern, a variable or a URL
			}
			if _, err := root.Stat(path.Clean(strings.TrimLeft(source, "/"))); errors.Is(err, fs.ErrNotExist) {
				return false
			}
		}
	}
	return true
}

// ignoring returns the files of a build context as BuildKit gets them: without
// those that <Dockerfile>.dockerignore leaves out or, where there is none,
// .dockerignore; the text of that file, nil where there is none; and its path.
func ignoring(root *os.Root, name string) (files fs.FS, list []byte, which string, err error) {
	which = name + ".dockerignore"
	if name != Stdin {
		list, err = os.ReadFile(which)
	}
	if name == Stdin || errors.Is(err, fs.ErrNotExist) {
		which = filepath.Join(root.Name(), ".dockerignore")
		list, err = root.ReadFile(".dockerignore")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return root.FS(), nil, which, nil
	}
	if err != nil {
		return nil, nil, "", fmt.Errorf("its build context isn't known, for %s can't be read: %w", which, readError(err))
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(list))
	var matcher *patternmatcher.PatternMatcher
	if err == nil {
		matcher, err = patternmatcher.New(patterns)
	}
	if err != nil {
		return nil, nil, "", fmt.Errorf("its build context isn't known, for %s can't be understood: %w", which, err)
	}
	return &filtered{all: root.FS(), matcher: matcher, visible: map[string]bool{}}, list, which, nil
}
