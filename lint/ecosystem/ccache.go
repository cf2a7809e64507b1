package ecosystem

import (
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// ccache and sccache keep compiled objects by the content of what was compiled.
// They are known by the command in front of a compiler, or by the variables
// that put them there; without either, nothing says that a build uses one.
func ccache() *Tool {
	return &Tool{Name: "ccache", Lies: []string{"configure"}, Proven: true, Example: Example{
		Base: "gcc:15",
		Files: map[string]string{
			"Makefile": "app: main.c\n",
		},
		Commands: []string{
			`CC="ccache gcc" make`,
			"ccache gcc -c main.c",
			"sccache gcc -c main.c",
			"make",
		},
	}, Match: matchCcache, Tree: cmakeTree, Caches: func(u *Use, e Env) []Cache {
		if u.Kind&(Clean|Locate) != 0 {
			return nil
		}
		var list []Cache
		if c, ok := ccacheOf(u, e); ok {
			list = append(list, c)
		}
		if c, ok := sccacheOf(e); ok || u.Command.Name() == "sccache" {
			list = append(list, c)
		}
		return list
	}}
}

// matchCcache takes in the compilers and what starts them, too. Their Kind is
// none: what else they do isn't known.
func matchCcache(c *shell.Command) *Use {
	switch name := c.Name(); name {
	case "ccache", "sccache":
		// Its own options stand in front of a compiler, or alone.
		u := &Use{Title: name, Kind: Build, Dir: "."}
		if args := c.Args(); len(args) == 0 || strings.HasPrefix(args[0].Value, "-") {
			u.Kind, u.options = Locate, parseLine(c)
		}
		if u.options.on("-C", "--clear", "-c", "--cleanup", "--evict-older-than", "--trim-dir") {
			u.Kind, u.Title = Clean, name+" --clear"
		}
		return u
	case "make", "gmake", "ninja", "samu", "meson", "cmake", "ctest", "scons", "cc", "c++", "gcc", "g++", "clang", "clang++", "configure":
		return &Use{Title: name, Dir: ".", options: parseLine(c)}
	}
	return nil
}

// cmakeTree is the build folder of CMake: that of -B or --build. Its CMakeCache.txt
// holds the compiler and the platform of the first configuration (cmake(1)).
func cmakeTree(u *Use, _ Env) string {
	if u.Command.Name() != "cmake" {
		return ""
	}
	l := parseLine(u.Command, "-B", "-S", "-G", "-D", "--build")
	f, ok := l.last("-B", "--build")
	if !ok || !f.known {
		return ""
	}
	return f.value
}

// ccacheOf is ccache's cache, where the command or its environment says that
// ccache is used: by its name, by CC and CXX, by CMake's launcher, or by its
// folder of links at the head of PATH (ccache manual, "Run modes").
//
// A result is taken when source, headers, options, folder and compiler are the
// same; but the compiler is told by its size and time (ccache manual,
// "compiler_check"): hence PerBase. Several processes may use the cache at once
// (ccache manual, "Sharing a cache").
func ccacheOf(u *Use, e Env) (Cache, bool) {
	if u.Command.Name() != "ccache" && !e.launches("ccache") && !ccacheInPath(e) && !u.cmakeLauncher("ccache") {
		return Cache{}, false
	}
	home, doubt := e.home()
	c := Cache{Name: "objects", Costs: "compiles everything again", ID: "imgmgr-ccache", PerBase: true}
	// Version 4.0 moved the folder from ~/.ccache (release notes).
	def, _ := e.folder("XDG_CACHE_HOME", path.Join(home, ".cache"), doubt)
	if doubt == "" {
		doubt = "the version of ccache, which tells where its cache is, is not known (CCACHE_DIR sets it)"
	}
	c.Path, c.Guess = e.folder("CCACHE_DIR", path.Join(def, "ccache"), doubt)
	// ccache reads, and with -o and -M writes, ccache.conf in the cache itself
	// (ccache manual, "Location of the configuration file").
	if v, set, _ := e.get("CCACHE_CONFIGPATH"); !set || !path.IsAbs(v) || within(c.Path, v) {
		c.Doubt = "the shared cache may hold another build's ccache.conf (CCACHE_CONFIGPATH names one elsewhere)"
	}
	for _, name := range []string{"CCACHE_SLOPPINESS", "CCACHE_COMPILERCHECK", "CCACHE_PREFIX", "CCACHE_HARDLINK", "CCACHE_FILECLONE"} {
		if v, set, known := e.get(name); set && v != "" && v != "content" || !known && e.Open[name] {
			c.Doubt = name + " may make ccache take a result that isn't the compiler's own"
		}
	}
	for _, name := range []string{"CCACHE_DISABLE", "CCACHE_RECACHE", "CCACHE_REMOTE_ONLY"} {
		if v, set, _ := e.get(name); set && v != "" {
			c.Useless = name + " is set"
		}
	}
	return c, true
}

// sccacheOf is sccache's cache on the disk, where the environment says that
// sccache is used. Its keys hold the compiler's digest and those of all inputs
// (sccache, docs/Caching.md), but not the files that a procedural macro of Rust
// reads (its README, "Known Caveats"). Only one server at a time may use it
// (docs/Local.md): hence Locked.
func sccacheOf(e Env) (Cache, bool) {
	home, doubt := e.home()
	c := Cache{Name: "objects of sccache", Costs: "compiles everything again", ID: "imgmgr-sccache", PerBase: true, Locked: true}
	def, guess := e.folder("XDG_CACHE_HOME", path.Join(home, ".cache"), doubt)
	c.Path, c.Guess = e.folder("SCCACHE_DIR", path.Join(def, "sccache"), guess)
	if v, set, _ := e.get("SCCACHE_CONF"); set && v != "" {
		c.Guess = "SCCACHE_CONF may move sccache's cache"
	}
	if e.launches("sccache", rustWrappers[:]...) {
		c.Doubt = "sccache doesn't see the files that procedural macros read"
	}
	for _, name := range []string{"SCCACHE_BUCKET", "SCCACHE_REDIS", "SCCACHE_REDIS_ENDPOINT", "SCCACHE_MEMCACHED", "SCCACHE_MEMCACHED_ENDPOINT", "SCCACHE_GCS_BUCKET",
		"SCCACHE_AZURE_BLOB_CONTAINER", "SCCACHE_WEBDAV_ENDPOINT", "SCCACHE_GHA_ENABLED", "SCCACHE_RECACHE"} {
		if v, set, _ := e.get(name); set && v != "" || e.Open[name] {
			c.Useless = name + " is set" // the cache is elsewhere
		}
	}
	return c, e.launches("sccache")
}

var (
	// rustWrappers: build.rustc-wrapper and its kin of The Cargo Book.
	rustWrappers = [...]string{"RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"}
	// launchers: CMAKE_LANG_COMPILER_LAUNCHER of CMake; CC and CXX by custom.
	launchers = [...]string{"CC", "CXX", "CMAKE_C_COMPILER_LAUNCHER", "CMAKE_CXX_COMPILER_LAUNCHER", "CMAKE_CUDA_COMPILER_LAUNCHER"}
)

// launches reports that one of the variables, any that is known where none is
// named, puts a program in front of the compiler.
func (e Env) launches(program string, names ...string) bool {
	if names == nil {
		names = append(launchers[:], rustWrappers[:]...)
	}
	return slices.ContainsFunc(names, func(name string) bool {
		v, _, _ := e.get(name)
		first := strings.Fields(v)
		return len(first) > 0 && path.Base(first[0]) == program
	})
}

// within reports that a clean path lies in a folder.
func within(dir, p string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// ccacheInPath reports that the distribution's folder of links to ccache
// (/usr/lib/ccache, /usr/lib64/ccache, with or without bin) is in PATH.
func ccacheInPath(e Env) bool {
	v, _, _ := e.get("PATH")
	return slices.ContainsFunc(strings.Split(v, ":"), func(dir string) bool {
		return strings.HasSuffix(strings.TrimSuffix(dir, "/bin"), "/ccache")
	})
}

// cmakeLauncher reports -DCMAKE_C_COMPILER_LAUNCHER=program on the command.
func (u *Use) cmakeLauncher(program string) bool {
	return slices.ContainsFunc(u.Command.Args(), func(w shell.Word) bool {
		name, value, _ := strings.Cut(w.Value, "=")
		return strings.HasPrefix(name, "-DCMAKE_") && strings.Contains(name, "_COMPILER_LAUNCHER") && path.Base(value) == program
	})
}
