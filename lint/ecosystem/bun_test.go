package ecosystem_test

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

func TestBun(t *testing.T) {
	for _, tt := range []pair{
		{"bun install --frozen-lockfile", "bun: bun install fetch installs"},
		{"bun --cwd web i --frozen-lockfile", "bun: bun i fetch installs in web"},
		{"bun ci", "bun: bun ci fetch installs"},
		{"bun install", "bun: bun install fetch installs doubt"},
		{"bun install react", "bun: bun install fetch doubt"},
		{"bun add -g serve", "bun: bun add fetch"},
		{"bunx vite", "bun: bunx fetch"},
		{"bun pm cache rm", "bun: bun pm cache rm clean"},
		{"bun pm cache", "bun: bun pm cache locate"},
		{"bun run build", "bun: bun"},
		{"bunyan x", "none"},
	} {
		if got := shown(t, tt.in); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
	}
	lock := func(packages, more string) string {
		return `{"lockfileVersion": 1, "workspaces": {"": {"name": "api"},` + more + `}, "packages": {` + packages + `},}`
	}
	const ms = `"ms": ["ms@2.1.3", "", {}, "sha512-6F=="],`
	in := func(files []string, vars ...string) ecosystem.Env {
		e := root(vars...)
		e.Project = project(append([]string{"package.json", `{"name": "api"}`, "bun.lock", lock(ms, "")}, files...)...)
		return e
	}
	locked := func(text string) ecosystem.Env {
		e := root()
		e.Project = project("package.json", `{"name": "api"}`, "bun.lock", text)
		return e
	}
	foreign := func(name string) string {
		return " doubt(some releases of bun fail to copy packages that are not of a registry, as " + name + " is, from a cache on another file system)"
	}
	const cache, end = "packages /root/.bun/install/cache", " project(api)"
	const left = " doubt(bun leaves an empty file in /tmp when its cache is on another file system, as a mount is)" + end
	for _, tt := range []struct {
		command string
		env     ecosystem.Env
		want    string
	}{
		{"bun ci", in(nil), cache + left},
		{"bun install", in(nil), cache + " doubt(bun install may choose versions by what an old cache holds)" + end},
		{"bun ci", in(nil, "BUN_INSTALL=/b"), "packages /b/install/cache" + left},
		{"bun ci", in(nil, "BUN_INSTALL=/b", "BUN_INSTALL_CACHE_DIR=/c"), "packages /c" + left},
		{"bun ci", in(nil, "XDG_CACHE_HOME=/x"), cache + " guess(XDG_CACHE_HOME may move bun's cache)" + left},
		{"bun ci --cache-dir /d", in(nil), "packages /d" + left},
		{"bun ci", in([]string{"bunfig.toml", "[install.cache]\ndir = \"/e\""}), "packages /e" + left},
		{"bun ci", in([]string{"bunfig.toml", "[install.cache]\ndisable = true"}), cache + left + " off(bunfig.toml turns the cache off)"},
		{"bun ci", in([]string{"bunfig.toml", "["}), cache + " doubt(bunfig.toml can't be read)" + end},
		{"bun ci", in([]string{".npmrc", "cache=/n"}), cache + " guess(cache in .npmrc moves bun's cache)" + left},
		{"bun ci --backend symlink", in(nil), cache + left + " off(what is installed would be links into the cache)"},
		{"bun ci", in([]string{"package.json", "{}"}), cache + " doubt(the project's name isn't known, and the cache must not be shared with other projects)"},
		{"bun ci", locked("{"), cache + " doubt(bun.lock can't be read)" + end},
		{"bun ci", locked(lock(ms, `"p/a": {}`)), cache + " doubt(some releases of bun fail to copy packages of workspaces from a cache on another file system)" + end},
		{"bun ci", locked(`{"patchedDependencies": {"ms@2.1.3": "x"}}`), cache + " doubt(bun.lock has patchedDependencies)" + end},
		{"bun ci", locked(lock(ms+`"a": ["a@github:x/a#1", {}, "x-a-1"],`, "")), cache + foreign("a") + end},
		{"bun ci", locked(lock(`"a": ["a@https://x/a.tgz", {}, "sha512-A=="]`, "")), cache + foreign("a") + end},
		{"bun ci", root(), cache + " doubt(the build context, and so bun.lock, is not known)"},
	} {
		if got := cachesOf(t, tt.command, tt.env); got != tt.want {
			t.Errorf("caches of %s:\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
}

// TestBunManifests plants one trap at a time into a project that may be moved:
// no scripts run, so that bun.lock need not say whose.
func TestBunManifests(t *testing.T) {
	const good, cmd = "package.json bun.lock", "bun ci --ignore-scripts"
	const lock = "{\n  \"lockfileVersion\": 1,\n  \"workspaces\": {\n    \"\": {\"name\": \"api\",},\n  },\n}\n"
	for _, tt := range []struct {
		name, command, lock string
		more                []string
		want                string
	}{
		{"nothing", cmd, lock, nil, good},
		{"scripts", "bun ci", lock, nil, good + " doubt: bun.lock does not say which packages have install scripts, which may read the sources"},
		{"lock may be written", "bun i --ignore-scripts", lock, nil, good + " doubt: bun i without --frozen-lockfile may write the lock file"},
		{"a workspace", cmd, `{"workspaces": {"": {}, "p/a": {}}}`, nil, good + " breaks: bun.lock has the package p/a of a workspace"},
		{"a folder", cmd, `{"packages": {"b": ["b@file:b", {}],}}`, nil, good + " breaks: bun.lock has packages of file:"},
		{"patches", cmd, `{"patchedDependencies": {"a@1": "x"}}`, nil, good + " breaks: bun.lock has patchedDependencies"},
		{"a bad lock", cmd, `{`, nil, good + " doubt: bun.lock can't be read"},
		{"settings", cmd, lock, []string{"bunfig.toml", ""}, good + " doubt: the context has bunfig.toml"},
		{"variables", cmd, lock, []string{".env", ""}, good + " doubt: the context has .env"},
		{"an option", cmd + " --linker isolated", lock, nil, good + " doubt: bun is given --linker"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := root()
			e.Project = project(append([]string{"package.json", "{}", "bun.lock", tt.lock}, tt.more...)...)
			if got := manifests(t, tt.command, e); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
	e := root()
	e.Project = project("package.json", "{}", "bun.lockb", "")
	if got, want := manifests(t, cmd, e), "package.json bun.lockb doubt: bun.lockb is binary, so that what it holds is not known"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestConda(t *testing.T) {
	for _, tt := range []pair{
		{"conda install -y -c conda-forge numpy", "conda: conda install fetch"},
		{"mamba env create -f environment.yml", "conda: mamba env create fetch"},
		{"micromamba install -y -n base -f env.yml", "conda: micromamba install fetch"},
		{"conda env list", "conda: conda env list"},
		{"conda install --offline x", "conda: conda install offline"},
		{"conda clean -afy", "conda: conda clean clean"},
		{"conda clean --all --yes", "conda: conda clean clean"},
		{"conda clean -tipsy", "conda: conda clean clean"},
		{"conda clean --index-cache -y", "conda: conda clean"},
		{"conda config --set x y", "conda: conda config locate"},
		{"conda run x", "conda: conda"},
	} {
		if got := shown(t, tt.in); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
	}
	in := func(base string, vars ...string) ecosystem.Env {
		e := root(vars...)
		e.Base = base
		return e
	}
	const doubt = " doubt(the base image keeps its own packages there, which the mount would hide)"
	for _, tt := range []struct {
		env  ecosystem.Env
		want string
	}{
		{in("continuumio/miniconda3:24"), "packages /opt/conda/pkgs" + doubt},
		{in("debian:12"), "packages /opt/conda/pkgs guess(where conda is installed is not known)" + doubt},
		{in("debian:12", "CONDA_DIR=/c"), "packages /c/pkgs" + doubt},
		{in("condaforge/miniforge3", "CONDA_PKGS_DIRS=/p,/q"), "packages /p" + doubt},
		{in("condaforge/miniforge3", "CONDA_ALWAYS_SOFTLINK=true"), "packages /opt/conda/pkgs" + doubt + " off(what is installed would be links into the cache)"},
	} {
		if got := cachesOf(t, "conda install x", tt.env); got != tt.want {
			t.Errorf("caches:\n got %s\nwant %s", got, tt.want)
		}
	}
}
