package ecosystem

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// poetry is a project manager for Python, by its documentation at
// python-poetry.org/docs ("Commands", "Configuration") and its source at
// github.com/python-poetry/poetry.
func poetry() *Tool {
	return &Tool{Name: "poetry", Proven: true, Match: matchPoetry, Caches: poetryCaches, Manifests: poetryManifests, Example: Example{
		Base: "python:3.14",
		Files: map[string]string{
			"pyproject.toml": "[project]\nname = \"app\"\nversion = \"1\"\n",
			"poetry.lock":    "",
		},
		Commands: []string{
			"poetry install --no-root",
			"poetry install",
		},
	}}
}

// poetryValued are the options whose value is the next word ("Commands").
var poetryValued = [...]string{"-C", "--directory", "-P", "--project", "--with", "--without", "--only", "-E", "--extras", "-G", "--group", "--source", "--python", "-f", "--format", "-o", "--output"}

func matchPoetry(c *shell.Command) *Use {
	words := poetryWords(c)
	if words == nil {
		return nil
	}
	l := parseLine(&shell.Command{Words: words}, poetryValued[:]...)
	u := &Use{options: l, Title: "poetry " + l.operand(0), Dir: projectDir(l, "-C", "--directory", "-P", "--project")}
	switch l.operand(0) {
	case "install", "sync":
		u.Kind = Fetch
		u.Installs = len(l.operands) == 1 && !l.on("--dry-run", "--only-root")
	case "add", "update", "lock", "export", "build", "remove":
		u.Kind = Fetch
	case "self":
		u.Title = "poetry self " + l.operand(1)
		if slices.Contains([]string{"add", "update", "install", "sync"}, l.operand(1)) {
			u.Kind = Fetch
		}
	case "cache":
		u.Title = "poetry cache " + l.operand(1)
		if l.operand(1) == "clear" {
			u.Kind = Clean
		}
	case "config", "env":
		u.Kind = Locate
	default:
		u.Title = "poetry"
	}
	return u
}

// poetryWords are the words of "poetry …" or "python -m poetry …".
func poetryWords(c *shell.Command) []shell.Word {
	if c.Name() == "poetry" {
		return c.Words
	}
	return moduleWords(c, "poetry")
}

// poetryCaches: of the folder "cache-dir", cache holds what indexes have
// answered and artifacts the archives. Those are checked against the lock file
// (installation/executor.py), but for wheels that poetry has built itself,
// which lie beside their sources (utils/cache.py, since 1.4): no image made of
// those has been proven equal yet. The folder itself also has the virtual
// environments ("virtualenvs.path") and so is no cache.
func poetryCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	root, guess := poetryCacheDir(e)
	answers := Cache{Name: "cache", Path: path.Join(root, "cache"), Guess: guess, Costs: "downloads every package again", ID: "imgmgr-poetry-cache", Fetched: true}
	if u.options.on("--no-cache") {
		answers.Off = "--no-cache turns the cache off"
	}
	if u.options.operand(0) == "lock" || u.options.operand(0) == "add" || u.options.operand(0) == "update" {
		answers.Doubt = u.Title + " may choose versions by what an old cache holds"
	}
	artifacts := Cache{Name: "artifacts", Path: path.Join(root, "artifacts"), Guess: guess, Costs: answers.Costs, ID: "imgmgr-poetry", Fetched: true, Off: answers.Off}
	artifacts.trusted(pythonProject(e.Project))
	artifacts.compiled(e)
	if why := poetrySources(e.Project); artifacts.Doubt == "" {
		artifacts.Doubt = why
	}
	return []Cache{artifacts, answers}
}

// poetrySources says why poetry may build a wheel itself, and keep it; "" where
// the lock file names wheels of all packages.
func poetrySources(p Project) string {
	var lock poetryLock
	if !p.Known() || !p.regular("poetry.lock") || toml.Unmarshal(p.read("poetry.lock"), &lock) != nil {
		return "which packages poetry builds a wheel of, and keeps, is not known without poetry.lock"
	}
	for _, pkg := range lock.Packages {
		files := append(slices.Clone(pkg.Files), lock.Metadata.Files[pkg.Name]...) // there until lock version 2.0
		if !slices.ContainsFunc(files, func(f poetryFile) bool { return strings.HasSuffix(f.File, ".whl") }) {
			return "poetry builds a wheel of " + pkg.Name + " and keeps it, and no image made of such a one has been proven equal yet"
		}
	}
	return ""
}

