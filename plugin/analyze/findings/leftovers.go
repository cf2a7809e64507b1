package findings

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// leftover is a kind of files that a running container has no use for.
type leftover struct {
	kind   string
	rule   string // the lint rule that keeps them out
	what   string
	remedy string
	is     paths
}

// paths tells some paths from others. Each file of an image goes through those of all
// kinds, and regular expressions take many times as long to say no.
type paths func(name string) bool

const (
	cacheMount   = "Use a cache mount (RUN --mount=type=cache), or delete them in the same RUN"
	ownStage     = "Build in a stage of its own, with cache mounts, and copy the "
	ownToolchain = "Build in a stage of its own and copy the result"
)

// leftoverKinds are all kinds. The first that fits a path is the path's. One without
// a name is none: licences have to stay with what they are about.
var leftoverKinds = []*leftover{
	{is: licence},
	{"apt-lists", "AptListsLeft", "apt's package lists", cacheMount, under("var/lib/apt/lists/")},
	{"apt-cache", "PackageCacheLeft", "packages that apt downloaded", cacheMount, under("var/cache/apt/")},
	{"apk-cache", "PackageCacheLeft", "packages that apk downloaded", "Use apk add --no-cache", under("var/cache/apk/", "etc/apk/cache/")},
	{"dnf-cache", "PackageCacheLeft", "dnf's and yum's cache", cacheMount, under("var/cache/dnf/", "var/cache/yum/", "var/cache/libdnf5/", "var/cache/zypp/")},
	{"npm-cache", "CacheMountMissing", "npm's cache", cacheMount, home(".npm/_")},
	{"yarn-cache", "CacheMountMissing", "yarn's cache", cacheMount, either(under("usr/local/share/.cache/yarn/"), home(".cache/yarn/", ".yarn/berry/cache/"))},
	{"pnpm-store", "CacheMountMissing", "pnpm's store", cacheMount, home(".local/share/pnpm/store/")},
	{"pip-cache", "CacheMountMissing", "pip's, uv's or poetry's cache", cacheMount, home(".cache/pip/", ".cache/uv/", ".cache/pypoetry/")},
	{"go-cache", "CacheMountMissing", "Go's modules and builds", ownStage + "binary", either(under("go/pkg/mod/", "root/go/pkg/mod/"), home(".cache/go-build/"))},
	{"cargo-cache", "CacheMountMissing", "cargo's downloads", ownStage + "binary", either(under("usr/local/cargo/registry/", "usr/local/cargo/git/"), home(".cargo/registry/", ".cargo/git/"))},
	{"maven-cache", "CacheMountMissing", "Maven's or Gradle's downloads", ownStage + "result", home(".m2/repository/", ".gradle/caches/")},
	{"nuget-cache", "CacheMountMissing", "NuGet's downloads", ownStage + "result", home(".nuget/packages/")},
	{"composer-cache", "CacheMountMissing", "composer's or bundler's cache", cacheMount, home(".composer/cache/", ".cache/composer/", ".bundle/cache/")},
	{"vcs", "", "version control data", "List .git in .dockerignore, or copy only what is needed", inside(".git", ".hg", ".svn")},
	{"python-bytecode", "", "Python's byte code, which is made again when it is missing", "Set PYTHONDONTWRITEBYTECODE=1 while installing, if the start may take longer", both(ending(".pyc"), inside("__pycache__"))},
	{coreKind, "", "core dumps", "Delete them, and find out what crashed", coreName},
	{"log", "", "logs of the build", "Delete them in the instruction that writes them", under("var/log/")},
	{"temporary", "", "temporary files", "Delete them in the instruction that makes them, or mount a tmpfs there", under("tmp/", "var/tmp/")},
	{"documentation", "", "manuals and documentation", "Leave them out when packages are installed: dpkg's path-exclude, dnf's tsflags=nodocs", share("doc/", "man/", "info/", "gtk-doc/")},
	{"toolchain", "", "compilers and their files", ownToolchain, under("usr/lib/gcc/", "usr/libexec/gcc/", "usr/local/go/pkg/", "usr/local/go/src/", "usr/local/go/bin/", "usr/lib/llvm-", "usr/local/rustup/", "root/.rustup/", "usr/lib/rustlib/")},
	{"headers", "", "headers and static libraries", ownToolchain, either(under("usr/include/", "usr/local/include/"), both(ending(".a"), library))},
	{"archive", "ArchiveCopied", "archives, which are likely unpacked or installed already", "Fetch, unpack and delete them in the same RUN, or use ADD, which unpacks", ending(".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tgz", ".txz", ".deb", ".rpm", ".iso")},
}

