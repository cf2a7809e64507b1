// Package packages finds what package managers have installed in an image. One
// file is one manager.
package packages

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// manager is a package manager, by the records that it keeps of what it has
// installed. One file is one manager.
type manager struct {
	kind string // the type of its package URLs: "deb"
	// records tells a file that has records of packages.
	records func(path string) bool
	// parse reads such a file. What it can't make sense of it leaves out.
	parse func(content []byte) []record
}

// managers are all that are known.
var managers = []*manager{dpkg, apk, npm, python}

// record is a package as its manager has it.
type record struct {
	Name    string
	Version string
	Bytes   int64 `json:",omitempty"`
}

// recordBytes is the longest file of records that is read.
const recordBytes = 64 << 20

// Visitors read the records of all managers as layers flow by.
func Visitors() []image.Visitor {
	var out []image.Visitor
	for _, m := range managers {
		out = append(out, m.visitor())
	}
	return out
}

// visitor reads records as layers flow by.
func (m *manager) visitor() image.Visitor {
	return image.Visitor{
		Name:  m.kind + "/1",
		Wants: func(f *image.File) bool { return f.Size <= recordBytes && m.records(f.Path) },
		Read: func(_ *image.File, content io.Reader) ([]byte, error) {
			raw, err := io.ReadAll(content)
			if err != nil {
				return nil, err
			}
			found := m.parse(raw)
			if len(found) == 0 {
				return nil, nil
			}
			return json.Marshal(found)
		},
	}
}

// List are those that the live records list, by the layer that first had
// that version of it. The last layer to write a record is not that one: it
// writes those of all packages again.
func List(layers []*image.Layer, stacked *image.Stacked, based int) []report.Package {
	out := []report.Package{}
	for _, m := range managers {
		index, first := map[record]int{}, map[record]int{}
		for i, l := range layers {
			for _, note := range l.Notes[m.visitor().Name] {
				var found []record
				if json.Unmarshal(note.Data, &found) != nil {
					continue // from a damaged cache
				}
				for _, r := range found {
					key := record{Name: r.Name, Version: r.Version}
					if _, seen := first[key]; !seen {
						first[key] = i
					}
					if stacked.Fates[i][note.File].State != image.Live {
						continue
					}
					at, seen := index[key]
					if !seen {
						at = len(out)
						index[key] = at
						out = append(out, report.Package{Type: m.kind, Name: r.Name, Version: r.Version, Layer: first[key], Base: first[key] < based})
					}
					out[at].Bytes += r.Bytes
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b report.Package) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return out
}
