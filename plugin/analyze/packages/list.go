package packages

import (
	"cmp"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// List are those that the live records list, by the layer that first had that
// version of it. The last layer to write a record is not that one: it writes those
// of all packages again. Their bytes are those of their files that are live, where
// a list of them is, and what the record says otherwise.
func List(layers []*image.Layer, stacked *image.Stacked, based int) []report.Package {
	out := []report.Package{}
	for _, m := range managers {
		out = append(out, m.list(layers, stacked, based)...)
	}
	slices.SortFunc(out, func(a, b report.Package) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return out
}

// installed is a package and where its files are.
type installed struct {
	report.Package
	keys    []string
	files   []string
	folders []string
}

// version is a version of a package.
type version struct{ name, version string }

func (m *manager) list(layers []*image.Layer, stacked *image.Stacked, based int) []report.Package {
	index, first, lists := map[version]*installed{}, map[version]int{}, map[string][]string{}
	var order []*installed
	for _, r := range m.records(layers) {
		key := version{r.Name, r.Version}
		if _, seen := first[key]; !seen {
			first[key] = r.layer
		}
		if stacked.Fates[r.layer][r.file].State != image.Live {
			continue
		}
		if r.Name == "" {
			lists[r.Key] = append(lists[r.Key], r.Files...)
			continue
		}
		p := index[key]
		if p == nil {
			p = &installed{Package: report.Package{Type: m.kind, Name: r.Name, Version: r.Version, Layer: first[key], Base: first[key] < based}}
			index[key] = p
			order = append(order, p)
		}
		p.add(r.record)
	}
	inFolders := folders(order, stacked)
	out := make([]report.Package, len(order))
	for i, p := range order {
		if bytes, known := p.live(lists, inFolders, stacked); known {
			p.Bytes = bytes
		}
		out[i] = p.Package
	}
	return out
}

// placed is a record, and the file that it is of.
type placed struct {
	record
	layer, file int
}

// records are what a manager wrote down, layer by layer.
func (m *manager) records(layers []*image.Layer) []placed {
	var out []placed
	for i, l := range layers {
		for _, note := range l.Notes[m.visitor().Name] {
			var found []record
			if json.Unmarshal(note.Data, &found) != nil {
				continue // from a damaged cache
			}
			for _, r := range found {
				out = append(out, placed{r, i, note.File})
			}
		}
	}
	return out
}

// add adds another record of the package: of another place, or another architecture.
func (p *installed) add(r record) {
	p.Bytes += r.Bytes
	p.files = append(p.files, r.Files...)
	if r.Key != "" {
		p.keys = append(p.keys, r.Key)
	}
	if r.Folder != "" {
		p.folders = append(p.folders, r.Folder)
	}
}

// live are the bytes of the package's files, each content once; false if nothing
// lists them.
func (p *installed) live(lists map[string][]string, folders map[string]int64, stacked *image.Stacked) (bytes int64, known bool) {
	for _, folder := range p.folders {
		bytes, known = bytes+folders[folder], true
	}
	files := p.files
	for _, key := range p.keys {
		files = append(files, lists[key]...)
	}
	seen := map[*image.File]bool{}
	for _, name := range files {
		entry, ok := stacked.Resolve(path.Dir(path.Join("/", name)))
		if !ok {
			continue
		}
		entry, ok = stacked.Lookup(path.Join(entry.Path, path.Base(name)))
		if ok && entry.Content != nil && !seen[entry.Content] {
			seen[entry.Content] = true
			bytes += entry.Content.Size
		}
	}
	return bytes, known || len(files) > 0
}

// folders are the bytes of folders that are packages, without those of packages
// inside them.
func folders(packages []*installed, stacked *image.Stacked) map[string]int64 {
	out := map[string]int64{}
	for _, p := range packages {
		for _, f := range p.folders {
			out[f] = 0
		}
	}
	if len(out) == 0 {
		return out
	}
	for e := range stacked.All() {
		if e.Content == nil || e.Content.Size == 0 || !strings.Contains(e.Path, "node_modules/") {
			continue
		}
		if folder, ok := nodePackage(e.Path); ok {
			if sum, is := out[folder]; is {
				out[folder] = sum + e.Content.Size
			}
		}
	}
	return out
}
