package ecosystem

import (
	"encoding/json"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// pnpm is a package manager of Node's, by its documentation at pnpm.io ("pnpm
// install", "Settings", "pnpm store") and its source at github.com/pnpm/pnpm.
func pnpm() *Tool {
	return &Tool{Name: "pnpm", Proven: true, Match: matchPnpm, Caches: pnpmCaches, Manifests: pnpmManifests, Cross: bundleCross, Habits: pnpmHabits, Example: Example{
		Base: "node:22",
		Files: map[string]string{
			"package.json":   `{"name": "app", "dependencies": {"express": "^5.1.0"}}`,
			"pnpm-lock.yaml": "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      express: {specifier: ^5.1.0, version: 5.1.0}\n",
		},
		Commands: []string{
			"pnpm install --frozen-lockfile",
			"pnpm install",
			"pnpm fetch",
		},
	}}
}

// pnpmValued are the options whose value is the next word ("pnpm install",
// "Filtering").
var pnpmValued = [...]string{
	"-C", "--dir", "--store-dir", "--virtual-store-dir", "--modules-dir", "--lockfile-dir", "--cache-dir", "--state-dir", "-F", "--filter",
	"--filter-prod", "--reporter", "--loglevel", "--network-concurrency", "--child-concurrency", "--package-import-method",
	"--fetch-retries", "--fetch-timeout", "--registry", "--node-linker", "--workspace-concurrency", "--config", "--global-dir", "--use-node-version", "--public-hoist-pattern", "--hoist-pattern",
}

func matchPnpm(c *shell.Command) *Use {
	words := nodeWords(c, "pnpm")
	if words == nil {
		return nil
	}
	l := parseLine(&shell.Command{Words: words}, pnpmValued[:]...)
	u := &Use{options: l, Title: "pnpm " + l.operand(0), Dir: projectDir(l, "-C", "--dir")}
	switch l.operand(0) {
	case "install", "i", "ci", "clean-install":
		u.Kind = Fetch
		u.Installs = len(l.operands) == 1 && !l.on("-g", "--global", "--lockfile-only", "--fix-lockfile", "--dry-run")
		u.Relocks = !l.on("--frozen-lockfile") && l.operand(0) != "ci" && l.operand(0) != "clean-install"
	case "add", "update", "up", "upgrade", "fetch", "import", "dlx", "install-test", "it", "dedupe", "deploy":
		u.Kind = Fetch
	case "store":
		u.Title += " " + l.operand(1)
		switch l.operand(1) {
		case "prune":
			u.Kind = Clean
		case "path", "status":
			u.Kind = Locate
		}
	case "config", "c", "setup":
		u.Kind = Locate
	default:
		u.Title = "pnpm"
	}
	if u.Kind&Fetch != 0 && l.on("--offline") {
		u.Kind = Offline
	}
	return u
}

// nodeWords are the words of a command from the tool's name on, also where
// corepack or npx starts it: "corepack pnpm install", "npx -y pnpm@9 install".
func nodeWords(c *shell.Command, names ...string) []shell.Word {
	is := func(word string) bool {
		for _, name := range names {
			if word == name || strings.HasPrefix(word, name+"@") {
				return true
			}
		}
		return false
	}
	switch name := c.Name(); {
	case is(name):
		return c.Words
	case name != "corepack" && name != "npx":
		return nil
	}
	for i, w := range c.Args() {
		switch {
		case !w.Literal:
			return nil
		case is(w.Value):
			return c.Words[i+1:]
		case w.Value != "-y" && w.Value != "--yes" && w.Value != "--":
			return nil
		}
	}
	return nil
}

// pnpmSettings are the settings of pnpm-workspace.yaml that matter ("Settings").
type pnpmSettings struct {
	Packages                 []string       `yaml:"packages"`
	StoreDir                 string         `yaml:"storeDir"`
	EnableGlobalVirtualStore bool           `yaml:"enableGlobalVirtualStore"`
	PackageImportMethod      string         `yaml:"packageImportMethod"`
	VerifyStoreIntegrity     *bool          `yaml:"verifyStoreIntegrity"`
	IgnoreScripts            bool           `yaml:"ignoreScripts"`
	SideEffectsCache         *bool          `yaml:"sideEffectsCache"`
	OnlyBuilt                []string       `yaml:"onlyBuiltDependencies"`
	AllowBuilds              map[string]any `yaml:"allowBuilds"`
	AllowAllBuilds           bool           `yaml:"dangerouslyAllowAllBuilds"`
	Patched                  map[string]any `yaml:"patchedDependencies"`
	ConfigDependencies       map[string]any `yaml:"configDependencies"`

	broken bool
}

func (p Project) pnpmSettings() (s pnpmSettings, there bool) {
	if !p.Known() {
		return s, false
	}
	there, err := p.Has("pnpm-workspace.yaml")
	s.broken = err != nil || there && yaml.Unmarshal(p.read("pnpm-workspace.yaml"), &s) != nil
	rc := npmrc(p.read(".npmrc"))
	set := func(key string, value *string) {
		if *value == "" {
			*value = rc[key]
		}
	}
	set("store-dir", &s.StoreDir)
	set("package-import-method", &s.PackageImportMethod)
	s.EnableGlobalVirtualStore = s.EnableGlobalVirtualStore || rc["enable-global-virtual-store"] == "true"
	s.IgnoreScripts = s.IgnoreScripts || rc["ignore-scripts"] == "true"
	s.AllowAllBuilds = s.AllowAllBuilds || rc["dangerously-allow-all-builds"] == "true"
	if rc["side-effects-cache"] == "false" {
		s.SideEffectsCache = new(bool)
	}
	if rc["verify-store-integrity"] == "false" {
		s.VerifyStoreIntegrity = new(bool)
	}
	return s, there
}

// pnpmMajor is the version of packageManager in package.json, 0 when it isn't
// known.
func pnpmMajor(p Project) int {
	var pkg struct {
		PackageManager string `json:"packageManager"`
	}
	if !p.Known() || json.Unmarshal(p.read("package.json"), &pkg) != nil {
		return 0
	}
	v, ok := strings.CutPrefix(pkg.PackageManager, "pnpm@")
	if !ok {
		return 0
	}
	v, _, _ = strings.Cut(v, ".")
	major, _ := strconv.Atoi(v)
	return major
}

// pnpmCaches: the store holds the files of packages by their hash, which is
// looked at again where a file has changed since ("verifyStoreIntegrity").
// Where it can't be linked from, as from a mount, pnpm copies
// ("packageImportMethod": auto). Several projects and processes share one. Since
// 10 install scripts of dependencies run only where they are named
// ("onlyBuiltDependencies"); for those see withoutSideEffects.
func pnpmCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	c := Cache{Name: "store", Costs: "downloads every package again", ID: "imgmgr-pnpm", Fetched: true}
	s, _ := e.Project.pnpmSettings()
	c.Path, c.Guess = pnpmStore(u, s, e)
	if s.broken {
		c.Doubt = "pnpm-workspace.yaml can't be read"
	}
	method := s.PackageImportMethod
	if f, ok := u.options.last("--package-import-method"); ok {
		method = f.value
	} else if v, ok := npmSetting(e, "package_import_method"); ok {
		method = v
	}
	global, _ := npmSetting(e, "enable_global_virtual_store")
	major := pnpmMajor(e.Project)
	switch {
	case s.EnableGlobalVirtualStore || global != "" || u.options.on("--enable-global-virtual-store"):
		c.Off = "the global virtual store is part of node_modules"
	case u.options.on("-g", "--global") && (major == 0 || major >= 11):
		// pnpm 11 release notes: global packages are links into the store.
		c.Off = "since pnpm 11 global packages are links into the store"
	case method == "clone":
		c.Doubt = "packageImportMethod is clone, which does not work from a mount"
	case s.VerifyStoreIntegrity != nil && !*s.VerifyStoreIntegrity:
		c.Doubt = "pnpm is told not to check what it takes from its store"
	case u.options.on("--prefer-offline") && !u.locked():
		c.Doubt = u.Title + " with --prefer-offline may choose versions by what an old store holds"
	}
	named := len(s.OnlyBuilt)+len(s.AllowBuilds) > 0 || s.AllowAllBuilds || packageBuilds(e.Project)
	if !s.IgnoreScripts && !u.options.on("--ignore-scripts") && (major < 10 || named) {
		c.compiled(e)
		c.withoutSideEffects(u, s)
	}
	return []Cache{c}
}

