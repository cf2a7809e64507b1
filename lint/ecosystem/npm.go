package ecosystem

import (
	"bufio"
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// npm is Node's package manager, by its own documentation at docs.npmjs.com
// (commands, config, package.json, scripts).
func npm() *Tool {
	return &Tool{Name: "npm", Proven: true, Match: matchNpm, Caches: npmCaches, Manifests: npmManifests, Cross: bundleCross, Habits: npmHabits, Example: Example{
		Base: "node:22",
		Files: map[string]string{
			"package.json":      `{"name": "app", "dependencies": {"express": "^5.1.0"}}`,
			"package-lock.json": `{"name": "app", "lockfileVersion": 3, "packages": {"": {"name": "app", "dependencies": {"express": "^5.1.0"}}}}`,
		},
		Commands: []string{
			"npm ci",
			"npm ci --omit=dev",
			"npm install",
			"npm install -g serve",
			"npm ci && npm cache clean --force",
		},
	}}
}

// npmValued are the options whose value is the next word (docs.npmjs.com,
// config). Those that aren't here would leave their value as an operand, which
// makes an installation one that isn't understood.
var npmValued = [...]string{
	"--prefix", "-C", "--cache", "--registry", "-w", "--workspace", "--userconfig", "--globalconfig",
	"--loglevel", "--omit", "--include", "--only", "--tag", "--script-shell", "--node-options",
	"--fetch-retries", "--fetch-timeout", "--fetch-retry-mintimeout", "--fetch-retry-maxtimeout",
	"--maxsockets", "--network-timeout", "--install-strategy", "--location",
}

func matchNpm(c *shell.Command) *Use {
	if c.Name() != "npm" {
		return nil
	}
	l := parseLine(c, npmValued[:]...)
	u := &Use{options: l, Title: "npm " + l.operand(0)}
	switch l.operand(0) {
	case "ci", "clean-install", "ic", "install-clean", "isntall-clean":
		u.Kind = Fetch
		u.Installs = len(l.operands) == 1
	case "install", "i", "add", "in", "ins", "inst", "insta", "instal", "isnt", "isnta", "isntal", "isntall":
		u.Kind = Fetch
		u.Installs = len(l.operands) == 1
		// npm-ci: "It will never write to package.json or any of the package-locks".
		u.Relocks = true
	case "update", "up", "upgrade", "udpate", "install-test", "it", "install-ci-test", "cit", "clean-install-test", "sit", "dedupe", "ddp":
		u.Kind = Fetch
	case "cache":
		if slices.Contains([]string{"clean", "clear", "rm"}, l.operand(1)) {
			u.Kind, u.Title = Clean, "npm cache "+l.operand(1)
			// Without --force it refuses (npm-cache, "clean").
			u.Cleans = len(l.operands) == 2 && l.on("--force", "-f")
		}
	default:
		u.Title = "npm"
	}
	if u.Kind&Fetch != 0 && l.on("--offline") {
		u.Kind = Offline
	}
	if u.Kind == Fetch && l.on("-g", "--global") && !l.on("--prefix", "-C") {
		u.Apart = len(l.operands) > 1 && !slices.ContainsFunc(l.operands[1:], func(w shell.Word) bool {
			return !w.Literal || isLocal(w.Value) || strings.Contains(w.Value, ":") || strings.HasSuffix(w.Value, ".tgz")
		})
	}
	if l.on("-g", "--global", "--location") || l.on("--dry-run", "--package-lock-only") {
		u.Installs = false
	}
	u.Dir = projectDir(l, "--prefix", "-C")
	return u
}

// projectDir is the folder that an option names, "." without the option and ""
// where it isn't known.
func projectDir(l line, names ...string) string {
	f, ok := l.last(names...)
	switch {
	case !ok:
		return "."
	case !f.known || f.value == "" || path.IsAbs(f.value) || strings.HasPrefix(path.Clean(f.value), ".."):
		return ""
	}
	return path.Clean(f.value)
}

// npmCaches: npm keeps tarballs and the registry's answers in _cacache
// (npm-cache: "stored in npm's cache folder … _cacache"), addressed by the hash
// of their content and checked when they are read (pacote, ssri), so one cache
// serves all projects and platforms and may be shared. The folder above also
// holds _npx, which npx runs programs from, and so stays in the image.
func npmCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	c := Cache{Name: "packages", Costs: "downloads every package again", ID: "imgmgr-npm", Fetched: true}
	dir, doubt := npmCacheDir(u, e)
	c.Path, c.Guess = path.Join(dir, "_cacache"), doubt
	if _, ok := npmSetting(e, "offline"); ok {
		c.Useless = "npm is told to work offline"
	}
	_, preferred := npmSetting(e, "prefer_offline")
	if !u.locked() && (preferred || u.options.on("--prefer-offline")) {
		c.Doubt = u.Title + " with prefer-offline may choose versions by what an old cache holds"
	}
	c.npmAsks(u)
	return []Cache{c}
}

