// Package shared counts what images have in common: a layer that two of them
// have is stored once, and goes only when both are gone.
package shared

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/imgmgr/imgmgr/plugin/ui"
)

// Layer is a layer by what tells it from others. Bytes are those that it takes
// where it is stored: compressed in a registry.
type Layer struct {
	ID    string
	Bytes int64
}

// Image is an image by its names: tags of the same ID are one image.
type Image struct {
	Names  []string
	ID     string
	Layers []Layer
}

// Report is what images cost together. All sizes are in bytes.
type Report struct {
	Version int   `json:"version"`
	Stored  int64 `json:"storedBytes"` // each layer once
	Shared  int64 `json:"sharedBytes"` // the part of it that several images have
	// Images are sorted by what removing one of them alone gives back.
	Images []Row `json:"images"`
	// Unread are images that could not be read: what they share isn't known.
	Unread []Unread `json:"unread"`
}

// Row is one image's share.
type Row struct {
	Names  []string `json:"names"`
	ID     string   `json:"id"`
	Layers int      `json:"layers"`
	Bytes  int64    `json:"bytes"`
	Shared int64    `json:"sharedBytes"`
	Unique int64    `json:"uniqueBytes"` // that no other image has
}

// Unread is an image that could not be read.
type Unread struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

// Count counts what images share. A layer that an image has twice counts once.
func Count(images []Image, unread []Unread) *Report {
	r := &Report{Version: 1, Images: []Row{}, Unread: append([]Unread{}, unread...)}
	owners := map[string]int{}
	one := together(images)
	for i := range one {
		slices.SortFunc(one[i].Layers, func(a, b Layer) int { return strings.Compare(a.ID, b.ID) })
		one[i].Layers = slices.CompactFunc(one[i].Layers, func(a, b Layer) bool { return a.ID == b.ID })
		for _, l := range one[i].Layers {
			if owners[l.ID]++; owners[l.ID] == 1 {
				r.Stored += l.Bytes
			} else if owners[l.ID] == 2 {
				r.Shared += l.Bytes
			}
		}
	}
	for _, img := range one {
		row := Row{Names: img.Names, ID: img.ID, Layers: len(img.Layers)}
		for _, l := range img.Layers {
			row.Bytes += l.Bytes
			if owners[l.ID] > 1 {
				row.Shared += l.Bytes
			}
		}
		row.Unique = row.Bytes - row.Shared
		r.Images = append(r.Images, row)
	}
	slices.SortFunc(r.Images, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Unique, a.Unique), cmp.Compare(b.Bytes, a.Bytes), slices.Compare(a.Names, b.Names))
	})
	return r
}

// together makes one image of those with the same ID.
func together(images []Image) (out []Image) {
	index := map[string]int{}
	for _, img := range images {
		i, known := index[img.ID]
		if !known {
			index[img.ID] = len(out)
			out = append(out, Image{Names: slices.Clone(img.Names), ID: img.ID, Layers: slices.Clone(img.Layers)})
			continue
		}
		out[i].Names = append(out[i].Names, img.Names...)
	}
	for i := range out {
		slices.Sort(out[i].Names)
	}
	return out
}

// Text prints a table for people.
func Text(out ui.Output, r *Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "UNIQUE\tSHARED\tBYTES\tLAYERS\tIMAGE")
	for _, row := range r.Images {
		name := ui.Plain(row.Names[0])
		if more := len(row.Names) - 1; more > 0 {
			name += fmt.Sprintf(" and %s", ui.Count(more, "other name"))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", ui.Size(row.Unique), ui.Size(row.Shared), ui.Size(row.Bytes), row.Layers, name)
	}
	fmt.Fprintf(w, "\n%s in %s, %s of it in several\n", ui.Size(r.Stored), ui.Count(len(r.Images), "image"), ui.Size(r.Shared))
	for _, u := range r.Unread {
		fmt.Fprintf(w, "not read: %s: %s\n", ui.Plain(u.Name), ui.Plain(u.Error))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the images: %w", err)
	}
	return nil
}
