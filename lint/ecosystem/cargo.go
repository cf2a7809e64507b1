package ecosystem

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// cargo is Rust's package manager and build tool, by The Cargo Book ("Cargo
// Home", "Configuration", "Environment Variables") and its own help texts. The
// folder "target" is no cache that outlives a step: its fingerprints compare
// the times of files, which COPY takes from the context.
func cargo() *Tool {
	return &Tool{Name: "cargo", Proven: true, Match: matchCargo, Caches: cargoCaches, Manifests: cargoManifests, Tree: cargoTree, Habits: cargoHabits, Example: Example{
		Base: "rust:1.91",
		Env:  []string{"CARGO_HOME=/usr/local/cargo"},
		Files: map[string]string{
			"Cargo.toml": "[package]\nname = \"app\"\nversion = \"1.0.0\"\n",
			"Cargo.lock": "version = 4\n",
		},
		Commands: []string{
			"cargo build --release --locked",
			"cargo fetch --locked",
			"cargo install ripgrep",
		},
	}}
}

// cargoValued are the options whose value is the next word (cargo help build,
// install, fetch).
var cargoValued = [...]string{
	"-C", "-Z", "--config", "--color", "--manifest-path", "--target-dir", "--target", "--profile", "--features", "-F", "-p", "--package", "--exclude",
	"--bin", "--example", "--test", "--bench", "-j", "--jobs", "--message-format", "--lockfile-path", "--artifact-dir", "--out-dir",
	"--path", "--git", "--branch", "--tag", "--rev", "--root", "--version", "--vers", "--index", "--registry", "--recipe-path",
}

func matchCargo(c *shell.Command) *Use {
	if c.Name() != "cargo" {
		return nil
	}
	l := parseLine(c, cargoValued[:]...)
	if strings.HasPrefix(l.operand(0), "+") { // a toolchain, for rustup
		l.operands = l.operands[1:]
	}
	u := &Use{options: l, Title: "cargo " + l.operand(0), Dir: cargoDir(l)}
	switch l.operand(0) {
	case "build", "b", "check", "c", "run", "r", "test", "t", "bench", "doc", "d", "rustc", "rustdoc", "install", "clippy", "chef", "nextest", "auditable", "build-deps", "package", "publish":
		u.Kind = Fetch | Build
		if l.operand(0) == "chef" {
			u.Title = strings.TrimSpace("cargo chef " + l.operand(1))
		}
		if u.Title == "cargo chef prepare" { // reads the manifests alone
			u.Kind = 0
		}
	case "fetch":
		u.Kind = Fetch
		u.Installs = len(l.operands) == 1
	case "update", "metadata", "tree", "add", "vendor", "generate-lockfile", "search", "info", "audit", "deny", "outdated", "binstall":
		u.Kind = Fetch
	case "cache":
		// The plugin cargo-cache, which has an option for each folder.
		u.Kind = Clean | Locate
	case "", "new", "init", "fmt", "clean", "help", "version", "login", "logout", "uninstall", "locate-project", "pkgid", "read-manifest", "verify-project", "remove":
		if l.operand(0) == "" {
			u.Title = "cargo"
		}
	default:
		u.Kind = Fetch | Build // a plugin: most of them build
	}
	if u.Kind&Fetch != 0 && l.on("--offline", "--frozen") {
		u.Kind = u.Kind&^Fetch | Offline
	}
	return u
}

// cargoDir is the project's folder: that of --manifest-path or -C.
func cargoDir(l line) string {
	f, ok := l.last("--manifest-path")
	if !ok {
		return projectDir(l, "-C", "--path")
	}
	if !f.known || path.IsAbs(f.value) || strings.HasPrefix(path.Clean(f.value), "..") {
		return ""
	}
	return path.Dir(path.Clean(f.value))
}

// cargoCaches are the folders registry and git of CARGO_HOME ("Cargo Home",
// "Caching the Cargo home in CI"): never CARGO_HOME itself, which has bin/.
//
// An archive is checked against Cargo.lock when it is downloaded, and neither it
// nor what is unpacked from it when it is used (cargo's sources, download.rs
// and registry/mod.rs): the cache must not be shared with a project that isn't
// trusted. Unlike the folders, cargo's lock on them, CARGO_HOME/.package-cache,
// is not in the mount: hence Locked. Without a lock file cargo asks the
// registry for newer versions in any case.
func cargoCaches(u *Use, e Env) []Cache {
	var list []Cache
	if u.Kind&Fetch != 0 {
		list = cargoDownloads(u, e)
	}
	if u.Kind&Build != 0 {
		if c, ok := sccacheOf(e); ok {
			list = append(list, c)
		}
	}
	return list
}

