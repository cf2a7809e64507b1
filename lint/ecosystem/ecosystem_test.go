package ecosystem_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

func command(t *testing.T, script string) *shell.Command {
	t.Helper()
	text := &edit.Text{}
	text.Add([]byte(script), edit.Span{Start: 0, End: len(script)})
	s := shell.Parse(text, shell.POSIX)
	if s.Err != nil || len(s.Commands()) != 1 {
		t.Fatalf("%q is not one command: %v", script, s.Err)
	}
	return s.Commands()[0]
}

// root is a complete environment of the super-user.
func root(vars ...string) ecosystem.Env {
	e := ecosystem.Env{Home: "/root", HomeKnown: true, Complete: true, Vars: map[string]string{}, Base: "golang:1.26"}
	for _, kv := range vars {
		k, v, _ := strings.Cut(kv, "=")
		e.Vars[k] = v
	}
	return e
}

func project(files ...string) ecosystem.Project {
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1]), Mode: 0o644}
	}
	return ecosystem.Project{Files: fsys, Dir: "."}
}

var kinds = map[ecosystem.Kind]string{
	ecosystem.Fetch: "fetch", ecosystem.Build: "build", ecosystem.Index: "index", ecosystem.Clean: "clean",
	ecosystem.Offline: "offline", ecosystem.Locate: "locate",
}

func TestFind(t *testing.T) {
	tests := []struct{ command, want string }{
		{"apt-get update -qq", "apt-get update index"},
		{"/usr/bin/apt-get -y -o A::B=c install x", "apt-get install fetch"},
		{"apt install --no-download x", "apt install offline"},
		{"apt-get -s install x", "apt-get install"},
		{"apt-get clean", "apt-get clean clean"},
		{"apt-get purge x", "apt-get"},
		{"aptitude install x", "aptitude install fetch"},
		{"npm ci --omit=dev", "npm ci fetch installs"},
		{"npm --prefix web ci", "npm ci fetch installs in web"},
		{"npm --prefix /web ci", "npm ci fetch installs in ?"},
		{"npm -C $DIR ci", "npm ci fetch installs in ?"},
		{"npm i", "npm i fetch installs relocks"},
		{"npm install express", "npm install fetch relocks"},
		{"npm i -g npm", "npm i fetch relocks"},
		{"npm install -g", "npm install fetch relocks"},
		{"npm ci --offline", "npm ci offline installs"},
		{"npm cache clean --force", "npm cache clean clean"},
		{"npm run build", "npm"},
		{"npm $X", "npm"},
		{"npx ci", "none"},
		{"go build -o x ./...", "go build fetch build"},
		{"go -C sub build", "go build fetch build in sub"},
		{"go mod download", "go mod download fetch installs"},
		{"go mod download -x", "go mod download fetch installs"},
		{"go mod download example.com/x", "go mod download fetch"},
		{"go mod edit", "go mod edit"},
		{"go clean -modcache", "go clean clean modules"},
		{"go clean -cache --testcache", "go clean clean builds"},
		{"go env GOPATH", "go env locate"},
		{"go version", "go"},
		{"gofmt -l .", "none"},
		{"echo npm ci", "none"},
	}
	for _, tt := range tests {
		got := "none"
		if u := ecosystem.Find(command(t, tt.command)); u != nil {
			got = u.Title
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
			}
			if u.Through != "" {
				got += " through " + u.Through
			}
			if u.Doubt != "" {
				got += " doubt"
			}
			if u.Relocks {
				got += " relocks"
			}
			switch u.Dir {
			case ".":
			case "":
				if u.Tool.Name != "apt" {
					got += " in ?"
				}
			default:
				got += " in " + u.Dir
			}
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.command, got, tt.want)
		}
	}
}

