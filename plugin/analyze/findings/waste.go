package findings

import (
	"fmt"
	"slices"

	"github.com/imgmgr/imgmgr/plugin/analyze/cost"
	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// waste finds what layers ship and later ones bury.
func waste(e *Evidence) []report.Finding {
	var out []report.Finding
	for _, g := range e.Costs.Graves {
		if g.Bytes < leastBytes {
			continue
		}
		f := report.Finding{Severity: report.Warning, Layer: g.Shipped, Paths: largest(g.Files), Files: len(g.Files), Bytes: g.Bytes}
		from, by, what := e.place(g.Shipped), e.place(g.Buried), ui.Count(len(g.Files), "file")
		switch g.How {
		case cost.Deleted:
			f.Kind = "deleted-later"
			f.Rule = preventedBy(g.Files)
			f.Message = fmt.Sprintf("%s ships %s in %s that %s deletes: the image is no smaller for it", from, ui.Size(g.Bytes), what, by)
			f.Remedy = "Delete them in the instruction that makes them, keep them in a cache mount, or don't copy them"
		case cost.Recopied:
			f.Kind, f.Layer = "metadata-only", g.Buried
			f.Message = fmt.Sprintf("%s ships %s in %s once more to change owner, mode or time, after %s", by, ui.Size(g.Bytes), what, from)
			f.Remedy = "Use COPY --chown or --chmod, or change them in the instruction that makes them"
		case cost.Overwritten:
			f.Kind = "overwritten"
			f.Message = fmt.Sprintf("%s ships %s in %s that %s overwrites", from, ui.Size(g.Bytes), what, by)
			f.Remedy = "Make them once: put both instructions together, or build in another stage and copy the result"
		}
		if g.Shipped < e.Base && g.How != cost.Recopied {
			f.Remedy = "They are the base image's: another one may not have them"
			if g.How == cost.Overwritten { // as the records of packages are, by every installation
				f.Severity = report.Info
			}
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
func duplicates(e *Evidence) []report.Finding {
	f := report.Finding{Kind: "duplicate", Severity: report.Info, Layer: -1, Paths: []string{}}
	for _, c := range e.Costs.Copies {
		f.Bytes += c.Bytes
		f.Files += len(c.Paths) - 1
		if len(f.Paths) < mostPaths {
			f.Paths = append(f.Paths, c.Paths[len(c.Paths)-1])
		}
	}
	if f.Bytes < leastBytes {
		return nil
	}
	f.Layer = e.Costs.Copies[0].Layer
	f.Message = fmt.Sprintf("%s have a content that is in the image already, %s in all; the costliest is /%s", ui.Count(f.Files, "file"), ui.Size(f.Bytes), e.Costs.Copies[0].Paths[0])
	f.Remedy = "Link to one of them, or leave the others out"
	return []report.Finding{f}
}
