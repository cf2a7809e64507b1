package ecosystem

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// npmManifests says what "npm ci" reads: package.json, the lock file and
// .npmrc; beyond that whatever lifecycle scripts, workspaces and local packages
// bring in (scripts, "Life Cycle Operation Order"; package.json, "workspaces",
// "Local Paths").
func npmManifests(u *Use, e Env) Manifests {
	m, done := packageManifests(u, e, "package-lock.json", "node_modules")
	if done {
		return m
	}
	p, lock := e.Project, ""
	// npm-shrinkwrap.json wins over package-lock.json.
	for _, name := range []string{"npm-shrinkwrap.json", "package-lock.json"} {
		if p.regular(name) {
			m.Files = append(m.Files, name)
			if lock == "" {
				lock = name
			}
		}
	}
	scripts := !u.options.on("--ignore-scripts")
	scripts = m.npmSettings(p, scripts)
	if u.Relocks && npmrc(p.read(".npmrc"))["package-lock"] == "false" {
		m.doubt(".npmrc turns the lock file off")
	}
	m.npmOptions(u, e)
	m.npmPackage(p, scripts)
	if lock == "" {
		m.doubt("the context has no package-lock.json")
	} else {
		m.npmLock(u, p, lock, scripts)
	}
	return m
}

// relocked takes in what an installation may do to the lock file. Where that
// has all that package.json asks for, written in the same words, the tool takes
// what it says. It may yet bring the file into the form of its own version.
func (m *Manifests) relocked(u *Use, pkg packageJSON, lock string, has func(name, spec string) bool) {
	if !u.Relocks {
		return
	}
	for _, deps := range []map[string]string{pkg.Dependencies, pkg.DevDependencies, pkg.OptionalDependencies} {
		for _, name := range slices.Sorted(maps.Keys(deps)) {
			if !has(name, deps[name]) {
				m.doubt(fmt.Sprintf("%s writes %s anew, which does not have %s %s of package.json", u.Title, lock, name, deps[name]))
			}
		}
	}
	m.Rewritten = []string{"package.json", lock}
}

// packageManifests starts the manifests of a tool that installs what
// package.json says and makes outputs. Done reports that nothing more can be
// said, as the project isn't known.
func packageManifests(u *Use, e Env, lock string, outputs ...string) (m Manifests, done bool) {
	m = Manifests{Outputs: outputs, Doubt: u.Doubt}
	switch {
	case !e.Project.Known():
		m.Files = []string{"package.json", lock + "*"}
		m.doubt("the build context is not known")
		return m, true
	case !e.Project.regular("package.json"):
		m.Breaks = "the context has no file package.json"
		return m, true
	}
	m.Files = []string{"package.json"}
	return m, false
}

// lockFile adds a lock file that has to be there.
func (m *Manifests) lockFile(p Project, name string) {
	if p.regular(name) {
		m.Files = append(m.Files, name)
	} else {
		m.doubt("the context has no " + name)
	}
}

// doubt keeps the first reason.
func (m *Manifests) doubt(why string) {
	if m.Doubt == "" {
		m.Doubt = why
	}
}

func (m *Manifests) breaks(why string) {
	if m.Breaks == "" {
		m.Breaks = why
	}
}

// npmrcDoubt names a setting that isn't known to leave the project's files
// alone.
func npmrcDoubt(p Project, settings map[string]string) string {
	if !p.regular(".npmrc") {
		return ".npmrc is no regular file"
	}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		name := key
		if strings.HasPrefix(key, "@") || strings.HasPrefix(key, "//") {
			continue // a scope's registry, a registry's credentials
		}
		switch name {
		case "registry", "ignore-scripts", "save-exact", "save-prefix", "fund", "audit", "audit-level", "loglevel", "progress",
			"legacy-peer-deps", "strict-peer-deps", "engine-strict", "always-auth", "omit", "include", "production", "cache",
			"fetch-retries", "fetch-timeout", "fetch-retry-mintimeout", "fetch-retry-maxtimeout", "maxsockets",
			"update-notifier", "color", "strict-ssl", "prefer-offline", "unsafe-perm", "lockfile-version", "package-lock",
			// Settings of pnpm and yarn, which npm doesn't read.
			"shamefully-hoist", "auto-install-peers", "node-linker", "strict-dep-builds":
		default:
			return ".npmrc sets " + key
		}
	}
	return ""
}

