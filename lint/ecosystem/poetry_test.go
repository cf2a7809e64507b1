package ecosystem_test

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

func TestPoetryCommands(t *testing.T) {
	for _, tt := range []pair{
		{"poetry install --no-root", "poetry: poetry install fetch installs"},
		{"poetry -n --no-ansi -C api install --only main", "poetry: poetry install fetch installs in api"},
		{"python3 -m poetry install", "poetry: poetry install fetch installs"},
		{"poetry install --dry-run", "poetry: poetry install fetch"},
		{"poetry install --only-root", "poetry: poetry install fetch"},
		{"poetry add flask", "poetry: poetry add fetch"},
		{"poetry self add poetry-plugin-export", "poetry: poetry self add fetch"},
		{"poetry cache clear pypi --all", "poetry: poetry cache clear clean"},
		{"poetry config virtualenvs.create false", "poetry: poetry config locate"},
		{"poetry run x", "poetry: poetry"},
		{"pip install poetry", "pip: pip install fetch"},
	} {
		if got := shown(t, tt.in); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestPoetryCaches(t *testing.T) {
	in := func(files []string, vars ...string) ecosystem.Env {
		e := root(vars...)
		lock := "[[package]]\nname = \"a\"\nfiles = [{file = \"a-1.tar.gz\"}, {file = \"a-1.whl\"}]\n"
		e.Project = project(append([]string{"pyproject.toml", "[tool.poetry]\nname = \"api\"\n", "poetry.lock", lock}, files...)...)
		return e
	}
	const end = " project(api) native; cache "
	for _, tt := range []struct {
		command string
		env     ecosystem.Env
		want    string
	}{
		{"poetry install", in(nil), "artifacts /root/.cache/pypoetry/artifacts" + end + "/root/.cache/pypoetry/cache"},
		{"poetry install", in(nil, "POETRY_CACHE_DIR=/c"), "artifacts /c/artifacts" + end + "/c/cache"},
		{"poetry install", in(nil, "XDG_CACHE_HOME=/x"), "artifacts /x/pypoetry/artifacts" + end + "/x/pypoetry/cache"},
		{"poetry install", in([]string{"poetry.toml", "cache-dir = \"/t\""}), "artifacts /t/artifacts" + end + "/t/cache"},
		{"poetry install", in([]string{"poetry.toml", "cache-dir = \".c\""}), "artifacts /root/.cache/pypoetry/artifacts guess(cache-dir in poetry.toml names a folder that is not known)" + end + "/root/.cache/pypoetry/cache guess(cache-dir in poetry.toml names a folder that is not known)"},
		{"poetry install --no-cache", in(nil), "artifacts /root/.cache/pypoetry/artifacts" + end + "/root/.cache/pypoetry/cache off(--no-cache turns the cache off) off(--no-cache turns the cache off)"},
		{"poetry add x", in(nil), "artifacts /root/.cache/pypoetry/artifacts" + end + "/root/.cache/pypoetry/cache doubt(poetry add may choose versions by what an old cache holds)"},
		{"poetry install", root(), "artifacts /root/.cache/pypoetry/artifacts doubt(the project's name isn't known, and the cache must not be shared with other projects) native; cache /root/.cache/pypoetry/cache"},
		{"poetry run x", in(nil), ""},
		{"poetry install", in([]string{"poetry.lock", "[[package]]\nname = \"a\"\n[metadata.files]\na = [{file = \"a-1.whl\"}]\n"}), "artifacts /root/.cache/pypoetry/artifacts" + end + "/root/.cache/pypoetry/cache"},
		{"poetry install", in([]string{"poetry.lock", "[[package]]\nname = \"a\"\nfiles = [{file = \"a-1.tar.gz\"}]\n"}), "artifacts /root/.cache/pypoetry/artifacts doubt(poetry builds a wheel of a and keeps it, and no image made of such a one has been proven equal yet)" + end + "/root/.cache/pypoetry/cache"},
		{"poetry install", in([]string{"poetry.lock", "["}), "artifacts /root/.cache/pypoetry/artifacts doubt(which packages poetry builds a wheel of, and keeps, is not known without poetry.lock)" + end + "/root/.cache/pypoetry/cache"},
	} {
		if got := cachesOf(t, tt.command, tt.env); got != tt.want {
			t.Errorf("caches of %s:\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
}

// TestPoetryManifests plants one trap at a time into a project that may be
// moved.
func TestPoetryManifests(t *testing.T) {
	const good, py, lock = "pyproject.toml poetry.lock", "[tool.poetry]\nname = \"api\"\n", "[[package]]\nname = \"a\"\n"
	for _, tt := range []struct {
		name, command, py string
		more, vars        []string
		want              string
	}{
		{"nothing", "poetry install --no-root", py, nil, nil, good},
		{"settings", "poetry install --no-root --only main", py, []string{"poetry.toml", ""}, nil, good + " poetry.toml"},
		{"the project", "poetry install", py, nil, nil, good + " breaks: poetry install installs the project itself, too (--no-root leaves it for a later step)"},
		{"no package", "poetry install", py + "package-mode = false\n", nil, nil, good},
		{"only the dependencies", "poetry install --only main", py, nil, nil, good},
		{"the project alone", "poetry install --only root", py, nil, nil, good + " breaks: poetry install is asked for the project itself"},
		{"a folder", "poetry install --no-root", py, []string{"poetry.lock", "[[package]]\nname = \"b\"\n[package.source]\ntype = \"directory\"\nurl = \"libs/b\"\n"}, nil, good + " breaks: poetry.lock has the local package b (libs/b)"},
		{"a bad lock", "poetry install --no-root", py, []string{"poetry.lock", "x"}, nil, good + " doubt: poetry.lock can't be read"},
		{"an open value", "poetry install --no-root --with $G", py, nil, nil, good + " doubt: the value of poetry's --with is not known"},
		{"an option", "poetry install --no-root --no-plugins", py, nil, nil, good + " doubt: poetry is given --no-plugins"},
		{"PYTHONPATH", "poetry install --no-root", py, nil, []string{"PYTHONPATH=/app"}, good + " doubt: PYTHONPATH is set, which may lead Python to the sources"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := root(tt.vars...)
			e.Project = project(append([]string{"pyproject.toml", tt.py, "poetry.lock", lock}, tt.more...)...)
			if got := manifests(t, tt.command, e); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}
