package ecosystem

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// compilerVars are the variables that compilers, linkers and build scripts
// read (make's implicit rules; GCC, "Environment Variables Affecting GCC";
// pkg-config(1)). Package managers don't make them part of a cache's key.
var compilerVars = [...]string{
	"CC", "CXX", "CPP", "CFLAGS", "CPPFLAGS", "CXXFLAGS", "LDFLAGS", "ARCHFLAGS", "RUSTFLAGS", "MAKEFLAGS",
	"CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "LD_LIBRARY_PATH", "PKG_CONFIG_PATH",
}

// compiled marks a cache that keeps what a package manager has compiled of
// downloaded sources. That depends on the system's headers and compilers: on
// the base image, on what was installed above it, and on the environment.
func (c *Cache) compiled(e Env) {
	c.Native, c.Foreign, c.PerBase = true, true, true
	i := slices.IndexFunc(compilerVars[:], func(name string) bool {
		v, set, known := e.get(name)
		return set && v != "" || !known && e.Open[name]
	})
	if i >= 0 && c.Doubt == "" {
		c.Doubt = compilerVars[i] + " is set, and what was compiled with another value would be used again"
	}
	var open string
	if c.Variables, open = e.variables(); open != "" && c.Doubt == "" {
		c.Doubt = "the value of " + open + ", which the build of a package may read, is not known"
	}
}

// variables tell environments apart in which the build of a package may make
// another thing: PYCURL_SSL_LIBRARY chooses what pycurl is linked with, and
// no package manager makes that part of a cache's key. Those that the base image
// brings are told apart by its digest. Open names one whose value isn't known.
func (e Env) variables() (id, open string) {
	for _, name := range slices.Sorted(maps.Keys(e.Open)) {
		if !spareVariable(name) {
			return "", name
		}
	}
	var own strings.Builder
	for _, name := range slices.Sorted(maps.Keys(e.Vars)) {
		if value, ok := e.Image[name]; spareVariable(name) || ok && value == e.Vars[name] {
			continue
		}
		own.WriteString(name + "=" + e.Vars[name] + "\x00")
	}
	if own.Len() == 0 {
		return "", ""
	}
	sum := sha256.Sum256([]byte(own.String()))
	return hex.EncodeToString(sum[:4]), ""
}

// spareVariable reports a variable that changes how a package manager or Python
// works, and nothing of what the build of a package makes.
func spareVariable(name string) bool {
	return strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "POETRY_") || strings.HasPrefix(name, "COREPACK_") ||
		slices.Contains(pipHarmless, name) || slices.Contains(uvHarmless, name) || slices.Contains([]string{
		"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ", "LANG", "LANGUAGE", "DEBIAN_FRONTEND", "VIRTUAL_ENV", "PNPM_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME",
		"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONFAULTHANDLER", "PYTHONIOENCODING",
	}, name)
}

// trusted keeps a cache whose content isn't checked when it is used to one
// project: another's build could put anything there.
func (c *Cache) trusted(project string) {
	c.Project = project
	if project == "" && c.Doubt == "" {
		c.Doubt = "the project's name isn't known, and the cache must not be shared with other projects"
	}
}
