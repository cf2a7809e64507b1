package ecosystem

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// pip is Python's package installer, by its documentation at pip.pypa.io (topic
// guides "Caching" and "Configuration", "pip install", "Requirements File
// Format") and its source at github.com/pypa/pip.
func pip() *Tool {
	return &Tool{Name: "pip", Proven: true, Match: matchPip, Caches: pipCaches, Manifests: pipManifests, Habits: pipHabits, Example: Example{
		Base: "python:3.14",
		Files: map[string]string{
			"requirements.txt": "flask==3.1.2\n",
		},
		Commands: []string{
			"pip install -r requirements.txt",
			"pip install --no-cache-dir -r requirements.txt",
			"pip install .",
		},
	}}
}

// pipValued are the options whose value is the next word (pip install --help,
// "General Options", "Package Index Options").
var pipValued = [...]string{
	"-r", "--requirement", "-c", "--constraint", "-b", "--build-constraint", "-e", "--editable", "-t", "--target",
	"--platform", "--python-version", "--implementation", "--abi", "--root", "--prefix", "--src", "--upgrade-strategy",
	"-C", "--config-settings", "--config-setting", "--global-option", "--install-option", "--no-binary", "--only-binary",
	"-i", "--index-url", "--pypi-url", "--extra-index-url", "-f", "--find-links", "--progress-bar", "--root-user-action",
	"--report", "--group", "-d", "--dest", "--download", "-w", "--wheel-dir", "--python", "--log", "--log-file", "--proxy",
	"--retries", "--timeout", "--default-timeout", "--exists-action", "--trusted-host", "--cert", "--client-cert",
	"--cache-dir", "--use-feature", "--use-deprecated", "--keyring-provider",
}

var (
	pipName    = regexp.MustCompile(`^pip-?[0-9.]*$`)
	pythonName = regexp.MustCompile(`^(python|pypy)-?[0-9.]*$`)
)

func matchPip(c *shell.Command) *Use {
	words := pipWords(c)
	if words == nil {
		return nil
	}
	l := parseLine(&shell.Command{Words: words}, pipValued[:]...)
	u := &Use{options: l, Title: path.Base(words[0].Value) + " " + l.operand(0)}
	switch l.operand(0) {
	case "install", "wheel", "download":
		u.Kind = Fetch
		if l.on("--no-index") {
			u.Kind = 0 // it takes everything from folders
		}
		u.pipInstalls()
		u.pipApart()
	case "cache":
		u.Title += " " + l.operand(1)
		switch l.operand(1) {
		case "purge":
			u.Kind, u.Cleans = Clean, true
		case "remove":
			u.Kind = Clean
		case "dir", "info", "list":
			u.Kind = Locate
		}
	case "config":
		u.Kind = Locate
	default:
		u.Title = "pip"
	}
	return u
}

// pipWords are the words of a pip command from its name on: "pip3.12 install
// …", or "python3 -I -m pip install …".
func pipWords(c *shell.Command) []shell.Word {
	if pipName.MatchString(c.Name()) {
		return c.Words
	}
	return moduleWords(c, "pip")
}

// pipCaches: HTTP responses lie in http-v2, before pip 23.3 in http, and wheels
// that pip has built itself in wheels ("Caching"). Files of an index don't
// change and are checked against the hash in their link; the index's pages are
// asked for with max-age=0, so that they are always revalidated
// (pip/_internal/index/collector.py). So one cache of responses serves all. A
// built wheel is found by the address of its source and the interpreter alone
// (pip/_internal/cache.py, SimpleWheelCache).
//
// The folder also has selfcheck, which stays in the image.
func pipCaches(u *Use, e Env) []Cache {
	if u.options.on("--no-index") {
		return []Cache{{Useless: "it takes everything from folders (--no-index)"}}
	}
	if u.Kind&Fetch == 0 {
		return nil
	}
	root, guess := pipCacheDir(u, e)
	off := pipNoCache(u.options)
	var list []Cache
	for _, name := range pipFormats(e) {
		c := Cache{Name: name, Path: path.Join(root, name), Guess: guess, Costs: "downloads every package again", ID: "imgmgr-pip-" + name, Fetched: true}
		for _, f := range off {
			// Without the flag pip would leave its wheels in the image, too.
			c.Scratch = root
			c.Instead = append(c.Instead, Instead{Word: f.word})
		}
		c.Off, c.Useless = pipOff(e)
		list = append(list, c)
	}
	if len(off) > 0 || list[0].Off != "" {
		return list
	}
	wheels := Cache{Name: "wheels", Path: path.Join(root, "wheels"), Guess: guess, Costs: "builds every package again that has no wheel", ID: "imgmgr-pip-wheels", Useless: list[0].Useless}
	for _, f := range u.options.flags {
		if f.name == "--no-build-isolation" || f.name == "-C" || strings.HasPrefix(f.name, "--config-setting") {
			wheels.Doubt = "pip is given " + f.name + ", which its cache of wheels does not see"
		}
	}
	wheels.compiled(e)
	wheels.trusted(pythonProject(e.Project))
	return append(list, wheels)
}

