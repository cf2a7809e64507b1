package analyze

import (
	"fmt"
	"slices"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// waste finds what layers ship and later ones bury.
func waste(e *evidence) []Finding {
	var out []Finding
	for _, g := range e.costs.graves {
		if g.bytes < leastBytes {
			continue
		}
		f := Finding{Severity: warning, Layer: g.shipped, Paths: largest(g.files), Files: len(g.files), Bytes: g.bytes}
		from, by, what := e.place(g.shipped), e.place(g.buried), count(len(g.files), "file")
		switch g.how {
		case deleted:
			f.Kind = "deleted-later"
			f.Rule = preventedBy(g.files)
			f.Message = fmt.Sprintf("%s ships %s in %s that %s deletes: the image is no smaller for it", from, size(g.bytes), what, by)
			f.Remedy = "Delete them in the instruction that makes them, keep them in a cache mount, or don't copy them"
		case recopied:
			f.Kind, f.Layer = "metadata-only", g.buried
			f.Message = fmt.Sprintf("%s ships %s in %s once more to change owner, mode or time, after %s", by, size(g.bytes), what, from)
			f.Remedy = "Use COPY --chown or --chmod, or change them in the instruction that makes them"
		case overwritten:
			f.Kind = "overwritten"
			f.Message = fmt.Sprintf("%s ships %s in %s that %s overwrites", from, size(g.bytes), what, by)
			f.Remedy = "Make them once: put both instructions together, or build in another stage and copy the result"
		}
		if g.shipped < e.base && g.how != recopied {
			f.Remedy = "They are the base image's: choose one without them"
		}
		out = append(out, f)
	}
	return out
}

// preventedBy is the lint rule that keeps such files out of the image.
func preventedBy(files []*image.File) string {
	for _, l := range leftoverKinds {
		if l.rule != "" && !slices.ContainsFunc(files, func(f *image.File) bool { return !l.is(f.Path) }) {
			return l.rule
		}
	}
	return ""
}

// duplicates finds contents that are in the image under several paths.
func duplicates(e *evidence) []Finding {
	f := Finding{Kind: "duplicate", Severity: info, Layer: -1, Paths: []string{}}
	for _, c := range e.costs.copies {
		f.Bytes += c.bytes
		f.Files += len(c.paths) - 1
		f.Layer = max(f.Layer, c.layer)
		if len(f.Paths) < mostPaths {
			f.Paths = append(f.Paths, c.paths[len(c.paths)-1])
		}
	}
	if f.Bytes < leastBytes {
		return nil
	}
	f.Message = fmt.Sprintf("%s have a content that is in the image already, %s in all; the costliest is %s", count(f.Files, "file"), size(f.Bytes), e.costs.copies[0].paths[0])
	f.Remedy = "Link to one of them, or leave the others out"
	return []Finding{f}
}
