package scanner

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	express   = `{"name": "express", "version": "4.21.2", "license": "MIT"}`
	unnamed   = `{"name": "app", "version": "1.0.0", "dependencies": {"left-pad": "1"}}`
	odd       = `{"name": "odd", "version": "1.0.0", "license": "SEE LICENSE IN odd.txt"}`
	mit       = "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the \"Software\"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:\n\nThe above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.\n"
	distInfo  = "usr/lib/python3/dist-packages/requests-2.32.3.dist-info/"
	leftPadAt = "app/node_modules/left-pad/package.json"
)

// A tail is what is done to a root after it was scanned.
type tail struct {
	name string
	do   func(r *roots)
	// reused says that the earlier scan is of use.
	reused bool
}

var tails = []tail{
	{"nothing", func(r *roots) {}, true},
	{"sources", func(r *roots) { r.put("app/server.js", "changed"); r.put("app/lib/new.js", "new") }, true},
	{"the same files again", func(r *roots) {
		r.again("app/package.json")
		r.again(leftPadAt)
		r.again("var/lib/dpkg/status")
	}, true},
	{"npm package added", func(r *roots) {
		r.put("app/node_modules/express/package.json", express)
		r.put("app/node_modules/express/lib/express.js", "")
		r.link("../express/lib/express.js", "app/node_modules/.bin/express")
	}, true},
	{"npm package with a license file added", func(r *roots) {
		r.put("opt/tool/package.json", unnamed)
		r.put("opt/tool/LICENSE", mit)
	}, true},
	{"npm package of another version", func(r *roots) { r.put(leftPadAt, strings.Replace(leftPad, "1.3.0", "1.3.1", 1)) }, true},
	{"npm package with a license of its own removed", func(r *roots) { r.remove("app/node_modules/odd") }, true},
	{"npm package with a license of its own added", func(r *roots) {
		r.put("app/node_modules/even/package.json", strings.ReplaceAll(odd, "odd", "even"))
	}, true},
	{"npm package removed", func(r *roots) { r.remove("app/node_modules/left-pad") }, true},
	{"all npm packages removed", func(r *roots) { r.remove("app/node_modules"); r.remove("app/package.json") }, true},
	{"one npm package instead of another", func(r *roots) {
		r.remove("app/node_modules/left-pad")
		r.put("app/node_modules/express/package.json", express)
	}, true},
	{"license of a package", func(r *roots) { r.put("app/LICENSE", mit); r.again("app/package.json") }, true},
	{"license of a package that stays", func(r *roots) { r.put("app/LICENSE", mit) }, false},
	{"package whose license stays", func(r *roots) { r.put("licensed/package.json", strings.Replace(unnamed, "1.0.0", "1.0.1", 1)) }, false},
	{"license gone", func(r *roots) { r.remove("licensed/LICENSE") }, false},
	{"Go binary", func(r *roots) { r.copy("usr/local/bin/tool", "srv/service") }, true},
	{"Go binary replaced", func(r *roots) { r.put("usr/local/bin/tool", "#!/bin/sh\n") }, false},
	{"Go binary removed", func(r *roots) { r.remove("usr/local/bin/tool") }, false},
	{"dpkg", func(r *roots) { r.put("var/lib/dpkg/status", strings.Replace(dpkgStatus, "2.41-3", "2.41-4", 1)) }, false},
	{"dpkg of a distroless image", func(r *roots) { r.put("var/lib/dpkg/status.d/libc6", dpkgStatus) }, false},
	{"files of a Debian package", func(r *roots) { r.put("var/lib/dpkg/info/libc6.md5sums", "d41d8cd98f00b204e9800998ecf8427e  lib/x\n") }, false},
	{"dpkg removed", func(r *roots) { r.remove("var/lib/dpkg") }, false},
	{"rpm removed", func(r *roots) { r.remove("usr/lib/sysimage") }, false},
	{"apk's own packages", func(r *roots) { r.put("lib/apk/db/installed", "P:musl\nV:1.2.5-r0\nA:x86_64\n") }, false},
	{"distribution", func(r *roots) { r.put("usr/lib/os-release", strings.Replace(osRelease, "42", "43", 2)) }, false},
	{"distribution by another name", func(r *roots) { r.remove("etc/os-release"); r.put("etc/os-release", "ID=alpine\nVERSION_ID=3\n") }, false},
	{"distribution gone", func(r *roots) { r.remove("usr/lib/os-release") }, false},
	{"Python package in part", func(r *roots) { r.put(distInfo+"METADATA", strings.Replace(requests, "2.32.3", "2.32.4", 1)) }, false},
	{"record of a Python package", func(r *roots) { r.put(distInfo+"RECORD", "requests/__init__.py,,\n") }, false},
	{"Python package added", func(r *roots) {
		r.put("usr/lib/python3/dist-packages/idna-3.7.dist-info/METADATA", "Metadata-Version: 2.1\nName: idna\nVersion: 3.7\n\n")
	}, false},
	{"Python package removed", func(r *roots) { r.remove(strings.TrimSuffix(distInfo, "/")) }, false},
	{"Java archive", func(r *roots) { r.copy("opt/widget.jar", "opt/lib/widget.jar") }, true},
	{"archive that is none", func(r *roots) { r.put("app/node_modules/left-pad/test.zip", "") }, true},
	{"archive of another kind", func(r *roots) { r.put("opt/lib/widget.jar", string(jar(r.t))+"x") }, true},
	{"Java archive of another version", func(r *roots) { r.put("opt/widget.jar", "") }, false},
	{"Java archive removed", func(r *roots) { r.remove("opt/widget.jar") }, false},
	{"link to a directory", func(r *roots) { r.link("/app/node_modules", "srv/node_modules") }, false},
	{"link to what was there", func(r *roots) { r.link("/data/old.json", "srv/package.json") }, false},
	{"link that leads nowhere", func(r *roots) { r.link("/nowhere", "srv/package") }, true},
	{"manifest behind a link", func(r *roots) { r.put("srv/real.json", express); r.link("real.json", "srv/package.json") }, false},
	{"file where a link leads", func(r *roots) { r.put("usr/real/package.json", express) }, false},
	{"file where a broken link leads", func(r *roots) { r.put("late/package.json", express) }, false},
	{"link replaced", func(r *roots) { r.remove("alias"); r.put("alias/package.json", express) }, false},
	{"directory replaced by a link", func(r *roots) {
		r.remove("app/node_modules")
		r.put("srv/modules/left-pad/package.json", leftPad)
		r.link("/srv/modules", "app/node_modules")
	}, false},
	{"directory replaced by a file", func(r *roots) { r.remove("app/node_modules"); r.put("app/node_modules", "") }, true},
	{"a package of Nix that is empty", func(r *roots) {
		for _, dir := range []string{r.root, r.changed} {
			if err := os.MkdirAll(filepath.Join(dir, "opt/nix/store/5av396z8xa13jg89g9jws145c0k26k2x-zlib-1.3"), 0o755); err != nil {
				r.t.Fatal(err)
			}
		}
	}, false},
	{"Nix", func(r *roots) { r.put("nix/store/5av396z8xa13jg89g9jws145c0k26k2x-glibc-2.34/lib/x", "") }, false},
}

