package ecosystem

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// pnpmManifests says what "pnpm install" reads: package.json, pnpm-lock.yaml,
// pnpm-workspace.yaml and .npmrc; beyond that whatever hooks, scripts,
// workspaces, patches and local packages bring in.
func pnpmManifests(u *Use, e Env) Manifests {
	m, done := packageManifests(u, e, "pnpm-lock.yaml", "node_modules")
	if done {
		return m
	}
	p := e.Project
	m.lockFile(p, "pnpm-lock.yaml")
	s, there := p.pnpmSettings()
	if there {
		m.Files = append(m.Files, "pnpm-workspace.yaml")
	}
	switch {
	case s.broken:
		m.doubt("pnpm-workspace.yaml can't be read")
	case len(s.Packages) > 0:
		m.breaks("pnpm-workspace.yaml names packages of a workspace")
	case len(s.Patched) > 0:
		m.breaks("pnpm-workspace.yaml has patchedDependencies")
	case len(s.ConfigDependencies) > 0:
		m.doubt("pnpm-workspace.yaml has configDependencies")
	}
	scripts := m.npmSettings(p, !s.IgnoreScripts && !u.options.on("--ignore-scripts"))
	for _, hook := range []string{".pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js"} {
		m.without(p, hook)
	}
	m.pnpmOptions(u, e)
	m.npmPackage(p, scripts)
	m.pnpmLock(u, p, s, scripts)
	return m
}

// pnpmOptions looks at the options and the environment.
func (m *Manifests) pnpmOptions(u *Use, e Env) {
	for _, f := range u.options.flags {
		switch f.name {
		case "--frozen-lockfile", "--prod", "-P", "--production", "-D", "--dev", "--no-optional", "--ignore-scripts", "--prefer-offline", "--offline",
			"--reporter", "--silent", "-s", "--loglevel", "--store-dir", "--cache-dir", "--network-concurrency", "--child-concurrency", "--package-import-method",
			"--fetch-retries", "--fetch-timeout", "--registry", "--shamefully-hoist", "--strict-peer-dependencies", "--no-strict-peer-dependencies",
			"--force", "--no-verify-store-integrity", "--ignore-workspace", "-C", "--dir", "--config.confirmModulesPurge", "--config.side-effects-cache", "--no-side-effects-cache", "--node-linker", "--color", "--no-color":
			if !f.known {
				m.doubt("the value of pnpm's " + f.name + " is not known")
			}
		case "-r", "--recursive", "-F", "--filter", "--filter-prod", "-w", "--workspace-root":
			m.breaks("pnpm is asked to install a workspace")
		default:
			m.doubt("pnpm is given " + f.name)
		}
	}
	switch v, set, known := e.get("NODE_OPTIONS"); {
	case !known:
		m.doubt(e.Why)
	case set && v != "" && !strings.HasPrefix(v, "--max"):
		m.doubt("NODE_OPTIONS is " + v + ", which may load a file of the project")
	}
}

// pnpmLockfile is what matters of pnpm-lock.yaml (github.com/pnpm/spec).
type pnpmLockfile struct {
	Version      string                  `yaml:"lockfileVersion"`
	pnpmImporter `yaml:",inline"`        // where the project is no workspace, up to version 6
	Importers    map[string]pnpmImporter `yaml:"importers"`
	Patched      map[string]any          `yaml:"patchedDependencies"`
	Hooks        string                  `yaml:"pnpmfileChecksum"`
	Packages     map[string]struct {
		Resolution struct {
			Directory string `yaml:"directory"`
			Tarball   string `yaml:"tarball"`
		} `yaml:"resolution"`
		RequiresBuild bool `yaml:"requiresBuild"`
	} `yaml:"packages"`
}

// pnpmImporter is what the lock file has of a package.json.
type pnpmImporter struct {
	Dependencies         map[string]pnpmDependency `yaml:"dependencies"`
	DevDependencies      map[string]pnpmDependency `yaml:"devDependencies"`
	OptionalDependencies map[string]pnpmDependency `yaml:"optionalDependencies"`
}

// pnpmDependency is a dependency as package.json has it. Version 5 of the lock
// file has them elsewhere, and a version here, so that none is found.
type pnpmDependency struct {
	Specifier string `yaml:"specifier"`
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (d *pnpmDependency) UnmarshalYAML(n *yaml.Node) error {
	type plain pnpmDependency
	if n.Kind != yaml.MappingNode {
		return nil
	}
	return n.Decode((*plain)(d))
}

func (m *Manifests) pnpmLock(u *Use, p Project, s pnpmSettings, scripts bool) {
	var lock pnpmLockfile
	if err := yaml.Unmarshal(p.read("pnpm-lock.yaml"), &lock); err != nil {
		m.doubt("pnpm-lock.yaml can't be read")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(lock.Importers)) {
		if name != "." {
			m.breaks("pnpm-lock.yaml has the package " + name + " of a workspace")
		}
	}
	if len(lock.Patched) > 0 {
		m.breaks("pnpm-lock.yaml has patchedDependencies")
	}
	root, ok := lock.Importers["."]
	if !ok {
		root = lock.pnpmImporter
	}
	m.relocked(u, p.packageJSON(), "pnpm-lock.yaml", func(name, spec string) bool {
		return slices.ContainsFunc([]map[string]pnpmDependency{root.Dependencies, root.DevDependencies, root.OptionalDependencies}, func(deps map[string]pnpmDependency) bool {
			return deps[name].Specifier == spec
		})
	})
	if lock.Hooks != "" {
		m.doubt("pnpm-lock.yaml was made with a pnpmfile")
	}
	for _, key := range slices.Sorted(maps.Keys(lock.Packages)) {
		pkg := lock.Packages[key]
		if pkg.Resolution.Directory != "" || isLocal(pkg.Resolution.Tarball) || strings.Contains(key, "@file:") || strings.HasPrefix(key, "file:") {
			m.breaks("pnpm-lock.yaml has the local package " + key)
		}
		if scripts && pkg.RequiresBuild && !keepsToItself("node_modules/"+pnpmPackage(key)) {
			m.doubt(pnpmPackage(key) + " has an install script, which may read the sources")
		}
	}
	if !scripts || strings.HasPrefix(lock.Version, "5") || strings.HasPrefix(lock.Version, "6") {
		return
	}
	// Lock files of version 9 don't say which packages have scripts; since pnpm
	// 10 only those run that are named.
	if pnpmMajor(p) < 10 || s.AllowAllBuilds || packageBuilds(p) {
		m.doubt("pnpm-lock.yaml does not say which packages have install scripts, which may read the sources")
	}
	for _, name := range slices.Concat(s.OnlyBuilt, slices.Sorted(maps.Keys(s.AllowBuilds))) {
		if !keepsToItself("node_modules/" + name) {
			m.doubt(fmt.Sprintf("the install script of %s may read the sources", name))
		}
	}
}

// pnpmPackage is the name in a key of the lock file: "@a/b" of "/@a/b@1.0.0",
// "@a/b@1.0.0" and, in version 5, "/@a/b/1.0.0".
func pnpmPackage(key string) string {
	key = strings.TrimPrefix(key, "/")
	from := 0
	if strings.HasPrefix(key, "@") {
		from = strings.Index(key, "/") + 1
	}
	if i := strings.IndexAny(key[from:], "@/"); i >= 0 {
		return key[:from+i]
	}
	return key
}