// poetryCacheDir is POETRY_CACHE_DIR, cache-dir in the project's poetry.toml, or
// pypoetry in the user's cache folder ("Configuration", "cache-dir").
func poetryCacheDir(e Env) (dir, guess string) {
	home, doubt := e.home()
	def, guess := e.folder("XDG_CACHE_HOME", path.Join(home, ".cache"), doubt)
	def = path.Join(def, "pypoetry")
	var config struct {
		CacheDir string `toml:"cache-dir"`
	}
	if e.Project.Known() {
		if err := toml.Unmarshal(e.Project.read("poetry.toml"), &config); err != nil {
			guess = "poetry.toml can't be read"
		}
	}
	switch v := config.CacheDir; {
	case path.IsAbs(v):
		def, guess = path.Clean(v), ""
	case v != "":
		guess = "cache-dir in poetry.toml names a folder that is not known"
	}
	return e.folder("POETRY_CACHE_DIR", def, guess)
}

// poetryLock is what matters of poetry.lock.
type poetryLock struct {
	Packages []struct {
		Name   string       `toml:"name"`
		Files  []poetryFile `toml:"files"`
		Source struct {
			Type string `toml:"type"`
			URL  string `toml:"url"`
		} `toml:"source"`
	} `toml:"package"`
	Metadata struct {
		Files map[string][]poetryFile `toml:"files"`
	} `toml:"metadata"`
}

type poetryFile struct {
	File string `toml:"file"`
}

// poetryManifests says what "poetry install" reads: pyproject.toml,
// poetry.lock and poetry.toml; without --no-root the project's sources, too.
func poetryManifests(u *Use, e Env) Manifests {
	m := Manifests{Outputs: pipOutputs(u, e), Elsewhere: true, Doubt: u.Doubt}
	p := e.Project
	m.poetryOptions(u)
	m.pythonVariables(e, "", nil)
	if !p.Known() {
		m.Files = []string{"pyproject.toml", "poetry.lock*"}
		m.doubt("the build context is not known")
		return m
	}
	for _, name := range []string{"pyproject.toml", "poetry.lock", "poetry.toml"} {
		if there, err := p.Has(name); err != nil {
			m.doubt(err.Error())
		} else if there {
			m.Files = append(m.Files, name)
		}
	}
	file, ok := p.pyproject()
	if !ok {
		m.breaks("pyproject.toml can't be read")
		return m
	}
	// "Basic usage", "Operating modes": without package mode there is no root.
	packaged := file.Tool.Poetry.PackageMode == nil || *file.Tool.Poetry.PackageMode
	if packaged && !u.options.on("--no-root", "--only") {
		m.breaks("poetry install installs the project itself, too (--no-root leaves it for a later step)")
	}
	if f, ok := u.options.last("--only"); ok && strings.Contains(f.value, "root") {
		m.breaks("poetry install is asked for the project itself")
	} else if ok && u.options.operand(0) == "sync" {
		m.doubt("poetry sync removes what it isn't asked for")
	}
	var lock poetryLock
	if data := p.read("poetry.lock"); data == nil {
		m.doubt("the context has no poetry.lock")
	} else if err := toml.Unmarshal(data, &lock); err != nil {
		m.doubt("poetry.lock can't be read")
	}
	for _, pkg := range lock.Packages {
		if t := pkg.Source.Type; t == "directory" || t == "file" {
			m.breaks(fmt.Sprintf("poetry.lock has the local package %s (%s)", pkg.Name, pkg.Source.URL))
		}
	}
	return m
}

// poetryOptions looks at the options.
func (m *Manifests) poetryOptions(u *Use) {
	for _, f := range u.options.flags {
		switch f.name {
		case "--no-root", "--no-dev", "--only", "--with", "--without", "-E", "--extras", "--all-extras", "--all-groups", "--sync", "--compile",
			"-n", "--no-interaction", "--no-ansi", "--ansi", "-q", "--quiet", "-v", "-vv", "-vvv", "--verbose", "--no-cache", "--no-directory",
			"-C", "--directory", "-P", "--project", "--remove-untracked":
			if !f.known {
				m.doubt("the value of poetry's " + f.name + " is not known")
			}
		default:
			m.doubt("poetry is given " + f.name)
		}
	}
}
