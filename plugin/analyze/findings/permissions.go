package findings

import (
	"fmt"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// permissions finds files that run as somebody else, and files that anybody may
// change.
func permissions(e *Evidence) []report.Finding {
	kinds := []struct {
		kind, message, remedy string
		is                    func(*image.File) bool
	}{
		{"setuid", "runs as its owner or group, whoever starts it", "Take the bits away, with COPY --chmod or in the same RUN, unless users have to become root",
			func(f *image.File) bool {
				return f.Type == image.Regular && f.Mode&(image.Setuid|image.Setgid) != 0 && f.Mode&0o111 != 0
			}},
		{"world-writable", "can be changed by any user", "Give it to the user that needs it: COPY --chown, or chmod o-w in the same RUN",
			func(f *image.File) bool {
				return f.Mode&0o002 != 0 && (f.Type == image.Regular || f.Type == image.Dir && f.Mode&image.Sticky == 0)
			}},
	}
	files := make([][][]*image.File, len(kinds)) // by kind and layer
	for i := range files {
		files[i] = make([][]*image.File, len(e.Layers))
	}
	for entry := range e.Stacked.All() {
		for i, k := range kinds {
			if entry.File != nil && k.is(entry.File) {
				files[i][entry.Layer] = append(files[i][entry.Layer], entry.File)
			}
		}
	}
	var out []report.Finding
	for kind, k := range kinds {
		for i, list := range files[kind] {
			if len(list) == 0 {
				continue
			}
			f := report.Finding{Kind: k.kind, Severity: report.Warning, Layer: i, Paths: largest(list), Files: len(list), Remedy: k.remedy}
			if i < e.Base {
				f.Severity = report.Info
			}
			f.Message = fmt.Sprintf("/%s %s; %s ships it", list[0].Path, k.message, e.place(i))
			if len(list) > 1 {
				f.Message = fmt.Sprintf("/%s %s, and so with %s more; %s ships them", list[0].Path, k.message, ui.Count(len(list)-1, "file"), e.place(i))
			}
			out = append(out, f)
		}
	}
	return out
}