// withoutSideEffects has install scripts run, as they do where there is no store.
// pnpm keeps what a script has made in the package's folder, and with that in
// the store doesn't run it again ("sideEffectsCache"): what the script leaves
// elsewhere, a browser in ~/.cache for one, would be missing, and another
// environment of the script not be heard of. Tried with pnpm 7, 8 and 9.
func (c *Cache) withoutSideEffects(u *Use, s pnpmSettings) {
	if s.SideEffectsCache != nil && !*s.SideEffectsCache || u.options.on("--no-side-effects-cache") {
		return
	}
	if f, ok := u.options.last("--config.side-effects-cache"); ok && f.value == "false" {
		return
	}
	if _, ok := u.options.last("--side-effects-cache", "--side-effects-cache-readonly", "--config.side-effects-cache"); ok && c.Doubt == "" {
		c.Doubt = "pnpm is told to take what install scripts have made from its store, and does not run them again"
	}
	// Other commands take no such setting.
	w := u.options.operands[0]
	if w.Raw != w.Value || !slices.Contains([]string{"install", "i", "add", "update", "up", "upgrade", "fetch"}, w.Value) {
		if c.Doubt == "" {
			c.Doubt = "pnpm takes what install scripts have made from its store, and does not run them again"
		}
		return
	}
	c.Instead = []Instead{{w, w.Value + " --config.side-effects-cache=false"}}
}