// pipNoCache are the flags that turn the cache off. pip takes an option by its
// beginning (optparse), so that --no-cache is one of them.
func pipNoCache(l line) []flag {
	return slices.DeleteFunc(slices.Clone(l.flags), func(f flag) bool {
		return !f.word.Literal || len(f.word.Value) < len("--no-ca") || !strings.HasPrefix("--no-cache-dir", f.word.Value)
	})
}

// pipOff says what in the environment turns the cache off, or makes it of no
// use. PIP_NO_CACHE_DIR does so whatever it is set to, "off" and "0", too; an
// empty variable doesn't count (pip/_internal/cli/cmdoptions.py,
// _handle_no_cache_dir; cli/parser.py).
func pipOff(e Env) (off, useless string) {
	if v, set, known := e.get("PIP_NO_CACHE_DIR"); set && v != "" || !known && e.Open["PIP_NO_CACHE_DIR"] {
		return "PIP_NO_CACHE_DIR turns the cache off", ""
	}
	if v, _, _ := e.get("PIP_NO_INDEX"); v != "" && v != "0" && v != "false" {
		return "", "PIP_NO_INDEX is set"
	}
	return "", ""
}

// pipCacheDir is --cache-dir, PIP_CACHE_DIR, or pip's folder in the user's
// cache folder ("Caching", "Where is the cache stored").
func pipCacheDir(u *Use, e Env) (dir, guess string) {
	home, doubt := e.home()
	def, guess := e.folder("XDG_CACHE_HOME", path.Join(home, ".cache"), doubt)
	def = path.Join(def, "pip")
	if f, ok := u.options.last("--cache-dir"); ok {
		if f.known && path.IsAbs(f.value) {
			return path.Clean(f.value), ""
		}
		return def, "pip is given another cache folder"
	}
	return e.folder("PIP_CACHE_DIR", def, guess)
}

// pipFormats are the folders of responses that the pip of the environment may
// use. The official images say which pip they bring, or leave that to Python,
// which has brought pip 24 since 3.12.1 (github.com/docker-library/python;
// Lib/ensurepip).
func pipFormats(e Env) []string {
	const old, current = "http", "http-v2"
	v, set, known := e.get("PYTHON_PIP_VERSION")
	python, _, _ := e.get("PYTHON_VERSION")
	switch {
	case repository(e.Base) != "python" || !known:
	case set && semver.Compare("v"+majorMinor(v), "v23.3") >= 0,
		!set && semver.Compare("v"+majorMinor(python), "v3.12") >= 0:
		return []string{current}
	}
	return []string{current, old}
}

var pypiName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]]*\])?($|[=<>!~@; ])`)

// pipHabits: PyPI keeps every version unless its owner takes one away (PEP 592).
func pipHabits(u *Use) Habits {
	if u.options.operand(0) != "install" || u.Kind&Fetch == 0 {
		return Habits{}
	}
	h := Habits{Lasting: true, Pin: "NAME==VERSION", Codes: Codes{Pin: "DL3013", Cache: "DL3042"}}
	if len(pipNoCache(u.options)) == 0 {
		h.Leaves, h.NoCache = "/root/.cache/pip", "--no-cache-dir"
	}
	if len(u.options.values("-c", "--constraint")) == 0 {
		h.Packages = u.options.packages(1, func(name string) bool {
			return notEndingIn(".whl", ".gz", ".zip")(name) && pypiName.MatchString(name)
		}, containing("=<>~@"))
	}
	return h
}
