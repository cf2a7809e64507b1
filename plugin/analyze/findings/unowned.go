package findings

import (
	"fmt"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// unowned finds files of users that the image doesn't know. Without a list of
// users, as in images from scratch, there is nothing to say.
func unowned(e *Evidence) []report.Finding {
	known := map[string]bool{}
	for i, l := range e.Image.Layers {
		for _, note := range l.Notes[accountVisitor.Name] {
			if l.Files[note.File].Path != "etc/passwd" || e.Stacked.Fates[i][note.File].State != image.Live {
				continue
			}
			for _, a := range identities(note.Data) {
				known[a.ID] = true
			}
		}
	}
	if len(known) == 0 {
		return nil
	}
	files := make([][]*image.File, len(e.Layers))
	for entry := range e.Stacked.All() {
		if entry.File != nil && !known[fmt.Sprint(entry.File.UID)] {
			files[entry.Layer] = append(files[entry.Layer], entry.File)
		}
	}
	var out []report.Finding
	for i, list := range files {
		if len(list) == 0 {
			continue
		}
		out = append(out, report.Finding{
			Kind: "unowned", Severity: report.Info, Layer: i, Paths: largest(list), Files: len(list),
			Message: fmt.Sprintf("%s ships %s of users that /etc/passwd doesn't list, /%s of number %d among them", e.place(i), ui.Count(len(list), "file"), list[0].Path, list[0].UID),
			Remedy:  "Copy with --chown, or unpack with --no-same-owner; or add the user",
		})
	}
	return out
}
