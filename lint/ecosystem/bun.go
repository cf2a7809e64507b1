package ecosystem

import (
	"cmp"
	"encoding/json"
	"fmt"
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
	return &Tool{Name: "bun", Proven: true, Match: matchBun, Caches: bunCaches, Manifests: bunManifests, Example: Example{
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
// against the lock file again: one cache for one project. Of what isn't locked, a
// version that lies there is preferred to a newer one ("Global cache").
//
// Where bun can't link packages from the cache, as from a mount, it copies them
// ("Installation strategies": copyfile). Tried with 1.0.36, 1.1.45, 1.2.23,
// 1.3.0, 1.3.14 and 1.4.5, both linkers, the cache on another file system, empty
// and full: what a lock file takes from a registry comes out the same. But bun
// tries whether it can move a file from /tmp into its cache, and leaves that file
// where it can't (seen with 1.3.0): a mount is never made unseen. What
// has failed there were packages of GitHub (github.com/pikkujs/pikku, issue
// 1654) and of workspaces (github.com/oven-sh/bun, pull request 41228). A package
// is moved into place, and may be while another bun copies it: hence Locked.
func bunCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	c := Cache{Name: "packages", Costs: "downloads every package again", ID: "imgmgr-bun", Locked: true, Fetched: true}
	p := e.Project.in(u.Dir)
	var file bunfig
	moved := false
	if p.Known() {
		if err := toml.Unmarshal(p.read("bunfig.toml"), &file); err != nil {
			c.Doubt = "bunfig.toml can't be read"
		}
		_, moved = npmrc(p.read(".npmrc"))["cache"] // tried with 1.4.5
	}
	if c.Path, c.Guess = bunCacheDir(u, file, e); moved {
		c.Guess = "cache in .npmrc moves bun's cache"
	}
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
	case !p.Known():
		c.Doubt = "the build context, and so bun.lock, is not known"
	case c.Doubt == "":
		c.Doubt = readBunLock(p.read("bun.lock")).copied()
	}
	c.trusted(npmName(p))
	c.Doubt = cmp.Or(c.Doubt, "bun leaves an empty file in /tmp when its cache is on another file system, as a mount is")
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
	Workspaces map[string]any   `json:"workspaces"`
	Patched    map[string]any   `json:"patchedDependencies"`
	Packages   map[string][]any `json:"packages"`
}

var trailingComma = regexp.MustCompile(`,(\s*[}\]])`)

// readBunLock reads JSON with commas at the ends of lists; nil where it can't.
func readBunLock(data []byte) *bunLock {
	var lock bunLock
	if json.Unmarshal(trailingComma.ReplaceAll(data, []byte("$1")), &lock) != nil {
		return nil
	}
	return &lock
}

// copied says why packages may come out otherwise when they are copied from the
// cache; "" where each is one of a registry, with its hash as last of four parts
// of its entry ("Lockfile").
func (lock *bunLock) copied() string {
	switch {
	case lock == nil:
		return "bun.lock can't be read"
	case len(lock.Workspaces) > 1:
		return "some releases of bun fail to copy packages of workspaces from a cache on another file system"
	case len(lock.Patched) > 0:
		return "bun.lock has patchedDependencies"
	}
	for _, name := range slices.Sorted(maps.Keys(lock.Packages)) {
		entry := lock.Packages[name]
		if len(entry) != 4 || !strings.HasPrefix(fmt.Sprint(entry[3]), "sha") {
			return "some releases of bun fail to copy packages that are not of a registry, as " + name + " is, from a cache on another file system"
		}
	}
	return ""
}

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
	// Variables, bun's own settings among them ("Environment variables").
	for _, name := range []string{".env", ".env.local", ".env.development", ".env.production"} {
		m.without(p, name)
	}
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

// bunLock looks at the lock file.
func (m *Manifests) bunLock(data []byte) {
	lock := readBunLock(data)
	if lock == nil {
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