// roots are a root, what was built onto it, and what that changed.
type roots struct {
	t                    *testing.T
	below, root, changed string
}

func newRoots(t *testing.T) *roots {
	dir := t.TempDir()
	r := &roots{t: t, below: filepath.Join(dir, "below", "sbom"), root: filepath.Join(dir, "core", "sbom"), changed: filepath.Join(dir, "changed")}
	writeRoot(t, r.below)
	writeFile(t, r.below, "app/package.json", unnamed)
	writeFile(t, r.below, "licensed/package.json", unnamed)
	writeFile(t, r.below, "licensed/LICENSE", mit)
	writeFile(t, r.below, "app/node_modules/odd/package.json", odd)
	writeFile(t, r.below, "app/server.js", "first")
	writeFile(t, r.below, "data/old.json", leftPad)
	writeFile(t, r.below, "usr/real/keep", "")
	symlink(t, "usr/real", r.below, "alias")
	symlink(t, "../late", r.below, "usr/late")
	r.layer()
	return r
}

// layer starts anew from the root as it is below: with an empty layer.
func (r *roots) layer() {
	r.t.Helper()
	if err := os.MkdirAll(r.changed, 0o755); err != nil {
		r.t.Fatal(err)
	}
	clone(r.t, r.below, r.root)
}

// clone links the files of one root into another: they are replaced, never
// written to.
func clone(t testing.TB, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		at := filepath.Join(to, strings.TrimPrefix(name, from))
		switch {
		case d.IsDir():
			return os.MkdirAll(at, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			text, err := os.Readlink(name)
			if err != nil {
				return err
			}
			return os.Symlink(text, at)
		}
		return os.Link(name, at)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (r *roots) put(name, text string) {
	for _, dir := range []string{r.root, r.changed} {
		os.Remove(filepath.Join(dir, name))
		writeFile(r.t, dir, name, text)
	}
}

func (r *roots) again(name string) { r.put(name, string(read(r.t, filepath.Join(r.root, name)))) }

func (r *roots) copy(from, to string) { r.put(to, string(read(r.t, filepath.Join(r.root, from)))) }

func (r *roots) link(text, name string) {
	symlink(r.t, text, r.root, name)
	symlink(r.t, text, r.changed, name)
}

func (r *roots) remove(name string) {
	for _, dir := range []string{r.root, r.changed} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			r.t.Fatal(err)
		}
	}
}