var library = under("lib/", "lib64/", "local/lib/", "local/lib64/", "usr/lib/", "usr/lib64/", "usr/local/lib/", "usr/local/lib64/")

// under are paths that begin like one of these, which are folders but for their last part.
func under(prefixes ...string) paths {
	return func(name string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	}
}

// home are those under somebody's home folder.
func home(prefixes ...string) paths {
	below := under(prefixes...)
	return func(name string) bool {
		rest, ok := strings.CutPrefix(name, "root/")
		if !ok {
			if rest, ok = strings.CutPrefix(name, "home/"); ok {
				_, rest, ok = strings.Cut(rest, "/")
			}
		}
		return ok && below(rest)
	}
}

// share are those under the folders of what needs no certain machine.
func share(prefixes ...string) paths {
	below := under(prefixes...)
	return func(name string) bool {
		rest, ok := strings.CutPrefix(name, "usr/share/")
		if !ok {
			rest, ok = strings.CutPrefix(name, "usr/local/share/")
		}
		return ok && below(rest)
	}
}

// inside are those in a folder of such a name, wherever that is.
func inside(folders ...string) paths {
	return func(name string) bool {
		return slices.ContainsFunc(folders, func(folder string) bool {
			for rest := name; ; {
				before, after, ok := strings.Cut(rest, folder)
				if !ok {
					return false
				}
				start := len(name) - len(rest) + len(before)
				if (start == 0 || name[start-1] == '/') && strings.HasPrefix(after, "/") {
					return true
				}
				rest = after
			}
		})
	}
}

// ending are files whose names end so, after something else.
func ending(suffixes ...string) paths {
	return func(name string) bool {
		return slices.ContainsFunc(suffixes, func(s string) bool {
			return strings.HasSuffix(name, s) && len(path.Base(name)) > len(s)
		})
	}
}

func either(a, b paths) paths { return func(name string) bool { return a(name) || b(name) } }

func both(a, b paths) paths { return func(name string) bool { return a(name) && b(name) } }

var (
	documents   = share("doc/", "licenses/")
	licenceName = under("copyright", "COPYING", "LICENCE", "LICENSE", "NOTICE")
)

func licence(name string) bool { return documents(name) && licenceName(path.Base(name)) }

// leftovers finds live files without use, by kind and by the layer that ships them.
func leftovers(e *Evidence) []report.Finding {
	type key struct {
		kind, layer int
	}
	files := map[key][]*image.File{}
	for i, l := range e.Image.Layers {
		dumps := cores(l)
		for j := range l.Files {
			f := &l.Files[j]
			if f.Size == 0 || e.Stacked.Fates[i][j].State != image.Live {
				continue
			}
			if kind := leftoverKind(f.Path, dumps[f]); kind >= 0 {
				files[key{kind, i}] = append(files[key{kind, i}], f)
			}
		}
	}
	var out []report.Finding
	for kind, l := range leftoverKinds {
		for i := range e.Layers {
			list := files[key{kind, i}]
			var sum int64
			for _, f := range list {
				sum += f.Size
			}
			if sum < leastBytes {
				continue
			}
			f := report.Finding{Kind: l.kind, Severity: report.Warning, Rule: l.rule, Layer: i, Paths: largest(list), Files: len(list), Bytes: sum, Remedy: l.remedy}
			f.Message = fmt.Sprintf("%s ships %s in %s: %s", e.place(i), ui.Size(sum), ui.Count(len(list), "file"), l.what)
			if i < e.Base {
				f.Severity, f.Remedy = report.Info, "They are the base image's: choose one without them"
			}
			out = append(out, f)
		}
	}
	return out
}

// leftoverKind is the kind of a path, -1 for none. Only a core dump is one.
func leftoverKind(name string, core bool) int {
	kind := slices.IndexFunc(leftoverKinds, func(l *leftover) bool { return l.is(name) && (core || l.kind != coreKind) })
	if kind >= 0 && leftoverKinds[kind].kind == "" {
		return -1
	}
	return kind
}