func cargoDownloads(u *Use, e Env) []Cache {
	home, doubt := e.home()
	def := path.Join(home, ".cargo")
	if !e.Complete && repository(e.Base) == "rust" {
		def = "/usr/local/cargo" // ENV CARGO_HOME in the official image
	}
	dir, guess := e.folder("CARGO_HOME", def, doubt)
	p := e.Project.in(u.Dir)
	c := Cache{
		Name: "registry", Path: path.Join(dir, "registry"), Guess: guess, Costs: "downloads every crate again",
		ID: "imgmgr-cargo-registry", Locked: true, Fetched: true, Kept: true, Project: cargoPackage(p),
	}
	if c.Project == "" {
		c.Doubt = "the package's name isn't known, and its cache must not be shared with other projects"
	} else if repository(e.Base) != "rust" {
		c.Doubt = "the base image may bring crates that can't be downloaded"
	}
	switch v, _, _ := e.get("CARGO_NET_OFFLINE"); v {
	case "true", "1":
		c.Useless = "CARGO_NET_OFFLINE is " + v
	}
	c.cargoConfig(u, p)
	if !cargoNeedsGit(u, p) {
		return []Cache{c}
	}
	git := c
	git.Name, git.Path, git.Costs, git.ID = "git", path.Join(dir, "git"), "clones every git dependency again", "imgmgr-cargo-git"
	return []Cache{c, git}
}

// cargoTree is the folder of build results. With --target or its like they lie in
// a folder of the target's name there ("Build Cache").
func cargoTree(u *Use, e Env) string {
	if u.Kind&Build == 0 || u.options.operand(0) == "install" {
		return ""
	}
	if _, ok := u.options.last("--target", "--config"); ok {
		return ""
	}
	for _, name := range []string{"CARGO_BUILD_TARGET", "CARGO_BUILD_TARGET_DIR"} {
		if v, set, _ := e.get(name); set && v != "" || e.Open[name] {
			return ""
		}
	}
	if f, ok := u.options.last("--target-dir"); ok {
		if !f.known {
			return ""
		}
		return f.value
	}
	if v, set, _ := e.get("CARGO_TARGET_DIR"); set || e.Open["CARGO_TARGET_DIR"] {
		return v
	}
	return "target"
}

// cargoConfig looks for settings that let cargo do without the registry
// ("Source Replacement", "net.offline").
func (c *Cache) cargoConfig(u *Use, p Project) {
	if _, ok := u.options.last("--config"); ok {
		c.Guess = "cargo is given settings of its own"
	}
	if !p.Known() || !p.holds(".cargo") {
		return
	}
	for _, name := range []string{".cargo/config.toml", ".cargo/config"} {
		for _, text := range strings.Split(string(p.read(name)), "\n") {
			key, value, _ := strings.Cut(strings.TrimSpace(text), "=")
			switch key, value = strings.TrimSpace(key), strings.TrimSpace(value); {
			case key == "directory" || key == "local-registry":
				c.Useless = name + " takes crates from a folder of the project"
			case (key == "offline" || key == "net.offline") && value == "true":
				c.Useless = name + " sets offline"
			}
		}
	}
}

// cargoNeedsGit reports that a dependency may come from a git repository, which
// the lock file's sources tell ("git+https://…").
func cargoNeedsGit(u *Use, p Project) bool {
	if u.options.operand(0) == "install" {
		if _, ok := u.options.last("--git"); ok {
			return true
		}
		if _, ok := u.options.last("--path"); !ok {
			return false // a published crate has no git dependencies
		}
	}
	lock := []byte(nil)
	if p.Known() {
		lock = p.read("Cargo.lock")
	}
	return lock == nil || strings.Contains(string(lock), `"git+`)
}

// cargoPackage is the name of the package in Cargo.toml, or of the first member
// that a workspace without one names ("Workspaces"); "" when it isn't known.
func cargoPackage(p Project) string {
	var file struct {
		Package struct {
			Name string `toml:"name"`
		} `toml:"package"`
		Workspace struct {
			Members []string `toml:"members"`
		} `toml:"workspace"`
	}
	if !p.Known() || toml.Unmarshal(p.read("Cargo.toml"), &file) != nil {
		return ""
	}
	if file.Package.Name == "" && len(file.Workspace.Members) > 0 {
		if first := path.Clean(file.Workspace.Members[0]); first != "." && fs.ValidPath(first) && !strings.ContainsAny(first, "*?[") {
			return cargoPackage(p.in(first))
		}
	}
	return file.Package.Name
}

// cargoManifests: cargo reads which targets a package has before it does
// anything, and refuses one whose src/lib.rs or src/main.rs isn't there ("Cargo
// Targets", "Target auto-discovery"; tried with cargo 1.95). So an installation
// can't stand above the sources without files made up for it.
func cargoManifests(u *Use, e Env) Manifests {
	m := Manifests{Files: []string{"Cargo.toml", "Cargo.lock"}, Breaks: "cargo stops where the sources of its targets are missing"}
	if e.Project.Known() && !e.Project.regular("Cargo.toml") {
		m.Files = nil
	}
	return m
}

// in is the project in a folder of the project's; the project itself where the
// folder isn't known.
func (p Project) in(dir string) Project {
	if dir == "" || dir == "." || slices.Contains(strings.Split(dir, "/"), "..") {
		return p
	}
	return Project{Files: p.Files, Dir: path.Join(p.Dir, dir)}
}

// cargoHabits: crates.io keeps every version (cargo help install: --version).
func cargoHabits(u *Use) Habits {
	if u.Title != "cargo install" {
		return Habits{}
	}
	h := Habits{Lasting: true, Pin: "NAME@VERSION"}
	if _, ok := u.options.last("--path", "--git", "--version", "--vers"); !ok {
		h.Packages = u.options.packages(1, notEndingIn(), containing("@"))
	}
	return h
}
