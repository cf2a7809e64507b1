package prove

import (
	"bytes"
	"cmp"
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/facts"
)

const (
	mostFiles = 20_000  // of a context that are looked at
	mostBytes = 1 << 20 // of a file that people edit
)

// sources are what programs are written in.
var sources = strings.Fields(`.c .cc .clj .cpp .cs .css .dart .erl .ex .exs .fs .go .h .hpp .hs .html .java .js .jsx .kt .lua .mjs .ml .php .pl .proto .py
	.r .rb .rs .scala .sh .sql .svelte .swift .tpl .ts .tsx .vue`)

// Edited is the file of the context that stands for an edit of the sources: the one
// that most commits changed, or else the topmost one, of those that both Dockerfiles
// copy. Manifests and lock files aren't sources. It is "" where there is none.
func Edited(ctx context.Context, s Subject, files fs.FS, churn facts.Churn) string {
	takes := func(name string) bool { return s.takes(s.Written, name) && s.takes(s.Repaired, name) }
	commits := map[string]int{}
	if churn != nil {
		all, _ := churn.Commits(ctx) // where it isn't known, the names tell
		for _, names := range all {
			for _, name := range names {
				commits[name]++
			}
		}
	}
	best := ""
	var walked int
	better := func(a, b string) int {
		return cmp.Or(cmp.Compare(commits[b], commits[a]), cmp.Compare(rank(a), rank(b)), cmp.Compare(strings.Count(a, "/"), strings.Count(b, "/")), cmp.Compare(a, b))
	}
	_ = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error { // what can't be read isn't edited
		walked++
		switch {
		case walked > mostFiles:
			return fs.SkipAll
		case err != nil:
			return nil
		case d.IsDir() && slices.Contains([]string{".git", "node_modules", "vendor"}, d.Name()):
			return fs.SkipDir
		case d.Type().IsRegular() && rank(name) >= 0 && takes(name) && (best == "" || better(name, best) < 0) && isText(files, name):
			best = name
		}
		return nil
	})
	return best
}

// rank is 0 for sources, 1 for what may be one, and -1 for what isn't edited.
func rank(name string) int {
	base := path.Base(name)
	switch {
	case ecosystem.IsManifest(base) || strings.HasPrefix(base, ".") || strings.Contains(base, "Dockerfile"):
		return -1
	case slices.Contains(sources, path.Ext(base)):
		return 0
	}
	return 1
}

func isText(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	if err != nil || info.Size() == 0 || info.Size() > mostBytes {
		return false
	}
	text, err := fs.ReadFile(files, name)
	return err == nil && utf8.Valid(text) && !bytes.Contains(text, []byte{0})
}

// takes reports whether a build of the file copies a file of the context.
func (s Subject) takes(file *dockerfile.File, name string) bool {
	return slices.ContainsFunc(s.fromContext(file), func(source string) bool { return facts.Takes(source, name) })
}

// readsContext reports whether the build as written needs its context.
func (s Subject) readsContext() bool { return len(s.fromContext(s.Written)) > 0 }

// fromContext are the places in the context that a build of the file reads.
func (s Subject) fromContext(file *dockerfile.File) (out []string) {
	for _, in := range s.instructions(file) {
		switch c := in.Command.(type) {
		case *instructions.CopyCommand:
			if c.From == "" {
				out = append(out, c.SourcePaths...)
			}
		case *instructions.AddCommand:
			out = append(out, c.SourcePaths...)
		case *instructions.RunCommand:
			for _, m := range in.Mounts() {
				if m.Type == instructions.MountTypeBind && m.From == "" {
					out = append(out, cmp.Or(m.Source, "."))
				}
			}
		}
	}
	return out
}
