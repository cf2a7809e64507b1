// Package compare tells how an image differs from an older one: by files, packages
// and configuration, not by layers and times.
package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/platforms"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// mostChanges is how many paths a comparison lists.
const mostChanges = 50

// Images compares an image with an older one. Both reports are of the images.
func Images(now, old *image.Image, r, was *report.Report) *report.Comparison {
	c := &report.Comparison{
		With:            cmp.Or(was.Image.Name, was.Image.Source),
		ShippedBytes:    r.Totals.ShippedBytes - was.Totals.ShippedBytes,
		LiveBytes:       r.Totals.LiveBytes - was.Totals.LiveBytes,
		CompressedBytes: r.Totals.CompressedBytes - was.Totals.CompressedBytes,
		Paths:           []report.PathChange{},
		Setuid:          []string{},
	}
	to, from := live(now), live(old)
	for _, change := range files(to, from) {
		switch change.Change {
		case report.Added:
			c.Added++
		case report.Removed:
			c.Removed++
		default:
			c.Changed++
		}
		if setuid(to[change.Path]) && !setuid(from[change.Path]) {
			c.Setuid = append(c.Setuid, change.Path)
		}
		c.Paths = append(c.Paths, change)
	}
	slices.SortStableFunc(c.Paths, func(a, b report.PathChange) int { return cmp.Compare(max(b.Bytes, -b.Bytes), max(a.Bytes, -a.Bytes)) })
	c.Paths = c.Paths[:min(mostChanges, len(c.Paths))]
	c.Packages = packageChanges(r.Packages, was.Packages)
	c.Config = Config(now, old)
	c.Equal = len(c.Paths) == 0 && len(c.Config) == 0
	return c
}

// Files are all paths that differ, but for their times, by name.
func Files(now, old *image.Image) []report.PathChange { return files(live(now), live(old)) }

// live are an image's live paths.
func live(img *image.Image) map[string]image.Entry {
	out := map[string]image.Entry{}
	for e := range image.Stack(img.Layers).All() {
		out[e.Path] = e
	}
	return out
}

func files(now, old map[string]image.Entry) (out []report.PathChange) {
	for name, e := range now {
		was, there := old[name]
		if !there {
			out = append(out, report.PathChange{Path: name, Change: report.Added, Bytes: content(e)})
		} else if change := differs(e, was); change != "" {
			out = append(out, report.PathChange{Path: name, Change: change, Bytes: content(e) - content(was)})
		}
	}
	for name, e := range old {
		if _, there := now[name]; !there {
			out = append(out, report.PathChange{Path: name, Change: report.Removed, Bytes: -content(e)})
		}
	}
	slices.SortFunc(out, func(a, b report.PathChange) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

func content(e image.Entry) int64 {
	if e.Content == nil {
		return 0
	}
	return e.Content.Size
}

func setuid(e image.Entry) bool {
	return e.Content != nil && e.Content.Type == image.Regular && e.Content.Mode&(image.Setuid|image.Setgid) != 0
}

// differs says in what two entries of a path differ, but for their times.
func differs(a, b image.Entry) string {
	x, y := a.Content, b.Content
	if x == nil || y == nil {
		if (x == nil) != (y == nil) {
			return report.Metadata // a folder that one of them doesn't list
		}
		return ""
	}
	switch {
	case x.Type != y.Type || x.Size != y.Size || x.Hash != y.Hash || x.Link != y.Link:
		return report.Content
	case x.Mode != y.Mode || x.UID != y.UID || x.GID != y.GID || x.Major != y.Major || x.Minor != y.Minor || !maps.Equal(x.Xattrs, y.Xattrs):
		return report.Metadata
	}
	return ""
}

// packageChanges compares versions by name. Several versions of one package
// count as one that has them all.
func packageChanges(now, old []report.Package) []report.PackageChange {
	type key struct{ kind, name string }
	versions := func(list []report.Package) map[key]string {
		out := map[key]string{}
		for _, p := range list {
			k := key{p.Type, p.Name}
			if out[k] != "" {
				out[k] += ", "
			}
			out[k] += p.Version
		}
		return out
	}
	to, from := versions(now), versions(old)
	out := []report.PackageChange{}
	for k, v := range to {
		if from[k] != v {
			out = append(out, report.PackageChange{Type: k.kind, Name: k.name, From: from[k], To: v})
		}
	}
	for k, v := range from {
		if _, there := to[k]; !there {
			out = append(out, report.PackageChange{Type: k.kind, Name: k.name, From: v})
		}
	}
	slices.SortFunc(out, func(a, b report.PackageChange) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// Config are the fields of the configuration that differ. The history isn't one.
func Config(now, old *image.Image) []report.ConfigChange {
	a, b := now.Config.Config, old.Config.Config
	out := []report.ConfigChange{}
	for _, f := range []struct {
		name     string
		now, old any
	}{
		{"Platform", platforms.Format(now.Platform), platforms.Format(old.Platform)}, {"User", a.User, b.User}, {"WorkingDir", a.WorkingDir, b.WorkingDir},
		{"Entrypoint", a.Entrypoint, b.Entrypoint}, {"Cmd", a.Cmd, b.Cmd}, {"Env", a.Env, b.Env}, {"Labels", a.Labels, b.Labels},
		{"ExposedPorts", a.ExposedPorts, b.ExposedPorts}, {"Volumes", a.Volumes, b.Volumes}, {"StopSignal", a.StopSignal, b.StopSignal},
		{"Shell", a.Shell, b.Shell}, {"OnBuild", a.OnBuild, b.OnBuild},
		{"Healthcheck", healthcheck(now), healthcheck(old)},
	} {
		if to, from := fmt.Sprint(f.now), fmt.Sprint(f.old); to != from {
			out = append(out, report.ConfigChange{Field: f.name, From: from, To: to})
		}
	}
	return out
}

func healthcheck(img *image.Image) string {
	if h := img.Config.Config.Healthcheck; h != nil {
		return fmt.Sprint(*h)
	}
	return ""
}