// showCaches prints caches: name, path, and what stands against them.
func showCaches(list []ecosystem.Cache) string {
	var b []string
	for _, c := range list {
		s := c.Name + " " + c.Path
		for _, note := range []struct{ what, says string }{{"guess", c.Guess}, {"useless", c.Useless}, {"doubt", c.Doubt}, {"project", c.Project}} {
			if note.says != "" {
				s += fmt.Sprintf(" %s(%s)", note.what, note.says)
			}
		}
		if c.Native {
			s += " native"
		}
		b = append(b, s)
	}
	return strings.Join(b, "; ")
}

func TestCaches(t *testing.T) {
	gomod := project("go.mod", "module example.com/x\n")
	with := func(e ecosystem.Env, p ecosystem.Project) ecosystem.Env {
		e.Project = p
		return e
	}
	unknown := ecosystem.Env{Home: "", Why: "WHY", Vars: map[string]string{}}
	open := root()
	open.Open = map[string]bool{"GOCACHE": true, "NPM_CONFIG_CACHE": true, "APT_CONFIG": true}
	const mods = "modules /go/pkg/mod project(example.com/x)"
	tests := []struct {
		command string
		env     ecosystem.Env
		want    string
	}{
		{"apt-get install x", root(), "packages /var/cache/apt"},
		{"apt-get install -o Dir::Cache=/x x", root(), "packages /var/cache/apt guess(the option Dir::Cache=/x moves apt's cache)"},
		{"apt-get install -odir=/x x", root(), "packages /var/cache/apt guess(the option dir=/x moves apt's cache)"},
		{"apt-get install -o APT::X=1 x", root(), "packages /var/cache/apt"},
		{"apt-get install -c f x", root(), "packages /var/cache/apt guess(a configuration file of its own may move apt's cache)"},
		{"apt-get install x", open, "packages /var/cache/apt guess(APT_CONFIG may move apt's cache)"},
		{"apt-get install -d x", root(), "packages /var/cache/apt doubt(apt-get is told to download only, so a later step may need the archives)"},
		{"apt-get update", root(), ""},
		{"npm ci", root(), "packages /root/.npm/_cacache"},
		{"npm ci", root("npm_config_cache=/c"), "packages /c/_cacache"},
		{"npm ci", root("NPM_CONFIG_CACHE=/c/"), "packages /c/_cacache"},
		{"npm ci --cache /d", root("npm_config_cache=/c"), "packages /d/_cacache"},
		{"npm ci --cache d", root(), "packages /root/.npm/_cacache guess(npm is given another cache folder)"},
		{"npm ci", open, "packages /root/.npm/_cacache guess(npm_config_cache names a folder that is not known)"},
		{"npm ci", with(root(), project(".npmrc", "; c\ncache = /e\n")), "packages /e/_cacache"},
		{"npm ci", with(root(), project(".npmrc", "cache=${X}/e")), "packages /root/.npm/_cacache guess(cache in .npmrc names a folder that is not known)"},
		{"npm ci", unknown, "packages /root/.npm/_cacache guess(the HOME of this step is not known)"},
		{"npm ci", root("npm_config_offline=true"), "packages /root/.npm/_cacache useless(npm is told to work offline)"},
		{"npm ci --prefer-offline", root(), "packages /root/.npm/_cacache"},
		{"npm install --prefer-offline", root(), "packages /root/.npm/_cacache doubt(npm install with prefer-offline may choose versions by what an old cache holds)"},
		{"npm ci --offline", root(), ""},
		{"go build .", with(root("CGO_ENABLED=0", "GOPATH=/go"), gomod), "builds /root/.cache/go-build; " + mods},
		{"go build .", with(root("GOPATH=/go"), gomod), "builds /root/.cache/go-build native; " + mods},
		{"go build .", with(root(), gomod), "builds /root/.cache/go-build native; modules /root/go/pkg/mod project(example.com/x)"},
		{"go mod download", with(root("GOMODCACHE=/m"), gomod), "modules /m project(example.com/x)"},
		{"go mod download", with(root("GOPATH=/a:/b"), gomod), "modules /a/pkg/mod project(example.com/x)"},
		{"go mod download", root("GOPATH=/go"), "modules /go/pkg/mod doubt(the module's path isn't known, and its cache must not be shared with other projects)"},
		{"go vet .", with(root("XDG_CACHE_HOME=/x", "CGO_ENABLED=0", "GOPATH=/go"), gomod), "builds /x/go-build; " + mods},
		{"go vet .", with(root("GOCACHE=/y", "CGO_ENABLED=0", "GOPATH=/go"), gomod), "builds /y; " + mods},
		{"go vet .", with(root("GOCACHE=off", "CGO_ENABLED=0", "GOPATH=/go"), gomod), "builds /root/.cache/go-build guess(GOCACHE=off is no absolute path) useless(GOCACHE is off); " + mods},
		{"go build -a .", with(root("CGO_ENABLED=0", "GOPATH=/go"), gomod), "builds /root/.cache/go-build useless(-a makes go compile everything anyway); " + mods},
		{"go build .", with(root("CGO_ENABLED=0", "GOPATH=/go", "GOFLAGS=-v -mod=vendor"), gomod), "builds /root/.cache/go-build; " + mods[:19] + " useless(-mod=vendor takes modules from the vendor folder) project(example.com/x)"},
		{"go mod download", with(root("GOPATH=/go", "GOPROXY=off"), gomod), "modules /go/pkg/mod useless(GOPROXY is off) project(example.com/x)"},
		{"go mod download", with(root("GOPATH=/go"), project("go.mod", "module m", "vendor/modules.txt", "")), "modules /go/pkg/mod useless(the project has a vendor folder) project(m)"},
		{"go test ./...", with(root("CGO_ENABLED=0", "GOPATH=/go"), gomod), "builds /root/.cache/go-build doubt(go test takes a result that it knows from the cache, and doesn't run the test (-count=1 makes it)); " + mods},
		{"go test -count=1 ./...", with(root("CGO_ENABLED=0", "GOPATH=/go"), gomod), "builds /root/.cache/go-build; " + mods},
		{"go version", root(), ""},
	}
	for _, tt := range tests {
		u := ecosystem.Find(command(t, tt.command))
		if got := showCaches(u.Tool.Caches(u, tt.env)); got != tt.want {
			t.Errorf("caches of %s:\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
}

// TestCachesOfOtherBases: another base than Go's own may bring modules.
func TestCachesOfOtherBases(t *testing.T) {
	for base, want := range map[string]bool{
		"golang:1.26": false, "docker.io/library/golang": false, "golang@sha256:00": false, "mirror.gcr.io/library/golang:1": false,
		"example.com/golang": true, "example.com:5000/golang:1": true, "debian": true, "": true,
	} {
		e := root("GOPATH=/go")
		e.Base = base
		e.Project = project("go.mod", "module m")
		u := ecosystem.Find(command(t, "go mod download"))
		if got := u.Tool.Caches(u, e)[0].Doubt != ""; got != want {
			t.Errorf("modules of %q in doubt: %v, want %v", base, got, want)
		}
	}
}

// TestExamples holds that a tool knows the commands that it is shown by.
func TestExamples(t *testing.T) {
	for _, tool := range ecosystem.All() {
		if len(tool.Example.Commands) == 0 {
			t.Errorf("%s has no example", tool.Name)
		}
		for _, script := range tool.Example.Commands {
			text := &edit.Text{}
			text.Add([]byte(script), edit.Span{Start: 0, End: len(script)})
			known := false
			for _, c := range shell.Parse(text, shell.POSIX).Commands() {
				use := ecosystem.Find(c)
				known = known || use != nil && use.Tool == tool
			}
			if !known {
				t.Errorf("%s is shown by %q, of which it knows no command", tool.Name, script)
			}
		}
	}
}
