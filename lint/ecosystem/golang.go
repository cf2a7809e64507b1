package ecosystem

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// golang is the go command, by its own help texts (go help build, test, mod
// download, cache, environment) and the Go Modules Reference.
func golang() *Tool {
	return &Tool{Name: "go", Proven: true, Match: matchGo, Caches: goCaches, Manifests: goManifests, Cross: goCross, Habits: goHabits, Example: Example{
		Base: "golang:1.26",
		Env:  []string{"GOPATH=/go"},
		Files: map[string]string{
			"go.mod":  "module example.com/app\n\ngo 1.26\n",
			"go.sum":  "",
			"main.go": "package main\n",
		},
		Commands: []string{
			"go mod download",
			"CGO_ENABLED=0 go build -o /app .",
			"go build -o /app .",
			"go build -a -o /app .",
			"go test ./...",
		},
	}}
}

// goValued are the flags of the build and test commands whose value may be the
// next word (go help build, go help testflag).
var goValued = [...]string{
	"-C", "-o", "-p", "-asmflags", "-buildmode", "-compiler", "-gccgoflags", "-gcflags", "-installsuffix", "-ldflags",
	"-mod", "-modfile", "-overlay", "-pgo", "-pkgdir", "-tags", "-toolexec", "-covermode", "-coverpkg", "-coverprofile",
	"-run", "-bench", "-benchtime", "-blockprofile", "-count", "-cpu", "-cpuprofile", "-fuzz", "-fuzztime", "-list",
	"-memprofile", "-mutexprofile", "-outputdir", "-parallel", "-shuffle", "-skip", "-timeout", "-trace", "-vet", "-exec", "-vettool", "-reuse",
}

func matchGo(c *shell.Command) *Use {
	if c.Name() != "go" {
		return nil
	}
	l := parseLine(c, goValued[:]...)
	for i, f := range l.flags {
		if strings.HasPrefix(f.name, "--") { // the flag package takes both
			l.flags[i].name = f.name[1:]
		}
	}
	u := &Use{options: l, Title: "go " + l.operand(0), Dir: projectDir(l, "-C")}
	switch l.operand(0) {
	case "build", "install", "vet":
		u.Kind, u.Heeds = Fetch|Build, readByGo
	case "test", "run", "generate":
		u.Kind = Fetch | Build
	case "get", "list":
		u.Kind, u.Heeds = Fetch, readByGo
	case "tool":
		u.Kind = Fetch
	case "mod":
		u.Title = strings.TrimSpace("go mod " + l.operand(1))
		switch l.operand(1) {
		case "download":
			u.Kind, u.Heeds = Fetch, readByGo
			u.Installs = len(l.operands) == 2
		case "tidy", "vendor", "graph", "verify", "why":
			u.Kind, u.Heeds = Fetch, readByGo
		}
	case "env":
		u.Kind = Locate
	case "work":
		u.Kind = Fetch
	case "clean":
		u.clean()
	default:
		u.Title = "go"
	}
	if u.options.on("-toolexec", "-exec", "-vettool", "-overlay") {
		u.Heeds = nil // starts programs of the user's
	}
	return u
}

// readByGo reports a variable that the go command reads, or what it starts: a
// C compiler and its like for cgo, version control (go help environment; gcc(1),
// "Environment Variables Affecting GCC"; git(1); pkg-config(1)). No program of the
// project is among them: building runs none. What the standard tools read is to
// be added.
func readByGo(name string) bool {
	if slices.ContainsFunc([]string{"GO", "CGO_", "GCC", "COMPILER_", "LD_", "SSH_", "HG", "SVN_", "BZR_", "PKG_CONFIG", "SSL_", "XDG_", "LC_", "ZERO_AR_DATE"},
		func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
		return true
	}
	return strings.HasSuffix(name, "PATH") || strings.HasSuffix(strings.ToUpper(name), "_PROXY") || slices.Contains([]string{
		"AR", "AS", "CC", "CFLAGS", "CPP", "CPPFLAGS", "CXX", "CXXFLAGS", "FC", "FFLAGS", "F77", "HOME", "LANG", "LD", "LDFLAGS", "MACOSX_DEPLOYMENT_TARGET",
		"NETRC", "SOURCE_DATE_EPOCH", "TEMP", "TMP", "TMPDIR", "TZ", "USER", "DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES",
	}, name)
}

func (u *Use) clean() {
	if u.options.on("-cache", "-testcache", "-fuzzcache") {
		u.Kind, u.Empties = Clean, append(u.Empties, "builds")
	}
	if u.options.on("-modcache") {
		u.Kind, u.Empties = Clean, append(u.Empties, "modules")
	}
	// With packages, it also removes what was built of them (go help clean).
	u.Cleans = len(u.options.operands) == 1 && !slices.ContainsFunc(u.options.flags, func(f flag) bool {
		return !slices.Contains([]string{"-cache", "-testcache", "-fuzzcache", "-modcache"}, f.name)
	})
}

func goCaches(u *Use, e Env) []Cache {
	var list []Cache
	if u.Kind&Build != 0 {
		list = append(list, goBuilds(u, e))
	}
	if u.Kind&Fetch != 0 {
		list = append(list, goModules(u, e))
	}
	return list
}

