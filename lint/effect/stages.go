package effect

import (
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// Taking is a place that an instruction takes from the files of another stage.
type Taking struct {
	In   *dockerfile.Instruction // COPY, RUN, or an ONBUILD of one
	From *dockerfile.Stage
	// Path is a file or a folder with all below it; "" where it isn't known. Of a
	// pattern it is the folder.
	Path string
}

// Takings are what the instructions of a file take from its stages by COPY
// --from and RUN --mount=from. A stage that starts from another one has all of
// its files, and so has an image that is made of it; [dockerfile.Stage.Lineage]
// and [dockerfile.File.Final] say which do.
func Takings(f *dockerfile.File, world func(*dockerfile.Instruction) World) []Taking {
	var list []Taking
	for _, st := range f.Stages {
		for _, in := range st.Instructions {
			list = append(list, takings(f, in, world)...)
		}
	}
	return list
}

func takings(f *dockerfile.File, in *dockerfile.Instruction, world func(*dockerfile.Instruction) World) []Taking {
	sources := f.Sources(in)
	if len(sources) == 0 {
		return nil
	}
	var list []Taking
	switch c := in.Command.(type) {
	case *instructions.CopyCommand:
		w := world(in)
		for _, src := range c.SourcePaths {
			list = append(list, Taking{in, sources[0], w.source(src)})
		}
	case *instructions.RunCommand:
		for _, m := range Mounts(in, world(in)) {
			if from := f.Stage(m.From); from != nil {
				t := Taking{In: in, From: from}
				if !m.Open {
					t.Path = path.Clean("/" + m.Source)
				}
				list = append(list, t)
			}
		}
	default: // a trigger: it runs in another build
		for _, from := range sources {
			list = append(list, Taking{In: in, From: from})
		}
	}
	return list
}

// source is what a source of COPY names in the tree it is copied from.
func (w World) source(word string) string {
	p, ok := w.expand(word)
	if !ok {
		return ""
	}
	if i := strings.IndexAny(p, "*?["); i >= 0 {
		p = path.Dir(p[:i] + "x")
	}
	return path.Clean("/" + p)
}
