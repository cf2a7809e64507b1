package ecosystem

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// yarn is both of Node's Yarns, which share a name: 1, "Classic", by
// classic.yarnpkg.com/docs and its source at github.com/yarnpkg/yarn; and 2 and
// later, "Berry", which is in yarn_berry.go. Which one runs is a matter of the
// project.
//
// Yarn 1 leaves compiled code of its own in /tmp/v8-compile-cache-*, which comes
// out otherwise each time that it runs.
func yarn() *Tool {
	return &Tool{Name: "yarn", Proven: true, Match: matchYarn, Caches: yarnCaches, Manifests: yarnManifests, Cross: bundleCross, Habits: yarnHabits, Example: Example{
		Base: "node:22",
		Files: map[string]string{
			"package.json": `{"name": "app", "dependencies": {"express": "^5.1.0"}}`,
			"yarn.lock":    "# yarn lockfile v1\n",
		},
		Commands: []string{
			"yarn install --frozen-lockfile",
			"yarn install",
			"yarn global add serve",
		},
	}}
}

// yarnValued are the options whose value is the next word (yarn help).
var yarnValued = [...]string{
	"--cwd", "--cache-folder", "--preferred-cache-folder", "--modules-folder", "--global-folder", "--link-folder", "--registry",
	"--mutex", "--network-timeout", "--network-concurrency", "--child-concurrency", "--proxy", "--https-proxy", "--use-yarnrc",
	"--mode", "--prefix", "--emoji",
}

func matchYarn(c *shell.Command) *Use {
	words := nodeWords(c, "yarn", "yarnpkg")
	if words == nil {
		return nil
	}
	l := parseLine(&shell.Command{Words: words}, yarnValued[:]...)
	u := &Use{options: l, Title: strings.TrimSpace("yarn " + l.operand(0)), Dir: projectDir(l, "--cwd")}
	switch l.operand(0) {
	case "", "install":
		if len(l.operands) > 1 || len(l.operands) == 1 && l.operand(0) == "" || l.on("--version", "-v", "-V", "--help", "-h") {
			u.Title = "yarn"
			return u
		}
		u.Kind, u.Title, u.Installs = Fetch, "yarn install", true
		if !l.on("--frozen-lockfile", "--pure-lockfile", "--immutable") {
			u.Doubt = "yarn install without --frozen-lockfile may write the lock file"
		}
	case "add", "upgrade", "up", "upgrade-interactive", "dlx", "create", "import", "dedupe":
		u.Kind = Fetch
	case "global":
		u.Title = "yarn global " + l.operand(1)
		if slices.Contains([]string{"add", "upgrade"}, l.operand(1)) {
			u.Kind = Fetch
		}
	case "workspace": // yarn workspace NAME add …
		u.Title = "yarn"
		if slices.Contains([]string{"install", "add", "upgrade", "up"}, l.operand(2)) {
			u.Kind, u.Title = Fetch, "yarn workspace "+l.operand(2)
		}
	case "workspaces":
		if l.operand(1) == "focus" {
			u.Kind, u.Title = Fetch, "yarn workspaces focus"
		}
	case "cache":
		u.Title += " " + l.operand(1)
		switch l.operand(1) {
		case "clean", "clear":
			// "--all" and "--mirror" are of Berry, and about another folder.
			u.Kind, u.Cleans = Clean, len(l.operands) == 2 && !l.on("--all", "--mirror", "--pattern")
		case "dir":
			u.Kind = Locate
		}
	default:
		u.Title = "yarn"
	}
	if u.Kind&Fetch != 0 && l.on("--offline") {
		u.Kind = Offline
	}
	return u
}

// yarnMajor is the major version of the yarn that runs in the project, 0 when
// that isn't known: as packageManager in package.json has it (Node's
// documentation, "Corepack"), else by the settings and the lock file, whose
// form Berry has changed.
func yarnMajor(u *Use, p Project) int {
	if u.options.operand(0) == "global" {
		return 1 // Berry has no such command
	}
	if !p.Known() {
		return 0
	}
	var pkg struct {
		PackageManager string `json:"packageManager"`
	}
	if json.Unmarshal(p.read("package.json"), &pkg) == nil {
		if v, ok := strings.CutPrefix(pkg.PackageManager, "yarn@"); ok && len(v) > 1 && v[0] >= '1' && v[0] <= '9' && v[1] == '.' {
			return int(v[0] - '0')
		}
	}
	if rc, there := p.yarnrc(); there {
		return rc.major()
	}
	if strings.Contains(string(p.read("yarn.lock")), "# yarn lockfile v1") {
		return 1
	}
	return 0
}

func yarnCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	c := Cache{Name: "packages", Costs: "downloads every package again", ID: "imgmgr-yarn", Fetched: true}
	switch major := yarnMajor(u, e.Project); {
	case major > 1:
		c.berry(e, major)
		return []Cache{c}
	case major == 0:
		c.Doubt = "whether yarn is a version 1 is not known"
	}
	c.classic(u, e)
	return []Cache{c}
}

// classic is the cache of Yarn 1: packages unpacked, in folders that are named
// by the hash of the archive (src/config.js, generateUniquePackageSlug). The
// hash isn't looked at again when a package is used, hence one cache for one
// project. Yarn 1 asks for --mutex where several run at once ("yarn install"),
// hence Locked.
func (c *Cache) classic(u *Use, e Env) {
	c.ID, c.Locked = "imgmgr-yarn1", true
	c.Path, c.Guess = yarnCacheDir(u, e)
	c.trusted(npmName(e.Project))
	for key := range yarnrc1(e.Project) {
		if key == "yarn-offline-mirror" {
			c.Useless = "yarn takes packages from an offline mirror"
		}
	}
	if l := u.options; l.on("--prefer-offline") && !u.locked() && c.Doubt == "" {
		c.Doubt = u.Title + " with --prefer-offline may choose versions by what an old cache holds"
	}
}

// yarnCacheDir is --cache-folder, YARN_CACHE_FOLDER, the setting cache-folder,
// or yarn in the user's cache folder, which for root is that of
// /usr/local/share, whatever HOME is ("yarn cache"; src/util/user-dirs.js,
// src/util/user-home-dir.js).
func yarnCacheDir(u *Use, e Env) (dir, guess string) {
	if f, ok := u.options.last("--cache-folder"); ok && f.known && path.IsAbs(f.value) {
		return path.Clean(f.value), ""
	} else if ok {
		guess = "yarn is given another cache folder"
	}
	if _, ok := u.options.last("--preferred-cache-folder"); ok {
		guess = "yarn is given another cache folder"
	}
	if v, ok := yarnrc1(e.Project)["cache-folder"]; ok {
		if path.IsAbs(v) {
			return path.Clean(v), guess
		}
		guess = "cache-folder in .yarnrc names a folder that is not known"
	}
	home := "/usr/local/share"
	switch {
	case e.UIDKnown && e.UID != 0:
		var doubt string
		if home, doubt = e.home(); guess == "" {
			guess = doubt
		}
	case !e.UIDKnown && guess == "":
		guess = "the USER of this step is not known"
	}
	def, guess := e.folder("XDG_CACHE_HOME", path.Join(home, ".cache"), guess)
	return e.folder("YARN_CACHE_FOLDER", path.Join(def, "yarn"), guess)
}

// yarnrc1 are the settings of .yarnrc: lines of a key and a value ("yarnrc").
func yarnrc1(p Project) map[string]string {
	settings := map[string]string{}
	if !p.Known() {
		return settings
	}
	for _, line := range strings.Split(string(p.read(".yarnrc")), "\n") {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if key = strings.Trim(key, `"`); key != "" && key[0] != '#' {
			settings[key] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return settings
}

// npmName is the name that package.json gives the project; "" when it isn't
// known.
func npmName(p Project) string {
	var pkg struct {
		Name string `json:"name"`
	}
	if !p.Known() || json.Unmarshal(p.read("package.json"), &pkg) != nil {
		return ""
	}
	return pkg.Name
}

// yarnHabits: Yarn 1 keeps its cache in the home folder unless it is emptied;
// what a project's Yarn 2 keeps is not known here. What npm does with a SIGTERM,
// Yarn 1.22 does, too.
func yarnHabits(u *Use) Habits {
	h := Habits{Lasting: true, Pin: "NAME@VERSION", Codes: Codes{Cache: "DL3060"}}
	switch {
	case u.Kind&Fetch == 0:
		return Habits{Script: u.options.script("run", "build"), Starts: u.options.starts("run")}
	case u.Installs:
		h.NoDev = u.options.noDev()
		if !u.locked() {
			h.Lock, h.Frozen = "yarn.lock", "--frozen-lockfile"
		}
	case u.options.operand(0) == "add":
		h.Packages = nodePackages(u.options, 1)
	case u.options.operand(0) == "global":
		h.Packages = nodePackages(u.options, 2)
	}
	h.Leaves, h.Clean = "/usr/local/share/.cache/yarn", "yarn cache clean"
	return h
}
