package ecosystem

import (
	"encoding/json"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// bun is a runtime for JavaScript with a package manager of its own, by its
// documentation at bun.sh/docs ("bun install", "Global cache", "Lockfile",
// "Lifecycle scripts", "bunfig.toml").
func bun() *Tool {
	return &Tool{Name: "bun", Match: matchBun, Caches: bunCaches, Manifests: bunManifests, Example: Example{
		Base: "oven/bun:1",
		Files: map[string]string{
			"package.json": `{"name": "app", "dependencies": {"express": "^5.1.0"}}`,
			"bun.lock":     `{"lockfileVersion": 1}`,
		},
		Commands: []string{
			"bun install --frozen-lockfile",
			"bun install",
		},
	}}
}

// bunValued are the options whose value is the next word ("bun install").
var bunValued = [...]string{
	"--cwd", "-c", "--config", "--cache-dir", "--backend", "--registry", "--cafile", "--ca", "--concurrent-scripts", "--network-concurrency",
	"--omit", "--filter", "-F", "--linker", "--minimum-release-age", "--cpu", "--os",
}

func matchBun(c *shell.Command) *Use {
	if c.Name() != "bun" && c.Name() != "bunx" {
		return nil
	}
	l := parseLine(c, bunValued[:]...)
	u := &Use{options: l, Title: "bun " + l.operand(0), Dir: projectDir(l, "--cwd")}
	if c.Name() == "bunx" {
		u.Title, u.Kind = "bunx", Fetch
		return u
	}
	switch l.operand(0) {
	case "install", "i", "ci":
		u.Kind = Fetch
		u.Installs = len(l.operands) == 1 && !l.on("-g", "--global", "--dry-run", "--lockfile-only")
		if !l.on("--frozen-lockfile") && l.operand(0) != "ci" {
			u.Doubt = u.Title + " without --frozen-lockfile may write the lock file"
		}
	case "add", "a", "update", "x", "create", "c":
		u.Kind = Fetch
	case "pm":
		u.Title = strings.TrimSpace("bun pm " + l.operand(1) + " " + l.operand(2))
		switch {
		case l.operand(1) == "cache" && l.operand(2) == "rm":
			u.Kind, u.Cleans = Clean, true
		case l.operand(1) == "cache":
			u.Kind = Locate
		}
	default:
		u.Title = "bun"
	}
	return u
}

// bunfig is what matters of bunfig.toml.
type bunfig struct {
	Install struct {
		Cache struct {
			Dir     string `toml:"dir"`
			Disable bool   `toml:"disable"`
		} `toml:"cache"`
		Backend string `toml:"backend"`
	} `toml:"install"`
}

// bunCaches: packages lie unpacked by name and version, and aren't checked
// against the lock file again. Of what isn't locked, a version that lies there
// is preferred to a newer one ("Global cache"). Where they can't be linked
// from, as from a mount, bun copies ("Installation strategies": copyfile), which
// has failed (github.com/pikkujs/pikku, issue 1654): so a mount is offered, and
// never made unseen.
func bunCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	c := Cache{Name: "packages", Costs: "downloads every package again", ID: "imgmgr-bun", Fetched: true}
	var file bunfig
	if e.Project.Known() {
		if err := toml.Unmarshal(e.Project.read("bunfig.toml"), &file); err != nil {
			c.Doubt = "bunfig.toml can't be read"
		}
	}
	c.Path, c.Guess = bunCacheDir(u, file, e)
	backend := file.Install.Backend
	if f, ok := u.options.last("--backend"); ok {
		backend = f.value
	}
	switch {
	case backend == "symlink":
		c.Off = "what is installed would be links into the cache"
	case file.Install.Cache.Disable:
		c.Off = "bunfig.toml turns the cache off"
	case !u.locked():
		c.Doubt = u.Title + " may choose versions by what an old cache holds"
	case c.Doubt == "":
		c.Doubt = "some releases of bun fail to copy from a cache on another file system"
	}
	c.Project = npmName(e.Project)
	return []Cache{c}
}

