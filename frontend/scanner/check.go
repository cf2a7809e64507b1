package scanner

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
)

// noNix is the answer to packages of Nix.
const noNix = rescan("packages of Nix are directories, of which no list is kept")

// check finds out what of the changes has to be scanned, and whether that is
// all that the scan of the whole would see differently.
func (u *reuse) check(ctx context.Context) (err error) {
	if u.changes, err = changes(ctx, u.changed, u.below); err != nil {
		return err
	}
	u.scan, u.gone = map[string]bool{}, map[string]bool{}
	if u.kept.Names["nix"] {
		return noNix
	}
	for _, step := range []func() error{u.checkLinks, u.checkLookups, u.checkPaths} {
		if err := step(); err != nil {
			return err
		}
	}
	p := sortPatterns(u.kept.Asked.Globs)
	for name, isLink := range u.changes {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := u.judge(p, name, isLink); err != nil {
			return err
		}
	}
	return u.addLicenses()
}

// addLicenses has the licenses beside a package.json scanned with it.
func (u *reuse) addLicenses() error {
	for name := range maps.Clone(u.scan) {
		if path.Base(name) != path.Base(manifests) {
			continue
		}
		dir := path.Dir(name)
		entries, err := os.ReadDir(filepath.Join(u.changed, dir))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if licence(e.Name()) && e.Type().IsRegular() {
				u.scan[path.Join(dir, e.Name())] = true
			}
		}
	}
	return nil
}

// checkLinks sees to it that each file has the same paths as before, and each
// new one the one path by which it is known.
func (u *reuse) checkLinks() error {
	led := map[string]string{} // where links lead, to the link
	for name, l := range u.kept.Links {
		led[l.Target] = name
		if !l.Dir && !u.leadsToFound(name) {
			continue
		}
		if text, err := os.Readlink(filepath.Join(u.root, name)); err != nil || text != l.Text {
			return rescan("the link " + name + " is another now")
		}
	}
	for name, isLink := range u.changes {
		for at := name; ; at = path.Dir(at) {
			if from, ok := led[at]; ok {
				return rescan(fmt.Sprintf("%s can be reached by %s too", name, from))
			}
			if at == "/" {
				break
			}
		}
		if !isLink {
			continue
		}
		target, info := resolve(u.root, name)
		if info == nil { // it leads nowhere
			continue
		}
		same, there := resolve(u.changed, name)
		if _, new := u.changes[target]; !new || same != target || there == nil || !there.Mode().IsRegular() {
			return rescan(fmt.Sprintf("the link %s leads to %s", name, target))
		}
	}
	return nil
}

// leadsToFound reports whether a link is on the way to a file that was found.
func (u *reuse) leadsToFound(name string) bool {
	if u.ways == nil {
		u.ways = map[string]bool{}
		for access := range u.kept.Asked.Access {
			for at := access; at != "/"; at = path.Dir(at) {
				u.ways[at] = true
			}
		}
	}
	return u.ways[name]
}

// checkLookups sees to it that what was looked for by its path is there as
// before.
func (u *reuse) checkLookups() error {
	for name, there := range u.kept.Asked.Lookups {
		if _, ok := u.changes[name]; ok {
			return rescan(name + " changed")
		}
		if !there {
			continue
		}
		if _, info := resolve(u.root, name); info == nil {
			return rescan(name + " is gone")
		}
	}
	return nil
}

// checkPaths finds out which files that were found are gone or changed.
func (u *reuse) checkPaths() error {
	for name, manifest := range u.kept.Asked.Paths {
		_, changed := u.changes[name]
		if !changed && fileAt(u.root, name) != nil {
			continue
		}
		if !manifest {
			return rescan(name + " changed, or is gone")
		}
		u.gone[name] = true
	}
	return nil
}

// judge decides whether a change has to be scanned.
func (u *reuse) judge(p patterns, name string, isLink bool) error {
	base := path.Base(name)
	alone, together := p.match(name)
	switch {
	case together != "":
		return rescan(fmt.Sprintf("%s is one of %s", name, together))
	case alone && isLink:
		return rescan(fmt.Sprintf("the link %s may be a package", name))
	case alone:
		u.scan[name] = true
		return nil
	case p.listings[path.Dir(name)]:
		if err := u.judgeListed(name, base); err != nil {
			return err
		}
	}
	if isLink {
		return nil
	}
	kind, err := mediaType(filepath.Join(u.changed, name))
	if err != nil {
		return err
	}
	if u.kept.Asked.Types[kind] {
		u.scan[name] = true
	}
	return nil
}

// judgeListed decides on a file of a directory whose files were listed. Beside a
// package.json that says nothing of its license, licenses were looked for; the
// package is then cataloged again.
func (u *reuse) judgeListed(name, base string) error {
	manifest := path.Join(path.Dir(name), "package.json")
	known, new := u.kept.Asked.Paths[manifest], u.changes
	if _, ok := new[manifest]; !ok && !known {
		return rescan(name + " is in a directory that is looked through")
	}
	if !licence(base) {
		return nil
	}
	if fileAt(u.changed, manifest) == nil {
		return rescan(name + " may be the license of a package")
	}
	u.scan[manifest] = true
	if known {
		u.gone[manifest] = true
	}
	return nil
}