// npmAsks has npm ask the registry for the versions that there are, as it does
// where there is no cache. It takes an answer as it is for as long as HTTP's rules
// allow: five minutes for that of npmjs.org, and for that of a registry which says
// when it was changed and nothing else, a tenth of its age (RFC 9111, "Calculating
// Heuristic Freshness"): tried with npm 11, which then installs an old version.
// With prefer-online it asks each time (config, "prefer-online").
func (c *Cache) npmAsks(u *Use) {
	if u.locked() || u.options.on("--prefer-online") || c.Doubt != "" {
		return
	}
	w := u.options.operands[0]
	if !w.Literal || w.Raw != w.Value {
		c.Doubt = "npm may take a list of versions from its cache, without --prefer-online"
		return
	}
	c.Instead = []Instead{{w, w.Value + " --prefer-online"}}
}

// locked reports that the command takes exactly the versions of a lock file.
func (u *Use) locked() bool { return u.Installs && u.Doubt == "" && !u.Relocks }

// npmCacheDir is npm's folder "cache": the option, the variable, the project's
// .npmrc, or ~/.npm, in this order (npmrc, "npm gets its config settings from").
func npmCacheDir(u *Use, e Env) (dir, doubt string) {
	if f, ok := u.options.last("--cache"); ok {
		if f.known && path.IsAbs(f.value) {
			return path.Clean(f.value), ""
		}
		home, _ := e.home()
		return path.Join(home, ".npm"), "npm is given another cache folder"
	}
	home, doubt := e.home()
	dir = path.Join(home, ".npm")
	if v, ok := npmSetting(e, "cache"); ok {
		if path.IsAbs(v) {
			return path.Clean(v), ""
		}
		return dir, "npm_config_cache names a folder that is not known"
	}
	if e.Project.Known() {
		for key, v := range npmrc(e.Project.read(".npmrc")) {
			if key == "cache" && path.IsAbs(v) && !strings.Contains(v, "$") {
				return path.Clean(v), ""
			} else if key == "cache" {
				return dir, "cache in .npmrc names a folder that is not known"
			}
		}
	}
	if doubt == "" && !e.Complete {
		doubt = e.Why
	}
	return dir, doubt
}

// npmSetting is a setting that comes from the environment: npm_config_NAME, in
// any case and with "-" for "_" (config, "Environment Variables"). Of a
// variable whose value isn't known it is "".
func npmSetting(e Env, name string) (string, bool) {
	is := func(v string) bool {
		return strings.ReplaceAll(strings.ToLower(v), "-", "_") == "npm_config_"+name
	}
	for v := range e.Open {
		if is(v) {
			return "", true
		}
	}
	for v, value := range e.Vars {
		if is(v) && value != "" && value != "false" {
			return value, true
		}
	}
	return "", false
}

// npmrc reads the settings of an .npmrc file: "key = value" lines, the last of
// a key counts, comments begin with ";" or "#" (npmrc).
func npmrc(data []byte) map[string]string {
	settings := map[string]string{}
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		text := strings.TrimSpace(s.Text())
		if text == "" || text[0] == ';' || text[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			value = "true"
		}
		settings[strings.TrimSpace(key)] = strings.Trim(strings.TrimSpace(value), `"'`)
	}
	return settings
}

// bundleCross: what a project's build script makes for browsers is the same on
// every platform, in the folders that bundlers have for it.
func bundleCross(u *Use, _ Env) *Cross {
	if u.HabitsOf().Script != "build" {
		return nil
	}
	return &Cross{Results: []string{"dist", "build", "out", "public"}}
}

// npmHabits: the registry keeps every version (npm's unpublish policy). npm 6 to 11
// hand a SIGTERM to the shell of a script, which is no shell for long where that
// replaces itself by its last command: bash and busybox do, dash doesn't (tried
// with dash 0.5.12).
func npmHabits(u *Use) Habits {
	switch {
	case u.locked():
		return Habits{NoDev: u.options.noDev()}
	case u.Installs:
		return Habits{NoDev: u.options.noDev(), Lock: "package-lock.json", Frozen: "npm ci", FrozenVerb: "ci"}
	case u.Kind&Fetch == 0:
		return Habits{Script: u.options.script("run", "run-script", "rum", "urn"), Starts: u.options.starts("run", "run-script")}
	}
	return Habits{Lasting: true, Pin: "NAME@VERSION", Packages: nodePackages(u.options, 1), Codes: Codes{Pin: "DL3016"}}
}
