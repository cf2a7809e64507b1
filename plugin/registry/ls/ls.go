// Package ls is `docker imgmgr registry ls`: what a registry has.
//
// ls.go makes rows of facts, filter.go chooses among them, command.go fetches and
// prints.
package ls

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/imgmgr/imgmgr/plugin/registry/catalog"
	"github.com/imgmgr/imgmgr/plugin/registry/table"
)

// Row is one tag of an image, or an image without any.
type Row struct {
	Repository   string            `json:"repository"` // with the registry's host
	Tag          string            `json:"tag,omitempty"`
	Digest       string            `json:"digest"`
	Kind         string            `json:"kind"`
	Platforms    []string          `json:"platforms,omitempty"`
	Created      time.Time         `json:"created,omitzero"` // absent where no plausible date is known
	Size         table.Bytes       `json:"size"`             // bytes in the registry, of all platforms
	Labels       map[string]string `json:"labels,omitempty"`
	Attestations int               `json:"attestations,omitempty"`
	Referrers    []string          `json:"referrers,omitempty"` // digests
	Missing      []string          `json:"missing,omitempty"`   // digests of parts that aren't there
}

// Summary is one repository.
type Summary struct {
	Repository string      `json:"repository"` // with the registry's host
	Tags       int         `json:"tags"`
	Images     int         `json:"images"` // different ones
	Size       table.Bytes `json:"size"`   // bytes of all images, each blob counted once
	Newest     time.Time   `json:"newest,omitzero"`
	Incomplete string      `json:"incomplete,omitempty"` // why not all of it is known
}

// Rows are the tags of images.
func Rows(repositories []catalog.Repository, now time.Time) []Row {
	var rows []Row
	for _, repo := range repositories {
		for i := range repo.Images {
			rows = append(rows, rowsOf(&repo.Images[i], now)...)
		}
	}
	return rows
}

func rowsOf(img *catalog.Image, now time.Time) []Row {
	row := Row{
		Repository: img.Repository, Digest: img.Digest, Kind: string(img.Kind), Platforms: img.Platforms,
		Size: table.Bytes(img.Size), Labels: img.Labels, Attestations: img.Attestations, Missing: img.Missing,
	}
	if img.Dated(now) {
		row.Created = img.Created
	}
	for _, r := range img.Referrers {
		row.Referrers = append(row.Referrers, r.Digest)
	}
	if len(img.Tags) == 0 {
		return []Row{row}
	}
	var rows []Row
	for _, tag := range img.Tags {
		row.Tag = tag
		rows = append(rows, row)
	}
	return rows
}

// Summaries are one row a repository.
func Summaries(repositories []catalog.Repository, now time.Time) []Summary {
	out := make([]Summary, 0, len(repositories))
	for _, repo := range repositories {
		s := Summary{Repository: repo.Name, Incomplete: repo.Incomplete, Images: len(repo.Images)}
		counted := map[string]bool{}
		for i := range repo.Images {
			img := &repo.Images[i]
			s.Tags += len(img.Tags)
			for _, b := range img.Blobs {
				if !counted[b.Digest] {
					counted[b.Digest] = true
					s.Size += table.Bytes(b.Bytes)
				}
			}
			if img.Dated(now) && img.Created.After(s.Newest) {
				s.Newest = img.Created
			}
		}
		out = append(out, s)
	}
	return out
}

// orders are what --sort takes; a "-" before it turns the order round.
func orders() map[string]func(a, b Row) int {
	return map[string]func(a, b Row) int{
		"name":    func(a, b Row) int { return 0 },
		"created": func(a, b Row) int { return b.Created.Compare(a.Created) },
		"size":    func(a, b Row) int { return cmp.Compare(b.Size, a.Size) },
	}
}

// Sort sorts rows: by name, by created (newest first) or by size (largest first).
// Rows that are equal in that are sorted by name.
func Sort(rows []Row, by string) {
	by, reverse := strings.CutPrefix(by, "-")
	order := orders()[by]
	slices.SortStableFunc(rows, func(a, b Row) int {
		c := cmp.Or(order(a, b), cmp.Compare(a.Repository, b.Repository), compareTags(a.Tag, b.Tag), cmp.Compare(a.Digest, b.Digest))
		if reverse {
			return -c
		}
		return c
	})
}

// compareTags puts images without a tag last.
func compareTags(a, b string) int {
	if (a == "") != (b == "") {
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}
