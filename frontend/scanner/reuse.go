package scanner

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/anchore/stereoscope/pkg/file"
	"github.com/anchore/syft/syft/format/common/spdxhelpers"
	"github.com/anchore/syft/syft/sbom"
	"github.com/bmatcuk/doublestar/v4"
	"github.com/spdx/tools-golang/spdx"
)

// A scan that is kept holds, beside the SBOM, what it asked of its root. The
// scan of an image that was built onto that root then asks for what the changes
// can have changed, and takes the rest over.
//
// The measure is the scan of the whole image: the documents are equal, byte for
// byte. Whatever might make them differ has the whole image scanned. So what
// counts as a change of no consequence is listed here, and nothing else is:
//
//   - files that none of the patterns match by which the catalogers look for files;
//   - files of a catalogers' kind that looks at each file by itself (additive).

// additive are the catalogers to which one file is one matter: what they find in
// it depends on no other.
var additive = map[string]bool{
	"java-archive-cataloger":           true,
	"javascript-package-cataloger":     true,
	"go-module-binary-cataloger":       true,
	"cargo-auditable-binary-cataloger": true,
}

// distribution are the files that tell the distribution, in the order in which
// syft tries them until one does. Additive catalogers don't care for it.
var distribution = map[string]bool{
	"/etc/os-release":         true,
	"/usr/lib/os-release":     true,
	"/etc/system-release-cpe": true,
	"/etc/redhat-release":     true,
	"/bin/busybox":            true,
}

// memory is what a kept scan leaves beside the SBOM.
type memory struct {
	Version string // of imgmgr
	Asked   *asked
	Links   map[string]link
	Names   map[string]bool // of all directories and links
	// Top is the step that gave the root, and Origins are those of its packages
	// by their keys: see origins. None are known where that failed.
	Top     string
	Origins map[string]origin
}

// memoryFile is its name.
const memoryFile = "memory.json"

// rescan is why the whole root has to be scanned.
type rescan string

func (r rescan) Error() string { return string(r) }

// reuse scans root, which was built onto below, with the help of the scan of
// below.
type reuse struct {
	root, below, changed string
	kept                 *memory
	doc                  *spdx.Document

	changes map[string]bool // see the function changes
	scan    map[string]bool // the files that are to be cataloged
	gone    map[string]bool // the files whose packages no longer count
	asked   *asked          // of the files in scan
	ways    map[string]bool // by which links led to files, with their directories
}

// recall reads the scan of what lies below. It returns nil where there is none.
func recall(env func(string) string, t target, version string) (*reuse, error) {
	dir, changed := env(EnvBelow), env(EnvChanged)
	if dir == "" || changed == "" {
		return nil, nil
	}
	u := &reuse{root: t.root, below: filepath.Join(dir, "root"), changed: changed, kept: &memory{}}
	text, err := os.ReadFile(filepath.Join(dir, "scan", memoryFile))
	if err != nil {
		return nil, rescan("there is no scan of what lies below")
	}
	if err := json.Unmarshal(text, u.kept); err != nil || u.kept.Version != version || u.kept.Asked == nil {
		return nil, rescan("the scan of what lies below is of another version")
	}
	if text, err = os.ReadFile(filepath.Join(dir, "scan", t.name+suffix)); err != nil {
		return nil, rescan("there is no SBOM of what lies below")
	}
	var s struct {
		Predicate *spdx.Document `json:"predicate"`
	}
	if err := json.Unmarshal(text, &s); err != nil || s.Predicate == nil {
		return nil, fmt.Errorf("read the SBOM of what lies below: %w", err)
	}
	u.doc = s.Predicate
	return u, nil
}

// document is the SBOM of the root. The error is a rescan where only the scan
// of the whole can tell what is in it.
func (u *reuse) document(ctx context.Context, name string, prepare preparer) (*spdx.Document, error) {
	if err := u.check(ctx); err != nil {
		return nil, err
	}
	if !drop(u.doc, u.gone) {
		return nil, rescan("a package is proven by files that changed and others that did not")
	}
	u.asked = newAsked()
	if len(u.scan) > 0 {
		bom, err := u.catalog(ctx, name, prepare)
		if err != nil {
			return nil, err
		}
		add(u.doc, spdxhelpers.ToFormatModel(*bom))
	}
	verify(u.doc)
	return u.doc, nil
}

// catalog scans the changed files that matter.
func (u *reuse) catalog(ctx context.Context, name string, prepare preparer) (*sbom.SBOM, error) {
	ctx, err := prepare(ctx)
	if err != nil {
		return nil, err
	}
	leaks, err := findLeaks(ctx, u.changed)
	if err != nil {
		return nil, err
	}
	r := &recorder{shown: u.scan, asked: u.asked}
	bom, err := catalog(ctx, u.changed, name, leaks, r)
	if err != nil {
		return nil, err
	}
	for p := range bom.Artifacts.Packages.Enumerate() {
		if !additive[p.FoundBy] {
			return nil, rescan(fmt.Sprintf("%s is of a kind that other files have a part in", p.Name))
		}
	}
	if err := u.answered(); err != nil {
		return nil, err
	}
	return bom, digestEvidence(ctx, u.changed, bom)
}

