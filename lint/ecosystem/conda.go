package ecosystem

import (
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// conda is a package manager for whole environments, by docs.conda.io
// ("Commands", ".condarc", "Using the pkgs cache") and mamba.readthedocs.io: conda,
// mamba and micromamba.
func conda() *Tool {
	return &Tool{Name: "conda", Match: matchConda, Caches: condaCaches, Habits: condaHabits, Example: Example{
		Base: "continuumio/miniconda3",
		Files: map[string]string{
			"environment.yml": "name: app\n",
		},
		Commands: []string{
			"conda install -y numpy",
			"conda env update -f environment.yml && conda clean -afy",
		},
	}}
}

// condaValued are the options whose value is the next word ("conda install").
var condaValued = [...]string{
	"-n", "--name", "-p", "--prefix", "-c", "--channel", "-f", "--file", "--repodata-fn", "--experimental", "--solver", "--subdir", "--platform",
	"--revision", "--clone", "-r", "--root-prefix", "--rc-file", "--cacert",
}

func matchConda(c *shell.Command) *Use {
	name := c.Name()
	if name != "conda" && name != "mamba" && name != "micromamba" {
		return nil
	}
	l := parseLine(c, condaValued[:]...)
	u := &Use{options: l, Title: name + " " + l.operand(0)}
	word := l.operand(0)
	if word == "env" {
		word = l.operand(1)
		u.Title += " " + word
		if !slices.Contains([]string{"create", "update"}, word) {
			return u
		}
	}
	switch word {
	case "install", "create", "update", "upgrade":
		u.Kind = Fetch
		if l.on("--dry-run", "-d") {
			u.Kind = 0
		}
		if l.on("--offline") {
			u.Kind = Offline
		}
	case "clean":
		u.Kind = Clean
		if !l.on("-a", "--all", "-p", "--packages", "-t", "--tarballs") && !condaCleans(l) {
			u.Kind = 0
		}
	case "config", "info":
		u.Kind = Locate
	default:
		u.Title = name
	}
	return u
}

// condaCleans reports a cluster of short options, as in "conda clean -tipsy",
// that empties the packages.
func condaCleans(l line) bool {
	return slices.ContainsFunc(l.flags, func(f flag) bool {
		return len(f.word.Value) > 2 && f.word.Value[1] != '-' && strings.ContainsAny(f.word.Value[1:], "apt")
	})
}

// condaCaches: pkgs holds archives and what they unpack to. Environments are
// made of hard links to that, and of copies where it can't be linked from, as
// from a mount. The base environment's own packages lie there, too, with
// records that conda looks at: a mount hides them, and so is never proven.
func condaCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	c := Cache{
		Name: "packages", Costs: "downloads every package again", ID: "imgmgr-conda", Locked: true, Fetched: true, PerBase: true,
		Doubt: "the base image keeps its own packages there, which the mount would hide",
	}
	c.Path, c.Guess = condaPkgs(u, e)
	for _, f := range u.options.flags {
		if f.name == "--download-only" {
			c.Doubt = "conda is told to download only, so a later step may need the packages"
		}
	}
	if v, _, _ := e.get("CONDA_ALWAYS_SOFTLINK"); v == "true" || v == "1" || v == "yes" {
		c.Off = "what is installed would be links into the cache"
	}
	return []Cache{c}
}

// condaPkgs is the first of CONDA_PKGS_DIRS, or pkgs in the root prefix, which
// is /opt/conda in the images of Anaconda, conda-forge and mamba.
func condaPkgs(u *Use, e Env) (dir, guess string) {
	if v, set, known := e.get("CONDA_PKGS_DIRS"); set {
		first, _, _ := strings.Cut(v, ",")
		if path.IsAbs(first) {
			return path.Clean(first), ""
		}
		guess = "CONDA_PKGS_DIRS=" + v + " is no absolute path"
	} else if !known && e.Open["CONDA_PKGS_DIRS"] {
		guess = "the value of CONDA_PKGS_DIRS is not known"
	}
	owner, _, _ := strings.Cut(repository(e.Base), "/")
	if guess == "" && !slices.Contains([]string{"continuumio", "condaforge", "mambaorg"}, owner) {
		guess = "where conda is installed is not known"
	}
	root, doubt := "/opt/conda", guess
	for _, name := range []string{"CONDA_DIR", "CONDA_ROOT", "MAMBA_ROOT_PREFIX"} {
		if v, set, _ := e.get(name); set && path.IsAbs(v) {
			root, doubt = path.Clean(v), ""
		}
	}
	if f, ok := u.options.last("-r", "--root-prefix"); ok && f.known && path.IsAbs(f.value) {
		root, doubt = path.Clean(f.value), ""
	}
	return path.Join(root, "pkgs"), doubt
}

// condaHabits: a channel keeps every version ("conda install", package match
// specifications).
func condaHabits(u *Use) Habits {
	verb := u.options.operand(0)
	if u.Kind&Fetch == 0 || verb != "install" && verb != "create" && verb != "update" {
		return Habits{}
	}
	h := Habits{Lasting: true, Pin: "NAME=VERSION"}
	if !u.options.on("--yes", "--dry-run", "-d", "--json") && !u.options.short("y") && u.Command.Name() != "micromamba" {
		h.Yes = "-y"
	}
	if _, ok := u.options.last("-f", "--file"); !ok && verb == "install" {
		h.Packages = u.options.packages(1, notEndingIn(".conda", ".bz2"), containing("=<>"))
	}
	h.Leaves, h.Clean = "/opt/conda/pkgs", u.Command.Name()+" clean --all --yes"
	return h
}
