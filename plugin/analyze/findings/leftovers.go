package findings

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// leftover is a kind of files that a running container has no use for.
type leftover struct {
	kind    string
	rule    string // the lint rule that keeps them out
	what    string
	remedy  string
	pattern *regexp.Regexp
}

func (l *leftover) is(name string) bool { return l.pattern.MatchString(name) }

const cacheMount = "Use a cache mount (RUN --mount=type=cache), or delete them in the same RUN"

// leftoverKinds are all kinds. The first that fits a path is the path's. One without
// a name is none: licences have to stay with what they are about.
var leftoverKinds = []*leftover{
	{pattern: under(`usr/(local/)?share/(doc|licenses)/.*/(copyright|COPYING|LICEN[CS]E|NOTICE)[^/]*$`)},
	{"apt-lists", "AptListsLeft", "apt's package lists", cacheMount, under(`var/lib/apt/lists/.`)},
	{"apt-cache", "PackageCacheLeft", "packages that apt downloaded", cacheMount, under(`var/cache/apt/.`)},
	{"apk-cache", "PackageCacheLeft", "packages that apk downloaded", "Use apk add --no-cache", under(`(var/cache/apk|etc/apk/cache)/.`)},
	{"dnf-cache", "PackageCacheLeft", "dnf's and yum's cache", cacheMount, under(`var/cache/(dnf|yum|libdnf5|zypp)/.`)},
	{"npm-cache", "CacheMountMissing", "npm's cache", cacheMount, home(`\.npm/_`)},
	{"yarn-cache", "CacheMountMissing", "yarn's cache", cacheMount, regexp.MustCompile(`^(usr/local/share/\.cache/yarn|(root|home/[^/]+)/(\.cache/yarn|\.yarn/berry/cache))/.`)},
	{"pnpm-store", "CacheMountMissing", "pnpm's store", cacheMount, home(`\.local/share/pnpm/store/.`)},
	{"pip-cache", "CacheMountMissing", "pip's, uv's or poetry's cache", cacheMount, home(`\.cache/(pip|uv|pypoetry)/.`)},
	{"go-cache", "CacheMountMissing", "Go's modules and builds", "Build in a stage of its own, with cache mounts, and copy the binary", regexp.MustCompile(`^((root|home/[^/]+)/\.cache/go-build|(root/)?go/pkg/mod)/.`)},
	{"cargo-cache", "CacheMountMissing", "cargo's downloads", "Build in a stage of its own, with cache mounts, and copy the binary", regexp.MustCompile(`^(usr/local/cargo|(root|home/[^/]+)/\.cargo)/(registry|git)/.`)},
	{"maven-cache", "CacheMountMissing", "Maven's or Gradle's downloads", "Build in a stage of its own, with cache mounts, and copy the result", home(`\.(m2/repository|gradle/caches)/.`)},
	{"nuget-cache", "CacheMountMissing", "NuGet's downloads", "Build in a stage of its own, with cache mounts, and copy the result", home(`\.nuget/packages/.`)},
	{"composer-cache", "CacheMountMissing", "composer's or bundler's cache", cacheMount, home(`(\.composer/cache|\.cache/composer|\.bundle/cache)/.`)},
	{"vcs", "", "version control data", "List .git in .dockerignore, or copy only what is needed", anywhere(`\.(git|hg|svn)/.`)},
	{"python-bytecode", "", "Python's byte code, which is made again when it is missing", "Set PYTHONDONTWRITEBYTECODE=1 while installing, if the start may take longer", anywhere(`__pycache__/.+\.pyc$`)},
	{coreKind, "", "core dumps", "Delete them, and find out what crashed", coreName},
	{"log", "", "logs of the build", "Delete them in the instruction that writes them", under(`var/log/.`)},
	{"temporary", "", "temporary files", "Delete them in the instruction that makes them, or mount a tmpfs there", under(`(var/)?tmp/.`)},
	{"documentation", "", "manuals and documentation", "Leave them out when packages are installed: dpkg's path-exclude, dnf's tsflags=nodocs", under(`usr/(local/)?share/(doc|man|info|gtk-doc)/.`)},
	{"toolchain", "", "compilers and their files", "Build in a stage of its own and copy the result", regexp.MustCompile(`^(usr/lib/gcc/|usr/libexec/gcc/|usr/local/go/(pkg|src|bin)/|usr/lib/llvm-|usr/local/rustup/|root/\.rustup/|usr/lib/rustlib/)`)},
	{"headers", "", "headers and static libraries", "Build in a stage of its own and copy the result", regexp.MustCompile(`^(usr/(local/)?include/.|(usr/)?(local/)?lib(64)?/.*\.a$)`)},
	{"archive", "ArchiveCopied", "archives, which are likely unpacked or installed already", "Fetch, unpack and delete them in the same RUN, or use ADD, which unpacks", anywhere(`[^/]+\.(tar(\.(gz|bz2|xz|zst))?|t[gx]z|deb|rpm|iso)$`)},
}

func under(pattern string) *regexp.Regexp { return regexp.MustCompile("^" + pattern) }

// home is below somebody's home folder.
func home(pattern string) *regexp.Regexp {
	return regexp.MustCompile(`^(root|home/[^/]+)/` + pattern)
}

func anywhere(pattern string) *regexp.Regexp { return regexp.MustCompile(`(^|/)` + pattern) }

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
