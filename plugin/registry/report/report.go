// Package report is `docker imgmgr registry report`: the images of a registry and
// what they take, in all and for each team and environment.
//
// report.go makes the report of facts; each format has a file: json.go, text.go,
// markdown.go and html.go.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/registry/catalog"
)

// Report is what a registry has. Its JSON starts as the image-report.json of many
// home-made scripts does: total_images, total_size, images with tag, size, created.
type Report struct {
	Registry    string    `json:"registry"` // with the prefix, if there is one
	Taken       time.Time `json:"taken"`
	TotalImages int       `json:"total_images"` // different ones; an index is one
	TotalTags   int       `json:"total_tags"`
	// TotalSize is bytes in the registry, each blob counted once, with what refers
	// to images.
	TotalSize    int64    `json:"total_size"`
	Teams        []Total  `json:"teams"`
	Environments []Total  `json:"environments"`
	Repositories []Total  `json:"repositories"`
	Images       []Image  `json:"images"`
	Incomplete   []string `json:"incomplete,omitempty"` // repositories that could not be read whole, and why
}

// Total is what one team, environment or repository has.
type Total struct {
	Name   string `json:"name"`
	Images int    `json:"images"`
	Tags   int    `json:"tags"`
	// Size is bytes of its images, each blob counted once; what others have, too,
	// is in it. Own is the bytes that nobody else has: what would be freed.
	Size   int64     `json:"size"`
	Own    int64     `json:"own"`
	Newest time.Time `json:"newest,omitzero"`
}

// Image is one image.
type Image struct {
	Tag         string    `json:"tag"` // "HOST/REPOSITORY:TAG", its first; "HOST/REPOSITORY@DIGEST" where it has none
	Size        int64     `json:"size"`
	Created     time.Time `json:"created,omitzero"`
	Digest      string    `json:"digest"`
	Tags        []string  `json:"tags"`
	Team        string    `json:"team"`
	Environment string    `json:"environment"`
	Platforms   []string  `json:"platforms,omitempty"`
	Referrers   int       `json:"referrers"`
}

// None is the team or environment of what names none.
const None = "(none)"

// Grouping says which team and environment an image belongs to.
type Grouping struct {
	// Team is "path", the first element of the repository, or a label's name.
	Team string
	// Environment is a label's name.
	Environment string
}

// Make makes a report of facts.
func Make(inv *retention.Inventory, g Grouping) *Report {
	r := &Report{Registry: strings.TrimPrefix(inv.Place, "registry://"), Taken: inv.Taken,
		Teams: []Total{}, Environments: []Total{}, Repositories: []Total{}, Images: []Image{}}
	all := newSum()
	teams, environments, repositories := newSums(), newSums(), newSums()
	for _, repo := range catalog.Repositories(inv) {
		name := strings.TrimPrefix(repo.Name, inv.Host+"/")
		if repo.Incomplete != "" {
			r.Incomplete = append(r.Incomplete, fmt.Sprintf("%s: %s", name, repo.Incomplete))
		}
		for i := range repo.Images {
			found := &repo.Images[i]
			img := imageOf(found, name, g, inv.Taken)
			r.Images = append(r.Images, img)
			for _, s := range []*sum{all, teams.of(img.Team), environments.of(img.Environment), repositories.of(name)} {
				s.add(found, img)
			}
		}
	}
	r.TotalImages, r.TotalTags, r.TotalSize = all.Images, all.Tags, all.Size
	r.Teams, r.Environments, r.Repositories = teams.totals(), environments.totals(), repositories.totals()
	slices.SortStableFunc(r.Images, func(a, b Image) int { return cmp.Compare(b.Size, a.Size) })
	return r
}

func imageOf(found *catalog.Image, repository string, g Grouping, taken time.Time) Image {
	img := Image{Tag: found.Repository + "@" + found.Digest, Size: found.Size, Digest: found.Digest, Tags: found.Tags,
		Platforms: found.Platforms, Referrers: len(found.Referrers), Environment: label(found, g.Environment)}
	if len(found.Tags) > 0 {
		img.Tag = found.Repository + ":" + found.Tags[0]
	}
	if img.Tags == nil {
		img.Tags = []string{}
	}
	if found.Dated(taken) {
		img.Created = found.Created
	}
	img.Team, _, _ = strings.Cut(repository, "/")
	if g.Team != "path" {
		img.Team = label(found, g.Team)
	}
	return img
}

func label(found *catalog.Image, name string) string {
	return cmp.Or(found.Labels[name], None)
}

// sum adds images up.
type sum struct {
	Total
	blobs map[string]int64
}

func newSum() *sum { return &sum{blobs: map[string]int64{}} }

func (s *sum) add(found *catalog.Image, img Image) {
	s.Images++
	s.Tags += len(img.Tags)
	if img.Created.After(s.Newest) {
		s.Newest = img.Created
	}
	blobs := found.Blobs
	for _, ref := range found.Referrers {
		blobs = append(slices.Clip(blobs), ref.Blobs...)
	}
	for _, b := range blobs {
		if _, counted := s.blobs[b.Digest]; !counted {
			s.blobs[b.Digest] = b.Bytes
			s.Size += b.Bytes
		}
	}
}

// sums are those of all groups of one kind.
type sums map[string]*sum

func newSums() sums { return sums{} }

func (s sums) of(name string) *sum {
	if s[name] == nil {
		s[name] = newSum()
		s[name].Name = name
	}
	return s[name]
}

// totals are the groups, the largest first.
func (s sums) totals() []Total {
	owners := map[string]int{}
	for _, group := range s {
		for digest := range group.blobs {
			owners[digest]++
		}
	}
	out := make([]Total, 0, len(s))
	for _, group := range s {
		t := group.Total
		for digest, bytes := range group.blobs {
			if owners[digest] == 1 {
				t.Own += bytes
			}
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Total) int { return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Name, b.Name)) })
	return out
}
