package ecosystem

import (
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// uv is Astral's package manager for Python, by its documentation at
// docs.astral.sh/uv (concepts "Caching" and "Locking and syncing", reference
// "Commands", "Settings" and "Environment variables").
func uv() *Tool {
	return &Tool{Name: "uv", Match: matchUV, Caches: uvCaches, Manifests: uvManifests, Example: Example{
		Base: "python:3.14",
		Files: map[string]string{
			"pyproject.toml": "[project]\nname = \"app\"\nversion = \"1\"\n",
			"uv.lock":        "version = 1\n",
		},
		Commands: []string{
			"UV_LINK_MODE=copy uv sync --locked --no-install-project",
			"uv sync --locked",
			"UV_LINK_MODE=copy uv pip install flask",
		},
	}}
}

// uvValued are the options whose value is the next word ("Commands").
var uvValued = [...]string{
	"--cache-dir", "-p", "--python", "--project", "--directory", "--config-file", "--link-mode", "-i", "--index-url", "--extra-index-url",
	"--index", "--default-index", "-f", "--find-links", "--extra", "--group", "--no-group", "--only-group", "--package", "-r", "--requirements",
	"--requirement", "-c", "--constraints", "--constraint", "--overrides", "--override", "-b", "--build-constraints", "--prefix", "--target", "-t",
	"-e", "--editable", "--color", "--keyring-provider", "--resolution", "--prerelease", "--exclude-newer", "--no-install-package", "--no-extra",
	"--no-binary", "--only-binary", "--no-binary-package", "--no-build-package", "-C", "--config-setting", "--config-settings", "--python-version", "--python-platform",
	"--torch-backend", "--allow-insecure-host", "--trusted-host", "-w", "--with", "--with-requirements", "--with-editable", "--from", "--env-file",
	"-P", "--upgrade-package", "--refresh-package", "--reinstall-package", "--index-strategy", "--python-preference", "--no-build-isolation-package",
}

func matchUV(c *shell.Command) *Use {
	name, words := c.Name(), c.Words
	if name != "uv" && name != "uvx" {
		if words = moduleWords(c, "uv"); words == nil {
			return nil
		}
	}
	l := parseLine(&shell.Command{Words: words}, uvValued[:]...)
	u := &Use{options: l, Title: "uv " + l.operand(0), Dir: "."}
	switch l.operand(0) {
	case "sync":
		u.Kind = Fetch
		u.Installs = len(l.operands) == 1 && !l.on("--dry-run", "--check")
		u.Dir = projectDir(l, "--project", "--directory")
	case "add", "remove", "lock", "run", "build", "venv", "export":
		u.Kind = Fetch
	case "pip":
		u.Title = "uv pip " + l.operand(1)
		switch l.operand(1) {
		case "install", "sync", "compile":
			u.Kind = Fetch
			u.uvRequirements()
		}
	case "tool":
		u.Title = "uv tool " + l.operand(1)
		if slices.Contains([]string{"install", "run", "upgrade"}, l.operand(1)) {
			u.Kind = Fetch
		}
	case "cache", "clean":
		u.Title = strings.TrimSpace("uv " + l.operand(0) + " " + l.operand(1))
		switch {
		case l.operand(1) == "dir", l.operand(1) == "size":
			u.Kind = Locate
		default:
			u.Kind, u.Cleans = Clean, l.operand(1) == "clean" && len(l.operands) == 2
		}
	default:
		u.Title = "uv"
	}
	if name == "uvx" {
		u.Title, u.Kind, u.Installs = "uvx", Fetch, false
	}
	if u.Kind&Fetch != 0 && l.on("--offline") {
		u.Kind = Offline
	}
	return u
}

// uvRequirements recognises "uv pip install -r requirements.txt", with packages
// of an index beside it.
func (u *Use) uvRequirements() {
	files := u.options.values("-r", "--requirement", "--requirements")
	if u.options.operand(1) != "install" || len(files) == 0 || u.options.on("--dry-run") {
		return
	}
	u.Installs = true
	for _, w := range u.options.operands[2:] {
		u.Installs = u.Installs && w.Literal && indexed(w.Value)
	}
	for i, f := range append(files, u.options.values("-c", "--constraint", "--constraints")...) {
		dir := path.Dir(path.Clean(f.value))
		if !f.known || !strings.HasSuffix(f.value, ".txt") || path.IsAbs(f.value) || strings.HasPrefix(dir, "..") || i > 0 && dir != u.Dir {
			u.Dir = ""
			return
		}
		u.Dir = dir
	}
}

// uvCaches: several processes may use the cache at once, entries are only ever
// added, and its parts are versioned ("Caching", "Cache safety"). It holds archives unpacked, which aren't
// checked against their hash again, and wheels that were built. Where it can't
// be linked from, as from a mount, uv copies ("link-mode"); links by symlink
// would lead nowhere.
func uvCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	c := Cache{Name: "packages", Costs: "downloads every package again", ID: "imgmgr-uv", Fetched: true}
	file, _ := e.Project.pyproject()
	c.Path, c.Guess = uvCacheDir(u, file, e)
	for _, f := range u.options.flags {
		if f.name == "--no-cache" || f.name == "--no-cache-dir" || f.name == "-n" {
			// With it the cache is a folder that is deleted behind the run.
			c.Instead = append(c.Instead, Instead{Word: f.word})
		}
	}
	switch v, set, known := e.get("UV_NO_CACHE"); {
	case set && v != "" && v != "0" && v != "false", !known && e.Open["UV_NO_CACHE"]:
		c.Off = "UV_NO_CACHE turns the cache off"
	case file.Tool.UV.NoCache:
		c.Off = "no-cache in pyproject.toml turns the cache off"
	}
	if v, _, _ := e.get("UV_OFFLINE"); v != "" && v != "0" && v != "false" || file.Tool.UV.Offline {
		c.Useless = "uv is told to work offline"
	}
	mode, _, known := e.get("UV_LINK_MODE")
	if f, ok := u.options.last("--link-mode"); ok {
		mode, known = f.value, f.known
	} else if mode == "" {
		mode = file.Tool.UV.LinkMode
	}
	switch {
	case mode == "symlink":
		c.Off = "what is installed would be links into the cache"
	case !known && (mode != "" || e.Open["UV_LINK_MODE"]):
		c.Doubt = "the link mode of uv is not known"
	case u.Title == "uvx", u.Title == "uv tool run", u.Title == "uv run":
		c.Doubt = u.Title + " leaves environments in the cache, which the program may use at run time"
	case u.options.on("--no-build-isolation"):
		c.Doubt = "uv is given --no-build-isolation, which its cache does not see"
	}
	c.trusted(pythonProject(e.Project))
	c.compiled(e)
	return []Cache{c}
}

// uvCacheDir is --cache-dir, UV_CACHE_DIR, the setting cache-dir, or uv in the
// user's cache folder ("Caching", "Cache directory").
func uvCacheDir(u *Use, file pyproject, e Env) (dir, guess string) {
	home, doubt := e.home()
	def, guess := e.folder("XDG_CACHE_HOME", path.Join(home, ".cache"), doubt)
	def = path.Join(def, "uv")
	if f, ok := u.options.last("--cache-dir"); ok {
		if f.known && path.IsAbs(f.value) {
			return path.Clean(f.value), ""
		}
		return def, "uv is given another cache folder"
	}
	if v := file.Tool.UV.CacheDir; path.IsAbs(v) {
		def, guess = path.Clean(v), ""
	} else if v != "" {
		guess = "cache-dir in pyproject.toml names a folder that is not known"
	}
	if e.Project.Known() {
		if there, err := e.Project.Has("uv.toml"); there || err != nil {
			guess = "uv.toml may name another cache folder"
		}
	}
	return e.folder("UV_CACHE_DIR", def, guess)
}