// npmOptions looks at the options and the environment.
func (m *Manifests) npmOptions(u *Use, e Env) {
	for _, f := range u.options.flags {
		switch f.name {
		case "--prefix", "-C", "--cache", "--registry", "--loglevel", "--omit", "--include", "--only", "--production",
			"--ignore-scripts", "--legacy-peer-deps", "--strict-peer-deps", "--no-audit", "--audit", "--no-fund", "--fund",
			"--silent", "-s", "--quiet", "-q", "--verbose", "-d", "-dd", "-ddd", "--prefer-offline", "--prefer-online", "--no-progress", "--progress",
			"--no-optional", "--optional", "--force", "-f", "--unsafe-perm", "--no-update-notifier", "--include-workspace-root",
			"--fetch-retries", "--fetch-timeout", "--fetch-retry-mintimeout", "--fetch-retry-maxtimeout", "--maxsockets", "--network-timeout", "--no-save":
			if !f.known {
				m.doubt("the value of npm's " + f.name + " is not known")
			}
		case "-w", "--workspace", "--workspaces", "-ws":
			m.breaks("npm is asked to install a workspace")
		default:
			m.doubt("npm is given " + f.name)
		}
	}
	switch v, set, known := e.get("NODE_OPTIONS"); {
	case !known:
		m.doubt(e.Why)
	case set && v != "" && !strings.HasPrefix(v, "--max"):
		m.doubt("NODE_OPTIONS is " + v + ", which may load a file of the project")
	}
	for _, name := range []string{"workspace", "workspaces", "script_shell", "node_options", "prefix", "userconfig"} {
		if _, ok := npmSetting(e, name); ok {
			m.doubt("npm_config_" + name + " is set")
		}
	}
}

// packageJSON is what matters of package.json.
type packageJSON struct {
	Scripts              map[string]string `json:"scripts"`
	Workspaces           json.RawMessage   `json:"workspaces"`
	Bin                  json.RawMessage   `json:"bin"`
	Directories          map[string]string `json:"directories"`
	Dependencies         map[string]string `json:"dependencies"`
	DevDependencies      map[string]string `json:"devDependencies"`
	OptionalDependencies map[string]string `json:"optionalDependencies"`
	PeerDependencies     map[string]string `json:"peerDependencies"`
	Overrides            json.RawMessage   `json:"overrides"`
	Patched              json.RawMessage   `json:"patchedDependencies"`
}

// packageJSON is package.json, empty where it can't be read.
func (p Project) packageJSON() packageJSON {
	var pkg packageJSON
	if json.Unmarshal(p.read("package.json"), &pkg) != nil {
		return packageJSON{}
	}
	return pkg
}

// npmPackage looks at package.json and at what lies beside it.
func (m *Manifests) npmPackage(p Project, scripts bool) {
	var pkg packageJSON
	if err := json.Unmarshal(p.read("package.json"), &pkg); err != nil {
		m.doubt("package.json can't be read: " + err.Error())
		return
	}
	if len(pkg.Workspaces) > 0 {
		m.breaks("package.json has workspaces")
	}
	for _, deps := range []map[string]string{pkg.Dependencies, pkg.DevDependencies, pkg.OptionalDependencies, pkg.PeerDependencies} {
		for _, name := range slices.Sorted(maps.Keys(deps)) {
			if isLocal(deps[name]) {
				m.breaks(fmt.Sprintf("package.json takes %s from %s", name, deps[name]))
			}
		}
	}
	if strings.Contains(string(pkg.Overrides), `"file:`) || strings.Contains(string(pkg.Overrides), `"link:`) {
		m.breaks("the overrides in package.json name a local package")
	}
	if len(pkg.Bin) > 0 || pkg.Directories["bin"] != "" {
		// npm links a package's bin when it installs it, and leaves the link
		// out where the file isn't there yet.
		m.doubt("package.json has a bin")
	}
	if len(pkg.Patched) > 0 {
		m.doubt("package.json has patchedDependencies")
	}
	if scripts {
		for _, s := range []string{"preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare",
			"predependencies", "dependencies", "postdependencies"} {
			if pkg.Scripts[s] != "" {
				m.doubt(fmt.Sprintf("package.json has a %s script", s))
			}
		}
		// npm runs node-gyp for a binding.gyp without an install script.
		m.without(p, "binding.gyp")
	}
	m.without(p, "patches")
}