// kept has below scanned and the scan kept, as the frontend has it.
func (r *roots) kept() string {
	r.t.Helper()
	dir := r.t.TempDir()
	clone(r.t, r.below, filepath.Join(dir, "root"))
	env := environ(r.below, "", filepath.Join(dir, "scan"))
	env[EnvKeep] = "true"
	if err := os.Mkdir(env[EnvDestination], 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := runIn(r.t, env); err != nil {
		r.t.Fatal(err)
	}
	return dir
}

// again scans the root from a kept scan of what lies below it.
func (r *roots) scanned(kept, dest string, keep bool) (text []byte, reused bool) {
	r.t.Helper()
	env := environ(r.root, "", dest)
	env[EnvBelow], env[EnvChanged] = kept, r.changed
	if keep {
		env[EnvKeep] = "true"
	}
	if err := runIn(r.t, env); err != nil {
		r.t.Fatal(err)
	}
	s := &scanner{
		env: func(name string) string { return env[name] }, version: "v0.0.0-test", created: time.Unix(0, 0),
		prepare: preparer(licensesOf),
	}
	doc, _, _, err := s.reuse(r.t.Context(), target{name: "sbom", root: r.root}, false)
	if err != nil {
		r.t.Fatal(err)
	}
	return read(r.t, filepath.Join(dest, "sbom.spdx.json")), doc != nil
}

// TestReuse holds a scan of what changed to a scan of the whole.
func TestReuse(t *testing.T) {
	base := newRoots(t)
	kept := base.kept()
	before := scanned(t, base.root)
	changed := 0
	for _, tc := range tails {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			r := &roots{t: t, below: base.below, root: filepath.Join(dir, "core", "sbom"), changed: filepath.Join(dir, "changed")}
			r.layer()
			tc.do(r)
			got, reused := r.scanned(kept, t.TempDir(), false)
			if reused != tc.reused {
				t.Errorf("the earlier scan was of use: %v", reused)
			}
			want := scanned(t, r.root)
			if !bytes.Equal(got, want) {
				t.Errorf("the document differs from that of a scan of the whole\ngot  %s\nwant %s", got, want)
			}
			if !bytes.Equal(want, before) {
				changed++
			}
		})
	}
	if changed < 20 {
		t.Errorf("only %d of the changes change the document, so the test proves little", changed)
	}
}

// A kept scan may itself come from a scan of what changed.
func TestReuseInTurn(t *testing.T) {
	r := newRoots(t)
	kept := r.kept()
	for _, do := range []func(){
		func() {
			r.put("app/node_modules/express/package.json", express)
			r.put("opt/tool/package.json", unnamed)
			r.link("../express/index.js", "app/node_modules/.bin/express")
		},
		func() { r.remove("app/node_modules/express"); r.copy("usr/local/bin/tool", "srv/service") },
		func() { r.put("opt/tool/LICENSE", mit); r.again("opt/tool/package.json") },
	} {
		do()
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "scan"), 0o755); err != nil {
			t.Fatal(err)
		}
		got, reused := r.scanned(kept, filepath.Join(dir, "scan"), true)
		if !reused {
			t.Error("the earlier scan was of no use")
		}
		if want := scanned(t, r.root); !bytes.Equal(got, want) {
			t.Fatalf("the document differs from that of a scan of the whole\ngot  %s\nwant %s", got, want)
		}
		// What was the root is what the next layer comes onto.
		next := &roots{t: t, below: r.root, root: filepath.Join(dir, "core", "sbom"), changed: filepath.Join(dir, "changed")}
		next.layer()
		clone(t, r.root, filepath.Join(dir, "root"))
		*r, kept = *next, dir
	}
	// A file that was found in a later layer is known as those of the first are.
	r.remove("srv/service")
	got, reused := r.scanned(kept, t.TempDir(), false)
	if want := scanned(t, r.root); reused || !bytes.Equal(got, want) {
		t.Errorf("the removed binary is still there: %v", reused)
	}
}

// What a scan left that failed, or one of another version, is of no use, and no
// error.
func TestReuseOfNothing(t *testing.T) {
	r := newRoots(t)
	want := scanned(t, r.root)
	empty := t.TempDir()
	other := r.kept()
	writeFile(t, other, "scan/"+memoryFile, `{"Version": "v9"}`)
	broken := r.kept()
	writeFile(t, broken, "scan/sbom.spdx.json", `{"predicate": `)
	for name, kept := range map[string]string{"empty": empty, "of another version": other, "broken": broken} {
		if got, reused := r.scanned(kept, t.TempDir(), false); reused || !bytes.Equal(got, want) {
			t.Errorf("%s: it was of use: %v", name, reused)
		}
	}
}
