package ecosystem_test

import (
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

func TestUVCommands(t *testing.T) {
	for _, tt := range []pair{
		{"uv sync --frozen --no-install-project", "uv: uv sync fetch installs"},
		{"uv --no-progress sync --project api", "uv: uv sync fetch installs in api"},
		{"uv sync --dry-run", "uv: uv sync fetch"},
		{"uv sync --offline", "uv: uv sync offline installs"},
		{"uv pip install --system -r requirements.txt", "uv: uv pip install fetch installs"},
		{"uv pip install -r requirements/x.txt flask", "uv: uv pip install fetch installs in requirements"},
		{"uv pip install -r pyproject.toml", "uv: uv pip install fetch installs in ?"},
		{"uv pip install -e .", "uv: uv pip install fetch"},
		{"uv pip install -r requirements.txt .", "uv: uv pip install fetch"},
		{"uv pip list", "uv: uv pip list"},
		{"uv add flask", "uv: uv add fetch"},
		{"uv tool install ruff", "uv: uv tool install fetch"},
		{"uvx ruff", "uv: uvx fetch"},
		{"uv cache clean", "uv: uv cache clean clean"},
		{"uv cache prune --ci", "uv: uv cache prune clean"},
		{"uv cache dir", "uv: uv cache dir locate"},
		{"uv python install 3.13", "uv: uv"},
		{"uv --version", "uv: uv"},
		{"uvicorn app:app", "none"},
	} {
		if got := shown(t, tt.in); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestUVCaches(t *testing.T) {
	in := func(pyproject string, vars ...string) ecosystem.Env {
		e := root(vars...)
		e.Project = project("pyproject.toml", "[project]\nname = \"api\"\n"+pyproject)
		return e
	}
	toml := in("")
	toml.Project = project("pyproject.toml", "[project]\nname = \"api\"\n", "uv.toml", "cache-dir = \"/c\"")
	open := in("")
	open.Open = map[string]bool{"UV_LINK_MODE": true}
	const cache, end = "packages /root/.cache/uv", " project(api) native"
	for _, tt := range []struct {
		command string
		env     ecosystem.Env
		want    string
	}{
		{"uv sync", in(""), cache + end},
		{"uv sync", root(), cache + " doubt(the project's name isn't known, and the cache must not be shared with other projects) native"},
		{"uv sync", in("", "XDG_CACHE_HOME=/x"), "packages /x/uv" + end},
		{"uv sync", in("[tool.uv]\ncache-dir = \"/t\"", "XDG_CACHE_HOME=/x"), "packages /t" + end},
		{"uv sync", in("[tool.uv]\ncache-dir = \"/t\"", "UV_CACHE_DIR=/u"), "packages /u" + end},
		{"uv sync --cache-dir /v", in("", "UV_CACHE_DIR=/u"), "packages /v" + end},
		{"uv sync --cache-dir v", in(""), cache + " guess(uv is given another cache folder)" + end},
		{"uv sync", toml, cache + " guess(uv.toml may name another cache folder)" + end},
		{"uv sync --no-cache", in(""), cache + end + " --no-cache=>"},
		{"uv pip install -n x", in(""), cache + end + " -n=>"},
		{"uv sync", in("", "UV_NO_CACHE=1"), cache + end + " off(UV_NO_CACHE turns the cache off)"},
		{"uv sync", in("", "UV_NO_CACHE=0"), cache + end},
		{"uv sync", in("[tool.uv]\nno-cache = true"), cache + end + " off(no-cache in pyproject.toml turns the cache off)"},
		{"uv sync", in("", "UV_LINK_MODE=copy"), cache + end},
		{"uv sync", in("", "UV_LINK_MODE=symlink"), cache + end + " off(what is installed would be links into the cache)"},
		{"uv sync --link-mode=symlink", in("", "UV_LINK_MODE=copy"), cache + end + " off(what is installed would be links into the cache)"},
		{"uv sync", in("[tool.uv]\nlink-mode = \"symlink\""), cache + end + " off(what is installed would be links into the cache)"},
		{"uv sync", open, cache + " doubt(the link mode of uv is not known)" + end},
		{"uv sync", in("", "UV_OFFLINE=1"), cache + " useless(uv is told to work offline)" + end},
		{"uvx ruff", in(""), cache + " doubt(uvx leaves environments in the cache, which the program may use at run time)" + end},
		{"uv pip install --no-build-isolation x", in(""), cache + " doubt(uv is given --no-build-isolation, which its cache does not see)" + end},
		{"uv sync", in("", "LDFLAGS=-s"), cache + " doubt(LDFLAGS is set, and what was compiled with another value would be used again)" + end},
		{"uv pip list", in(""), ""},
	} {
		if got := cachesOf(t, tt.command, tt.env); got != tt.want {
			t.Errorf("caches of %s:\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
}

// TestUVManifests plants one trap at a time into a project that may be moved.
func TestUVManifests(t *testing.T) {
	const good, cmd = "pyproject.toml uv.lock", "uv sync --frozen --no-install-project"
	const py = "[project]\nname = \"api\"\n"
	const lock = "version = 1\n[[package]]\nname = \"a\"\nsource = { registry = \"https://pypi.org/simple\" }\n[[package]]\nname = \"api\"\nsource = { editable = \".\" }\n"
	const local = "[[package]]\nname = \"b\"\nsource = { directory = \"libs/b\" }\n"
	for _, tt := range []struct {
		name, command, py, lock string
		more                    []string
		vars                    []string
		want                    string
	}{
		{"nothing", cmd, py, lock, nil, nil, good},
		{"settings", cmd, py, lock, []string{"uv.toml", "", ".python-version", "3.13"}, nil, good + " uv.toml .python-version"},
		{"by variable", "uv sync --no-install-project", py, lock, nil, []string{"UV_FROZEN=1"}, good},
		{"lock may be written", "uv sync --no-install-project", py, lock, nil, nil, good + " doubt: uv sync without --frozen or --locked may write the lock file"},
		{"the project", "uv sync --frozen", py, lock, nil, nil, good + " breaks: uv sync installs the project itself, too (--no-install-project leaves it for a later step)"},
		{"no package", "uv sync --frozen", py, strings.Replace(lock, "editable", "virtual", 1), nil, nil, good},
		{"no lock", cmd, py, "", []string{"uv.lock", ""}, nil, good + " doubt: whether uv sync installs the project itself is not known"},
		{"bad lock", cmd, py, "[", nil, nil, good + " doubt: uv.lock can't be read"},
		{"a local package", cmd, py, lock + local, nil, nil, good + " breaks: uv.lock has the local package b"},
		{"a workspace", cmd, py + "[tool.uv.workspace]\nmembers = [\"p/*\"]\n", lock, nil, nil, good + " breaks: pyproject.toml has a workspace"},
		{"a source", cmd, py + "[tool.uv.sources]\nb = { path = \"../b\" }\n", lock, nil, nil, good + " breaks: pyproject.toml takes b from a folder"},
		{"PYTHONPATH", cmd, py, lock, nil, []string{"PYTHONPATH=/app"}, good + " doubt: PYTHONPATH is set, which may lead Python to the sources"},
		{"UV_CONFIG_FILE", cmd, py, lock, nil, []string{"UV_CONFIG_FILE=x"}, good + " doubt: UV_CONFIG_FILE is set"},
		{"an option", cmd + " --env-file x", py, lock, nil, nil, good + " doubt: uv is given --env-file"},
		{"requirements", "uv pip install --system -r requirements.txt", py, lock, []string{"requirements.txt", "flask"}, nil, "pyproject.toml requirements.txt"},
		{"requirements in place", "uv pip install --system -r requirements.txt", py, lock, []string{"requirements.txt", "-e ."}, nil, "pyproject.toml requirements.txt breaks: requirements.txt installs . in place"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := root(tt.vars...)
			e.Project = project(append([]string{"pyproject.toml", tt.py, "uv.lock", tt.lock}, tt.more...)...)
			if got := manifests(t, tt.command, e); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}
