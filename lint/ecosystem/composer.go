package ecosystem

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// composer is PHP's package manager, by its documentation (getcomposer.org/doc:
// 03-cli, 04-schema, 06-config) and src/Composer/Factory.php where that leaves
// something open.
func composer() *Tool {
	return &Tool{Name: "composer", Lies: []string{"composer.phar"}, Proven: true, Match: matchComposer, Caches: composerCaches, Manifests: composerManifests, Example: Example{
		Base: "php:8.4-cli",
		Files: map[string]string{
			"composer.json": `{"name": "example/app"}`,
			"composer.lock": "{}",
		},
		Commands: []string{
			"composer install --no-dev --no-scripts --no-autoloader",
			"composer install --no-dev",
		},
	}}
}

// composerValued are the options whose value may be the next word (03-cli).
var composerValued = [...]string{
	"-d", "--working-dir", "--prefer-install", "--ignore-platform-req", "--apcu-autoloader-prefix", "--repository", "--stability", "-s", "--with",
}

func matchComposer(c *shell.Command) *Use {
	switch name := c.Name(); name {
	case "composer", "composer.phar":
	case "php": // php -d memory_limit=-1 composer.phar install
		at := behindOptions(c.Args(), "-d", "-c")
		if at >= len(c.Words) || !slices.Contains([]string{"composer", "composer.phar"}, path.Base(c.Words[at].Value)) {
			return nil
		}
		c = with(c, c.Words[at:])
	default:
		return nil
	}
	l := parseLine(c, composerValued[:]...)
	if l.operand(0) == "global" {
		l.operands = l.operands[1:]
	}
	u := &Use{options: l, Title: strings.TrimSpace("composer " + l.operand(0)), Dir: projectDir(l, "-d", "--working-dir")}
	switch l.operand(0) {
	case "install", "i":
		u.Kind = Fetch
		u.Installs = len(l.operands) == 1 && !hasWord(c, "global") && !l.on("--dry-run", "--download-only")
	case "update", "u", "upgrade", "require", "r", "reinstall", "create-project":
		u.Kind = Fetch
	case "clear-cache", "clearcache", "cc":
		u.Kind, u.Cleans = Clean, true
		if l.on("--gc") {
			u.Kind = 0
		}
	case "config":
		u.Kind = Locate
	}
	return u
}

func hasWord(c *shell.Command, value string) bool {
	return slices.ContainsFunc(c.Args(), func(w shell.Word) bool { return w.Value == value })
}

// composerCaches: an archive is named by its package and the commit or hash it
// was made from (06-config, cache-files-dir); the repositories' answers are
// asked for again whenever they are used. An archive's own hash is checked only
// where the repository gives one, so the cache must not be shared with a project
// that isn't trusted. It is written by moving files into place, but read by copying: hence
// Locked.
func composerCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	c := Cache{Name: "packages", Costs: "downloads every package again", ID: "imgmgr-composer", Locked: true, Fetched: true}
	c.Path, c.Guess = composerFolder(e)
	for _, w := range u.Command.Args() {
		if w.Literal && w.Value == "--no-cache" { // sets COMPOSER_CACHE_DIR to /dev/null
			c.Instead = append(c.Instead, Instead{w, ""})
			c.Guess = "what Composer does without --no-cache is known only for Composer 2"
		}
	}
	if v, set, _ := e.get("COMPOSER_CACHE_READ_ONLY"); set && v != "" && v != "0" {
		c.Useless = "COMPOSER_CACHE_READ_ONLY is set"
	}
	if v, _, _ := e.get("COMPOSER_CACHE_DIR"); v == "/dev/null" {
		c.Off = "COMPOSER_CACHE_DIR is /dev/null"
	}
	if v, set, _ := e.get("COMPOSER_DISABLE_NETWORK"); set && v != "" && v != "0" {
		c.Useless = "COMPOSER_DISABLE_NETWORK is set"
	}
	p := e.Project.in(u.Dir)
	if c.Project = composerName(p); c.Project == "" {
		c.Doubt = "the project's name isn't known, and its cache must not be shared with other projects"
	}
	if p.Known() {
		if strings.Contains(string(p.read("composer.json")), `"cache-dir"`) || strings.Contains(string(p.read("composer.json")), `"cache-files-dir"`) {
			c.Guess = "composer.json moves the cache"
		}
	}
	return []Cache{c}
}

// composerFolder is cache-dir (06-config; Factory.php, getCacheDir): of the
// variables COMPOSER_CACHE_DIR and COMPOSER_HOME, else by the XDG folders where
// one of their variables or /etc/xdg is there, else ~/.composer/cache.
func composerFolder(e Env) (dir, guess string) {
	home, doubt := e.home()
	if v, set, _ := e.get("COMPOSER_CACHE_DIR"); set && v != "" && v != "/dev/null" || e.Open["COMPOSER_CACHE_DIR"] {
		return e.folder("COMPOSER_CACHE_DIR", path.Join(home, ".composer/cache"), doubt)
	}
	if v, set, _ := e.get("COMPOSER_HOME"); set && v != "" || e.Open["COMPOSER_HOME"] {
		at, guess := e.folder("COMPOSER_HOME", path.Join(home, ".composer"), doubt)
		return path.Join(at, "cache"), guess
	}
	switch {
	case !e.Complete && repository(e.Base) == "composer":
		return "/tmp/cache", e.Why // ENV COMPOSER_CACHE_DIR in the official image
	case doubt != "":
		return path.Join(home, ".composer/cache"), doubt
	case !e.Complete:
		return path.Join(home, ".composer/cache"), e.Why
	}
	if v, set, _ := e.get("XDG_CACHE_HOME"); set && path.IsAbs(v) {
		return path.Join(v, "composer"), "whether ~/.composer/cache is there is not known"
	}
	return path.Join(home, ".composer/cache"), "where Composer keeps its cache depends on /etc/xdg (COMPOSER_CACHE_DIR says it)"
}

// composerName is the name in composer.json, which is optional for a project
// (04-schema, "name"); "" when it isn't known.
func composerName(p Project) string {
	var file struct {
		Name string `json:"name"`
	}
	if !p.Known() || json.Unmarshal(p.read("composer.json"), &file) != nil {
		return ""
	}
	return file.Name
}