// packageBuilds reports that package.json names dependencies whose scripts run.
func packageBuilds(p Project) bool {
	var pkg struct {
		Pnpm struct {
			OnlyBuilt []string `json:"onlyBuiltDependencies"`
			All       bool     `json:"dangerouslyAllowAllBuilds"`
		} `json:"pnpm"`
	}
	return !p.Known() || json.Unmarshal(p.read("package.json"), &pkg) != nil || len(pkg.Pnpm.OnlyBuilt) > 0 || pkg.Pnpm.All
}

// pnpmStore is --store-dir, the setting storeDir, or store in pnpm's folder:
// PNPM_HOME, pnpm in XDG_DATA_HOME, or ~/.local/share/pnpm ("storeDir";
// config/config/src/dirs.ts).
func pnpmStore(u *Use, s pnpmSettings, e Env) (dir, guess string) {
	home, doubt := e.home()
	data, doubt := e.folder("XDG_DATA_HOME", path.Join(home, ".local/share"), doubt)
	base, doubt := e.folder("PNPM_HOME", path.Join(data, "pnpm"), doubt)
	def := path.Join(base, "store")
	told := s.StoreDir
	if v, ok := npmSetting(e, "store_dir"); ok {
		told = v + "?" // not known where it is empty
		if path.IsAbs(v) {
			told = v
		}
	}
	if f, ok := u.options.last("--store-dir"); ok {
		told = f.value
		if !f.known {
			told = "?"
		}
	}
	switch {
	case told == "":
		return def, doubt
	case path.IsAbs(told) && !strings.ContainsAny(told, "$?"):
		return path.Clean(told), ""
	case strings.HasPrefix(told, "~/"):
		_, doubt = e.home()
		return path.Join(home, told[2:]), doubt
	}
	return def, "pnpm is given another store"
}

// pnpmHabits: as npm's.
func pnpmHabits(u *Use) Habits {
	switch {
	case u.locked():
		return Habits{NoDev: u.options.noDev()}
	case u.Installs:
		return Habits{NoDev: u.options.noDev(), Lock: "pnpm-lock.yaml", Frozen: "--frozen-lockfile"}
	case u.Kind&Fetch == 0:
		return Habits{Script: u.options.script("run", "run-script", "build")}
	case u.options.operand(0) != "add":
		return Habits{}
	}
	return Habits{Lasting: true, Pin: "NAME@VERSION", Packages: nodePackages(u.options, 1)}
}