// goBuilds is GOCACHE: objects and test results, keyed by the content of the
// sources, the compiler, the flags, GOOS and GOARCH. It is made for use by
// several processes at once. Its keys lack the headers of C libraries (go help
// cache: "The build cache does not detect changes to C libraries imported with
// cgo").
func goBuilds(u *Use, e Env) Cache {
	home, doubt := e.home()
	def, guess := e.folder("XDG_CACHE_HOME", path.Join(home, ".cache"), doubt)
	dir, guess := e.folder("GOCACHE", path.Join(def, "go-build"), guess)
	c := Cache{Name: "builds", Path: dir, Guess: guess, Costs: "compiles everything again", ID: "imgmgr-gocache", PerBase: true}
	if v, _, _ := e.get("GOCACHE"); v == "off" {
		c.Useless = "GOCACHE is off"
	}
	if u.goFlag(e, "-a") != nil {
		c.Useless = "-a makes go compile everything anyway"
	}
	for _, f := range u.options.flags {
		if f.name == "-a" && f.value != "false" {
			c.Defeats = append(c.Defeats, Instead{Word: f.word})
		}
	}
	if v, _, _ := e.get("CGO_ENABLED"); v != "0" {
		c.Native, c.NativeUnless = true, "without cgo it need not"
	}
	if f := u.goFlag(e, "-count"); u.options.operand(0) == "test" && (f == nil || !f.known) {
		// go help test: in package list mode, a result is taken from the cache.
		c.Doubt = "go test takes a result that it knows from the cache, and doesn't run the test (-count=1 makes it)"
	}
	return c
}

// goModules is GOMODCACHE: sources of modules and toolchains, unpacked, by
// module and version. They are checked against go.sum when they are downloaded
// but not when they are used (go help mod verify), so the cache must not be
// shared with a project that isn't trusted. Locks in it make it safe to share
// between processes (Go Modules Reference, "Module cache").
func goModules(u *Use, e Env) Cache {
	home, doubt := e.home()
	def := path.Join(home, "go")
	if !e.Complete && repository(e.Base) == "golang" {
		def = "/go" // ENV GOPATH /go in the official image
	}
	gopath, guess := e.folder("GOPATH", def, doubt)
	if v, set, _ := e.get("GOPATH"); set && strings.Contains(v, ":") {
		first, _, _ := strings.Cut(v, ":") // modules lie in the first one
		gopath = path.Clean(first)
	}
	dir, guess := e.folder("GOMODCACHE", path.Join(gopath, "pkg/mod"), guess)
	c := Cache{Name: "modules", Path: dir, Guess: guess, Costs: "downloads every module again", ID: "imgmgr-gomod", Fetched: true, Kept: true}
	c.Project = goModule(e.Project)
	if c.Project == "" {
		c.Doubt = "the module's path isn't known, and its cache must not be shared with other projects"
	}
	if repository(e.Base) != "golang" && c.Doubt == "" {
		c.Doubt = "the base image may bring modules that can't be downloaded"
	}
	mod := u.goFlag(e, "-mod")
	switch v, _, _ := e.get("GOPROXY"); {
	case v == "off" || strings.HasPrefix(v, "file:"):
		c.Useless = "GOPROXY is " + v
	case mod != nil && mod.value == "vendor":
		c.Useless = "-mod=vendor takes modules from the vendor folder"
	case e.Project.vendored():
		// go help modules: with a vendor folder, builds use that by default.
		c.Useless = "the project has a vendor folder"
	}
	if v, _, _ := e.get("GO111MODULE"); v == "off" {
		c.Useless = "GO111MODULE is off"
	}
	return c
}

// goCross is GOOS and GOARCH (go help environment), where cgo, which needs a C
// compiler for the other platform, is off. go install would put what it makes
// into another folder then.
func goCross(u *Use, e Env) *Cross {
	if v, _, _ := e.get("CGO_ENABLED"); v != "0" || u.options.operand(0) != "build" {
		return nil
	}
	c := &Cross{}
	for _, v := range []struct{ name, value string }{{"GOOS", "$TARGETOS"}, {"GOARCH", "$TARGETARCH"}} {
		if _, set, _ := e.get(v.name); !set && !e.Open[v.name] {
			c.Set = append(c.Set, v.name+"="+v.value)
		}
	}
	return c
}

// goFlag is a flag of the command, or else one from GOFLAGS, which holds flags
// that are separated by spaces (go help environment); nil where there is none.
func (u *Use) goFlag(e Env, name string) *flag {
	if f, ok := u.options.last(name); ok {
		return &f
	}
	v, _, known := e.get("GOFLAGS")
	for _, word := range slices.Backward(strings.Fields(v)) {
		n, value, _ := strings.Cut(word, "=")
		if strings.TrimLeft(n, "-") == strings.TrimLeft(name, "-") {
			return &flag{name: name, value: value, known: known}
		}
	}
	return nil
}

func (p Project) vendored() bool {
	if !p.Known() {
		return false
	}
	there, err := p.Has("vendor")
	return there && err == nil
}

// goModule is the path that go.mod gives the module; "" when it isn't known.
func goModule(p Project) string {
	if !p.Known() {
		return ""
	}
	return modfile.ModulePath(p.read("go.mod"))
}

// goHabits: the module proxy keeps every version. A path without a dot in its
// first element is of the module itself or of the standard library.
func goHabits(u *Use) Habits {
	h := Habits{Lasting: true, Pin: "PATH@VERSION", Codes: Codes{Pin: "DL3062"}}
	switch u.options.operand(0) {
	case "install", "get", "run":
	default:
		return h
	}
	h.Packages = u.options.packages(1, func(name string) bool {
		first, _, _ := strings.Cut(name, "/")
		return !strings.HasPrefix(name, ".") && strings.Contains(first, ".") && strings.Contains(name, "/")
	}, func(name string) bool {
		_, version, _ := strings.Cut(name, "@")
		return version != "" && version != "latest"
	})
	if u.options.operand(0) == "run" && len(h.Packages) > 1 {
		h.Packages = h.Packages[:1] // the others are the program's arguments
	}
	return h
}