// bunCacheDir is --cache-dir, BUN_INSTALL_CACHE_DIR, the setting
// install.cache.dir, or install/cache in BUN_INSTALL or ~/.bun ("Global cache").
func bunCacheDir(u *Use, file bunfig, e Env) (dir, guess string) {
	home, doubt := e.home()
	base, guess := e.folder("BUN_INSTALL", path.Join(home, ".bun"), doubt)
	def := path.Join(base, "install/cache")
	_, told, _ := e.get("BUN_INSTALL")
	if v, set, known := e.get("XDG_CACHE_HOME"); !told && (set && v != "" || !known) && guess == "" {
		guess = "XDG_CACHE_HOME may move bun's cache"
	}
	if f, ok := u.options.last("--cache-dir"); ok {
		if f.known && path.IsAbs(f.value) {
			return path.Clean(f.value), ""
		}
		return def, "bun is given another cache folder"
	}
	switch v := file.Install.Cache.Dir; {
	case path.IsAbs(v):
		def, guess = path.Clean(v), ""
	case v != "":
		guess = "install.cache.dir in bunfig.toml names a folder that is not known"
	}
	return e.folder("BUN_INSTALL_CACHE_DIR", def, guess)
}

// bunLock is what matters of bun.lock.
type bunLock struct {
	Workspaces map[string]any `json:"workspaces"`
	Patched    map[string]any `json:"patchedDependencies"`
}

var trailingComma = regexp.MustCompile(`,(\s*[}\]])`)

// bunManifests says what "bun install" reads: package.json, the lock file,
// bunfig.toml and .npmrc. Scripts of dependencies run where package.json or
// bun's own list trusts them ("Lifecycle scripts"), which the lock file
// doesn't say.
func bunManifests(u *Use, e Env) Manifests {
	m, done := packageManifests(u, e, "bun.lock", "node_modules")
	if done {
		return m
	}
	p := e.Project
	switch {
	case p.regular("bun.lock"):
		m.Files = append(m.Files, "bun.lock")
		m.bunLock(p.read("bun.lock"))
	case p.regular("bun.lockb"):
		m.Files = append(m.Files, "bun.lockb")
		m.doubt("bun.lockb is binary, so that what it holds is not known")
	default:
		m.doubt("the context has no bun.lock")
	}
	scripts := m.npmSettings(p, !u.options.on("--ignore-scripts"))
	m.without(p, "bunfig.toml")
	for _, f := range u.options.flags {
		switch f.name {
		case "--frozen-lockfile", "--production", "-p", "--ignore-scripts", "--no-progress", "--silent", "--verbose", "--no-cache", "--cache-dir",
			"--backend", "--omit", "--registry", "--no-summary", "--no-verify", "--force", "-f", "--cwd", "--network-concurrency", "--concurrent-scripts":
			if !f.known {
				m.doubt("the value of bun's " + f.name + " is not known")
			}
		case "--filter", "-F":
			m.breaks("bun is asked to install a workspace")
		default:
			m.doubt("bun is given " + f.name)
		}
	}
	m.npmPackage(p, scripts)
	if scripts {
		m.doubt("bun.lock does not say which packages have install scripts, which may read the sources")
	}
	return m
}

// bunLock looks at the lock file: JSON with commas at the ends of lists.
func (m *Manifests) bunLock(data []byte) {
	var lock bunLock
	if json.Unmarshal(trailingComma.ReplaceAll(data, []byte("$1")), &lock) != nil {
		m.doubt("bun.lock can't be read")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(lock.Workspaces)) {
		if name != "" {
			m.breaks("bun.lock has the package " + name + " of a workspace")
		}
	}
	if len(lock.Patched) > 0 {
		m.breaks("bun.lock has patchedDependencies")
	}
	for _, local := range []string{"@file:", "@link:", "@workspace:"} {
		if strings.Contains(string(data), local) {
			m.breaks("bun.lock has packages of " + local[1:])
		}
	}
}
