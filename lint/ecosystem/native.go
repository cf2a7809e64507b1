package ecosystem

import "slices"

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
}

// trusted keeps a cache whose content isn't checked when it is used to one
// project: another's build could put anything there.
func (c *Cache) trusted(project string) {
	c.Project = project
	if project == "" && c.Doubt == "" {
		c.Doubt = "the project's name isn't known, and the cache must not be shared with other projects"
	}
}