// answered reports whether the whole root would have answered all questions as
// the changes did.
func (u *reuse) answered() error {
	for name := range u.asked.Lookups {
		if _, ok := u.kept.Asked.Lookups[name]; ok || u.scan[name] || distribution[name] {
			continue // answered before, and checked; or of no consequence
		}
		if _, info := resolve(u.root, name); info != nil {
			return rescan(name + " was looked for, and is there")
		}
	}
	for glob := range u.asked.Globs {
		dir, ok := listing(glob)
		switch {
		case ok && u.scan[path.Join(dir, "package.json")]:
			entries, err := os.ReadDir(filepath.Join(u.root, dir))
			if err != nil {
				return err
			}
			for _, e := range entries {
				if name := path.Join(dir, e.Name()); licence(e.Name()) && !u.scan[name] {
					return rescan(name + " may be the license of a package that changed")
				}
			}
		case !u.kept.Asked.Globs[glob] && !u.complete(glob):
			return rescan("a scan looks for " + glob + " besides")
		}
	}
	return nil
}

// complete reports whether a pattern matches no more files of the root than of
// those that were scanned: there was no directory of the name that it asks for.
func (u *reuse) complete(glob string) bool {
	dir := path.Base(path.Dir(glob))
	if strings.ContainsAny(dir, `*?[{\`) || u.kept.Names[dir] {
		return false
	}
	for name := range u.changes {
		if ok, err := doublestar.Match(glob, name); !u.scan[name] && (ok || err != nil) {
			return false
		}
	}
	return true
}

// remember is what a scan of the root would have left beside the SBOM.
func (u *reuse) remember(ctx context.Context) (*memory, error) {
	found, names, err := links(ctx, u.root)
	if err != nil {
		return nil, err
	}
	all := u.kept.Asked
	maps.DeleteFunc(all.Paths, func(name string, _ bool) bool { return u.gone[name] })
	for name, there := range u.asked.Lookups {
		if !all.Lookups[name] {
			all.Lookups[name] = there
		}
	}
	maps.Copy(all.Globs, u.asked.Globs)
	maps.Copy(all.Types, u.asked.Types)
	maps.Copy(all.Paths, u.asked.Paths)
	maps.Copy(all.Access, u.asked.Access)
	return &memory{Version: u.kept.Version, Asked: all, Links: found, Names: names}, nil
}

// licence reports whether syft might take a file of this name for a license.
func licence(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"licen", "copying", "notice", "al2.0", "lgpl2.1"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// mediaType is how syft tells files apart by their content.
func mediaType(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return file.MIMEType(f), nil
}

// patterns are what a scan looked for, sorted by how it is looked up.
type patterns struct {
	names    map[string]bool // "**/NAME"
	listings map[string]bool // "DIR/*"
	others   []string
}

func sortPatterns(globs map[string]bool) patterns {
	p := patterns{names: map[string]bool{}, listings: map[string]bool{}}
	for g := range globs {
		name, ok := strings.CutPrefix(g, "**/")
		if ok && !strings.ContainsAny(name, `/*?[{\`) {
			p.names[name] = true
		} else if dir, ok := listing(g); ok {
			p.listings[dir] = true
		} else {
			p.others = append(p.others, g)
		}
	}
	slices.Sort(p.others)
	return p
}

// match reports whether a file is looked for by patterns of its kind, and the
// pattern, if there is one, that looks for it together with other files. A
// listing of a directory is neither.
func (p patterns) match(name string) (alone bool, together string) {
	base := path.Base(name)
	found := p.others
	if p.names[base] {
		found = append([]string{"**/" + base}, found...)
	}
	for _, g := range found {
		if ok, err := doublestar.Match(g, name); !ok && err == nil {
			continue
		}
		if !perFile(g) {
			return false, g
		}
		alone = true
	}
	return alone, ""
}

// perFile reports whether the cataloger that looks for a pattern reads each file
// by itself: a package.json or an archive.
func perFile(pattern string) bool {
	return pattern == manifests || slices.Contains(archives, strings.TrimPrefix(pattern, "**/*."))
}

// archives are the extensions that syft's cataloger of Java archives looks for.
var archives = []string{"jar", "war", "ear", "par", "sar", "nar", "kar", "jpi", "hpi", "lpkg", "zip"}

// fileAt is the regular file at a path, not behind a link; nil if there is none.
func fileAt(root, name string) fs.FileInfo {
	info, err := os.Lstat(filepath.Join(root, name))
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return info
}