// without doubts unless the project has no such file or folder.
func (m *Manifests) without(p Project, name string) {
	if there, err := p.Has(name); err != nil {
		m.doubt(err.Error())
	} else if there {
		m.doubt("the context has " + name)
	}
}

// isLocal reports that a dependency's specification is a folder or an archive
// of the project (package.json, "Local Paths"; "workspace:" and "portal:" are
// those of pnpm and yarn).
func isLocal(spec string) bool {
	return slices.ContainsFunc([]string{"file:", "link:", "portal:", "workspace:", "./", "../", "/", "~/"},
		func(prefix string) bool { return strings.HasPrefix(spec, prefix) })
}

// lockJSON is what matters of a lock file (package-lock.json). The package ""
// is the project itself.
type lockJSON struct {
	Version  int `json:"lockfileVersion"`
	Packages map[string]struct {
		packageJSON
		Link             bool   `json:"link"`
		Resolved         string `json:"resolved"`
		HasInstallScript bool   `json:"hasInstallScript"`
	} `json:"packages"`
}

// npmLock looks at the packages that would be installed.
func (m *Manifests) npmLock(u *Use, p Project, name string, scripts bool) {
	var lock lockJSON
	if err := json.Unmarshal(p.read(name), &lock); err != nil {
		m.doubt(name + " can't be read: " + err.Error())
		return
	}
	if lock.Version < 2 || lock.Packages == nil {
		m.doubt(name + " is of version 1, which doesn't say which packages run scripts")
	}
	root := lock.Packages[""]
	m.relocked(u, p.packageJSON(), name, func(dep, spec string) bool {
		return slices.ContainsFunc([]map[string]string{root.Dependencies, root.DevDependencies, root.OptionalDependencies}, func(deps map[string]string) bool {
			return deps[dep] == spec
		})
	})
	for _, key := range slices.Sorted(maps.Keys(lock.Packages)) {
		pkg := lock.Packages[key]
		switch {
		case key == "":
		case pkg.Link || isLocal(pkg.Resolved) || !strings.HasPrefix(key, "node_modules/"):
			m.breaks(fmt.Sprintf("%s has the local package %s", name, key))
		case scripts && pkg.HasInstallScript && !keepsToItself(key):
			m.doubt(fmt.Sprintf("%s has an install script, which may read the sources", key[strings.LastIndex(key, "node_modules/")+len("node_modules/"):]))
		}
	}
}

// keepsToItself knows packages whose install scripts work in their own folder
// alone: they fetch or compile their binary, or print a line. A script of a
// dependency may well read the project: that of @prisma/client looks for the
// project's schema.
func keepsToItself(key string) bool {
	switch key[strings.LastIndex(key, "node_modules/")+len("node_modules/"):] {
	case "fsevents", // node-gyp, macOS only
		"esbuild",                                              // checks its binary
		"core-js", "core-js-pure", "core-js-bundle", "es5-ext", // print a line
		"bcrypt", "better-sqlite3", "bufferutil", "utf-8-validate", "cpu-features", "ssh2", "msgpackr-extract": // node-gyp or prebuilt
		return true
	}
	return false
}

// Scripts are those of the project's package.json; nil where it can't be read.
func (p Project) Scripts() map[string]string {
	if !p.Known() {
		return nil
	}
	return p.packageJSON().Scripts
}
