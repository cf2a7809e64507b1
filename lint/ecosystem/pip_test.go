package ecosystem_test

import (
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

// shown is what Find says of a command: title, kinds, installation, folder.
func shown(t *testing.T, script string) string {
	t.Helper()
	u := ecosystem.Find(command(t, script))
	if u == nil {
		return "none"
	}
	got := u.Tool.Name + ": " + u.Title
	for k := ecosystem.Fetch; k <= ecosystem.Locate; k <<= 1 {
		if u.Kind&k != 0 {
			got += " " + kinds[k]
		}
	}
	for _, name := range u.Empties {
		got += " " + name
	}
	if u.Installs {
		got += " installs"
		switch u.Dir {
		case ".":
		case "":
			got += " in ?"
		default:
			got += " in " + u.Dir
		}
	}
	if u.Relocks {
		got += " relocks"
	}
	if u.Doubt != "" {
		got += " doubt"
	}
	return got
}

// cachesOf prints the caches of a command as TestCaches does, with what only
// some tools have.
func cachesOf(t *testing.T, script string, e ecosystem.Env) string {
	t.Helper()
	u := ecosystem.Find(command(t, script))
	list := u.Tool.Caches(u, e)
	got := showCaches(list)
	for _, c := range list {
		if c.Off != "" {
			got += " off(" + c.Off + ")"
		}
		if c.Scratch != "" {
			got += " scratch(" + c.Scratch + ")"
		}
		for _, i := range c.Instead {
			got += " " + i.Word.Raw + "=>" + i.New
		}
	}
	return got
}

type pair struct{ in, want string }

func TestPipCommands(t *testing.T) {
	for _, tt := range []pair{
		{"pip install flask", "pip: pip install fetch"},
		{"pip3.12 --no-cache-dir install flask", "pip: pip3.12 install fetch"},
		{"/venv/bin/pip install -r requirements.txt", "pip: pip install fetch installs"},
		{"python3 -m pip install -U pip", "pip: pip install fetch"},
		{"python -I -X dev -m pip install x", "pip: pip install fetch"},
		{"python -m venv /venv", "none"},
		{"python setup.py -m pip install", "none"},
		{"python -c 'import pip' -m pip install x", "none"},
		{"pip install -r requirements.txt", "pip: pip install fetch installs"},
		{"pip install -rrequirements.txt gunicorn==1.2 'uvicorn[standard]>=1'", "pip: pip install fetch installs"},
		{"pip install --requirement=deps/prod.txt -c deps/c.txt", "pip: pip install fetch installs in deps"},
		{"pip install -r a/x.txt -r b/y.txt", "pip: pip install fetch installs in ?"},
		{"pip install -r /app/requirements.txt", "pip: pip install fetch installs in ?"},
		{"pip install -r ../requirements.txt", "pip: pip install fetch installs in ?"},
		{"pip install -r $F", "pip: pip install fetch installs in ?"},
		{"pip install -r requirements.txt .", "pip: pip install fetch"},
		{"pip install -r requirements.txt x.whl", "pip: pip install fetch"},
		{"pip install -r requirements.txt git+https://x/y", "pip: pip install fetch"},
		{"pip install -r requirements.txt $EXTRA", "pip: pip install fetch"},
		{"pip wheel -r requirements.txt", "pip: pip wheel fetch"},
		{"pip download x", "pip: pip download fetch"},
		{"pip install --no-index -f /wheels x", "pip: pip install"},
		{"pip cache purge", "pip: pip cache purge clean"},
		{"pip cache dir", "pip: pip cache dir locate"},
		{"pip config set global.index-url x", "pip: pip config locate"},
		{"pip freeze", "pip: pip"},
		{"pipx install x", "none"},
		{"pip-sync", "none"},
	} {
		if got := shown(t, tt.in); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestPipCaches(t *testing.T) {
	python := func(vars ...string) ecosystem.Env {
		e := root(vars...)
		e.Base = "python:3.13-slim"
		e.Project = project("pyproject.toml", "[project]\nname = \"api\"\n")
		return e
	}
	const new13, wheels = "http-v2 /root/.cache/pip/http-v2; ", "wheels /root/.cache/pip/wheels project(api) native"
	open := python("PYTHON_VERSION=3.13.1")
	open.Open = map[string]bool{"PIP_NO_CACHE_DIR": true}
	for _, tt := range []struct {
		command string
		env     ecosystem.Env
		want    string
	}{
		{"pip install x", python("PYTHON_VERSION=3.13.1"), new13 + wheels},
		{"pip install x", python("PYTHON_PIP_VERSION=23.3.2"), new13 + wheels},
		{"pip install x", python("PYTHON_PIP_VERSION=23.2.1"), new13 + "http /root/.cache/pip/http; " + wheels},
		{"pip install x", python("PYTHON_VERSION=3.10.16"), new13 + "http /root/.cache/pip/http; " + wheels},
		{"pip install x", root(), new13 + "http /root/.cache/pip/http; wheels /root/.cache/pip/wheels doubt(the project's name isn't known, and the cache must not be shared with other projects) native"},
		{"pip install x", python("PYTHON_VERSION=3.13.1", "XDG_CACHE_HOME=/c"), "http-v2 /c/pip/http-v2; wheels /c/pip/wheels project(api) native"},
		{"pip install x", python("PYTHON_VERSION=3.13.1", "PIP_CACHE_DIR=/c"), "http-v2 /c/http-v2; wheels /c/wheels project(api) native"},
		{"pip install --cache-dir /d x", python("PYTHON_VERSION=3.13.1", "PIP_CACHE_DIR=/c"), "http-v2 /d/http-v2; wheels /d/wheels project(api) native"},
		{"pip install --cache-dir=d x", python("PYTHON_VERSION=3.13.1"), "http-v2 /root/.cache/pip/http-v2 guess(pip is given another cache folder); wheels /root/.cache/pip/wheels guess(pip is given another cache folder) project(api) native"},
		{"pip install --no-cache-dir x", python("PYTHON_VERSION=3.13.1"), "http-v2 /root/.cache/pip/http-v2 scratch(/root/.cache/pip) --no-cache-dir=>"},
		{"pip --no-cache install x", python("PYTHON_VERSION=3.13.1"), "http-v2 /root/.cache/pip/http-v2 scratch(/root/.cache/pip) --no-cache=>"},
		{"pip install --no-compile x", python("PYTHON_VERSION=3.13.1"), new13 + wheels},
		{"pip install x", python("PYTHON_VERSION=3.13.1", "PIP_NO_CACHE_DIR=off"), "http-v2 /root/.cache/pip/http-v2 off(PIP_NO_CACHE_DIR turns the cache off)"},
		{"pip install x", python("PYTHON_VERSION=3.13.1", "PIP_NO_CACHE_DIR="), new13 + wheels},
		{"pip install x", open, "http-v2 /root/.cache/pip/http-v2 off(PIP_NO_CACHE_DIR turns the cache off)"},
		{"pip install x", python("PYTHON_VERSION=3.13.1", "PIP_NO_INDEX=1"), "http-v2 /root/.cache/pip/http-v2 useless(PIP_NO_INDEX is set); wheels /root/.cache/pip/wheels useless(PIP_NO_INDEX is set) project(api) native"},
		{"pip install --no-build-isolation x", python("PYTHON_VERSION=3.13.1"), new13 + "wheels /root/.cache/pip/wheels doubt(pip is given --no-build-isolation, which its cache of wheels does not see) project(api) native"},
		{"pip install x", python("PYTHON_VERSION=3.13.1", "CFLAGS=-O3"), new13 + "wheels /root/.cache/pip/wheels doubt(CFLAGS is set, and what was compiled with another value would be used again) project(api) native"},
		{"pip uninstall x", python(), ""},
	} {
		if got := cachesOf(t, tt.command, tt.env); got != tt.want {
			t.Errorf("caches of %s:\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
}

// TestPipManifests plants one trap at a time into requirements that may be
// copied first.
func TestPipManifests(t *testing.T) {
	const good = "flask==3.0 ; python_version > '3.8'  # web\n\n# c\n--index-url https://x/simple\nrequests[socks]>=2,<3 \\\n  --hash=sha256:00\n"
	for _, tt := range []struct {
		name, command, text string
		more                []string
		vars                []string
		want                string
	}{
		{"plain", "pip install -r requirements.txt", good, nil, nil, "requirements.txt"},
		{"missing", "pip install -r other.txt", good, nil, nil, " breaks: the context has no file other.txt"},
		{"constraints", "pip install -r requirements.txt -c c.txt", good, []string{"c.txt", "x==1"}, nil, "requirements.txt c.txt"},
		{"included", "pip install -r requirements.txt", "-r base.txt\nx", []string{"base.txt", "-r requirements.txt\ny"}, nil, "requirements.txt base.txt"},
		{"included, glued", "pip install -r requirements.txt", "-rbase.txt", []string{"base.txt", "y"}, nil, "requirements.txt base.txt"},
		{"included constraints", "pip install -r requirements.txt", "--constraint=c.txt", []string{"c.txt", "y"}, nil, "requirements.txt c.txt"},
		{"included from a folder", "pip install -r requirements.txt", "-r requirements/base.txt", nil, nil, "requirements.txt breaks: requirements.txt includes requirements/base.txt, which lies in another folder"},
		{"included from the network", "pip install -r requirements.txt", "-r https://x/y.txt", nil, nil, "requirements.txt doubt: requirements.txt includes https://x/y.txt"},
		{"the project", "pip install -r requirements.txt", "-e .", nil, nil, "requirements.txt breaks: requirements.txt installs . in place"},
		{"the project, not in place", "pip install -r requirements.txt", ".[test]", nil, nil, "requirements.txt breaks: requirements.txt installs .[test]"},
		{"a folder", "pip install -r requirements.txt", "./libs/x", nil, nil, "requirements.txt breaks: requirements.txt installs ./libs/x"},
		{"a wheel", "pip install -r requirements.txt", "x-1.0-py3-none-any.whl", nil, nil, "requirements.txt breaks: requirements.txt installs x-1.0-py3-none-any.whl"},
		{"a file", "pip install -r requirements.txt", "x @ file:///app/x", nil, nil, "requirements.txt breaks: requirements.txt installs x @ file:///app/x"},
		{"a repository", "pip install -r requirements.txt", "x @ git+https://h/x@v1", nil, nil, "requirements.txt"},
		{"links of a folder", "pip install -r requirements.txt", "--find-links wheels", nil, nil, "requirements.txt breaks: requirements.txt takes packages from wheels"},
		{"an option", "pip install -r requirements.txt", "--global-option=x", nil, nil, "requirements.txt doubt: requirements.txt has the option --global-option"},
		{"into a folder", "pip install -t lib -r requirements.txt", good, nil, nil, "requirements.txt doubt: pip is given -t"},
		{"an open value", "pip install -i $X -r requirements.txt", good, nil, nil, "requirements.txt doubt: the value of pip's -i is not known"},
		{"PYTHONPATH", "pip install -r requirements.txt", good, nil, []string{"PYTHONPATH=/app"}, "requirements.txt doubt: PYTHONPATH is set, which may lead Python to the sources"},
		{"PIP_CONSTRAINT", "pip install -r requirements.txt", good, nil, []string{"PIP_CONSTRAINT=c.txt"}, "requirements.txt doubt: PIP_CONSTRAINT is set"},
		{"PIP_INDEX_URL", "pip install -r requirements.txt", good, nil, []string{"PIP_INDEX_URL=https://x"}, "requirements.txt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := root(tt.vars...)
			e.Project = project(append([]string{"requirements.txt", tt.text}, tt.more...)...)
			if got := manifests(t, tt.command, e); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestPipOutputs: an environment among the sources would be overwritten by one
// that the context brings.
func TestPipOutputs(t *testing.T) {
	for _, tt := range []struct {
		command string
		vars    []string
		want    string
	}{
		{"pip install -r r.txt", []string{"PATH=/usr/local/bin:/usr/bin:/bin"}, ".venv venv"},
		{"pip install -r r.txt", []string{"PATH=/app/py/bin:/bin"}, ".venv py venv"},
		{"pip install -r r.txt", []string{"VIRTUAL_ENV=/app/ve"}, ".venv ve venv"},
		{"env/bin/pip install -r r.txt", nil, ".venv env venv"},
		{"pip install --user -r r.txt", nil, ".local .venv venv"},
	} {
		u := ecosystem.Find(command(t, tt.command))
		if got := joined(u.Tool.Manifests(u, root(tt.vars...)).Outputs); got != tt.want {
			t.Errorf("%s %v: %s, want %s", tt.command, tt.vars, got, tt.want)
		}
	}
}

func joined(words []string) string { return strings.Join(words, " ") }

// TestVariablesTellWheelsApart: a variable that a package's build reads is no part
// of pip's key of the wheel that it has built.
func TestVariablesTellWheelsApart(t *testing.T) {
	in := func(vars ...string) ecosystem.Env {
		e := root(vars...)
		e.Base, e.Image = "python:3.14", map[string]string{"GPG_KEY": "A035"}
		e.Project = project("pyproject.toml", "[project]\nname = \"app\"\n")
		return e
	}
	wheels := func(command string, e ecosystem.Env) ecosystem.Cache { return cacheOf(t, command, e, "wheels") }
	plain := wheels("pip install pycurl", in()).Variables
	if plain != "" {
		t.Errorf("nothing is set, and the wheels are told apart by %q", plain)
	}
	openssl, gnutls := wheels("pip install pycurl", in("PYCURL_SSL_LIBRARY=openssl")).Variables, wheels("pip install pycurl", in("PYCURL_SSL_LIBRARY=gnutls")).Variables
	if openssl == "" || openssl == gnutls {
		t.Errorf("wheels of pycurl linked with two libraries have the ids %q and %q", openssl, gnutls)
	}
	for _, vars := range [][]string{{"GPG_KEY=A035"}, {"PYTHONUNBUFFERED=1", "PIP_DEFAULT_TIMEOUT=100", "LC_ALL=C"}} {
		if got := wheels("pip install pycurl", in(vars...)).Variables; got != "" {
			t.Errorf("%v tell wheels apart by %q", vars, got)
		}
	}
	if wheels("pip install pycurl", in("GPG_KEY=other")).Variables == "" {
		t.Error("a variable of the base image with another value tells nothing apart")
	}
	e := in()
	e.Open = map[string]bool{"FLAVOUR": true}
	if got, want := wheels("pip install pycurl", e).Doubt, "the value of FLAVOUR, which the build of a package may read, is not known"; got != want {
		t.Errorf("the doubt is %q, want %q", got, want)
	}
}

func cacheOf(t *testing.T, script string, e ecosystem.Env, name string) ecosystem.Cache {
	t.Helper()
	u := ecosystem.Find(command(t, script))
	for _, c := range u.Tool.Caches(u, e) {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("%s has no cache of %s", script, name)
	return ecosystem.Cache{}
}
