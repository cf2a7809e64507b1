package findings

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// lockBytes is the longest lock file that is read.
const lockBytes = 16 << 20

// lockVisitor reads what npm writes down of what it has installed: the folders of
// packages that are needed for development only, relative to the project.
var lockVisitor = image.Visitor{
	Name: "npm-lock/1",
	Wants: func(f *image.File) bool {
		return f.Size <= lockBytes && (f.Path == "node_modules/.package-lock.json" || strings.HasSuffix(f.Path, "/node_modules/.package-lock.json"))
	},
	Read: func(_ *image.File, content io.Reader) ([]byte, error) {
		raw, err := io.ReadAll(content)
		if err != nil {
			return nil, err
		}
		var lock struct {
			Packages map[string]struct{ Dev bool }
		}
		if json.Unmarshal(raw, &lock) != nil {
			return nil, nil
		}
		folders := map[string]bool{}
		for folder, p := range lock.Packages {
			if p.Dev {
				folders[folder] = true
			}
		}
		return json.Marshal(folders)
	},
}

// development finds packages that npm installed for development only.
func development(e *Evidence) []report.Finding {
	var out []report.Finding
	for i, l := range e.Image.Layers {
		for _, note := range l.Notes[lockVisitor.Name] {
			folders := map[string]bool{}
			if e.Stacked.Fates[i][note.File].State != image.Live || json.Unmarshal(note.Data, &folders) != nil {
				continue
			}
			project := path.Dir(path.Dir(l.Files[note.File].Path))
			files, sum := inFolders(e.Stacked, project, folders)
			if sum < leastBytes {
				continue
			}
			out = append(out, report.Finding{
				Kind: "dev-dependencies", Severity: report.Warning, Layer: i, Paths: largest(files), Files: len(files), Bytes: sum,
				Message: fmt.Sprintf("%s ships %s of packages that npm calls devDependencies, in %s", e.place(i), ui.Size(sum), path.Join("/", project, "node_modules")),
				Remedy:  "Install with npm ci --omit=dev, in a stage of its own where the build needs them",
			})
		}
	}
	return out
}

// inFolders are the files below some folders of a project, but for those that a
// package inside has, which may be needed.
func inFolders(s *image.Stacked, project string, folders map[string]bool) (files []*image.File, sum int64) {
	const modules = "node_modules/"
	for entry := range s.All() {
		inside, ok := strings.CutPrefix(path.Join("/", entry.Path), strings.TrimSuffix(path.Join("/", project), "/")+"/")
		i := strings.LastIndex(inside, modules)
		if !ok || i < 0 || entry.Content == nil || entry.Content.Size == 0 {
			continue
		}
		end := i + len(modules)
		parts := strings.SplitN(inside[end:], "/", 3)
		folder := inside[:end] + parts[0]
		if strings.HasPrefix(parts[0], "@") && len(parts) > 1 {
			folder += "/" + parts[1]
		}
		if folders[folder] {
			files = append(files, entry.File)
			sum += entry.Content.Size
		}
	}
	return files, sum
}
