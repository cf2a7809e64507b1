package ecosystem

import (
	"maps"
	"slices"
	"strings"
)

// yarnManifests says what "yarn install" reads: package.json, yarn.lock and the
// settings of .npmrc and .yarnrc, or of .yarnrc.yml; beyond that whatever
// scripts, workspaces and local packages bring in. yarn.lock doesn't say which
// packages have install scripts.
func yarnManifests(u *Use, e Env) Manifests {
	m, done := packageManifests(u, e, "yarn.lock", "node_modules", ".pnp.cjs", ".pnp.js")
	if done {
		return m
	}
	p := e.Project
	m.lockFile(p, "yarn.lock")
	scripts := !u.options.on("--ignore-scripts")
	if f, ok := u.options.last("--mode"); ok && f.value == "skip-build" {
		scripts = false
	}
	scripts = m.npmSettings(p, scripts)
	scripts = m.yarnSettings(p, scripts)
	m.yarnOptions(u, e)
	m.npmPackage(p, scripts)
	lock := string(p.read("yarn.lock"))
	for _, local := range []string{"file:", "link:", "portal:", "patch:"} {
		if strings.Contains(lock, "@"+local) {
			m.breaks("yarn.lock has packages of " + local)
		}
	}
	if scripts {
		m.doubt("yarn.lock does not say which packages have install scripts, which may read the sources")
	}
	return m
}

// npmSettings takes in .npmrc, and returns whether scripts still run.
func (m *Manifests) npmSettings(p Project, scripts bool) bool {
	switch there, err := p.Has(".npmrc"); {
	case err != nil:
		m.doubt(err.Error())
	case there:
		m.Files = append(m.Files, ".npmrc")
		settings := npmrc(p.read(".npmrc"))
		m.doubt(npmrcDoubt(p, settings))
		return scripts && settings["ignore-scripts"] != "true"
	}
	return scripts
}

// yarnSettings takes in .yarnrc or .yarnrc.yml. The release of yarn, plugins
// and patches that a project brings lie in folders of their own.
func (m *Manifests) yarnSettings(p Project, scripts bool) bool {
	switch there, err := p.Has(".yarnrc"); {
	case err != nil:
		m.doubt(err.Error())
	case there:
		m.Files = append(m.Files, ".yarnrc")
		settings := yarnrc1(p)
		for _, key := range slices.Sorted(maps.Keys(settings)) {
			switch key {
			case "registry", "network-timeout", "cache-folder", "save-prefix", "disable-self-update-check", "strict-ssl", "lastUpdateCheck", "version-tag-prefix", "version-git-message":
			case "ignore-scripts", "--ignore-scripts", "--install.ignore-scripts":
				scripts = scripts && settings[key] != "true"
			default:
				m.breaks(".yarnrc sets " + key)
			}
		}
	}
	rc, there := p.yarnrc()
	if rc.broken {
		m.doubt(".yarnrc.yml can't be read")
	}
	if !there {
		return scripts
	}
	m.Files = append(m.Files, ".yarnrc.yml")
	if rc.YarnPath != "" {
		m.breaks(".yarnrc.yml takes yarn itself from " + rc.YarnPath)
	}
	for _, key := range []string{"plugins", "injectEnvironmentFiles", "constraintsPath"} {
		if rc.Other[key] != nil {
			m.breaks(".yarnrc.yml sets " + key)
		}
	}
	if there, err := p.Has(".yarn"); err != nil {
		m.doubt(err.Error())
	} else if there {
		m.breaks("the context has .yarn, with patches, plugins or a cache")
	}
	if rc.EnableScripts != nil && !*rc.EnableScripts {
		scripts = false
	}
	return scripts
}

// yarnOptions looks at the options and the environment.
func (m *Manifests) yarnOptions(u *Use, e Env) {
	for _, f := range u.options.flags {
		switch f.name {
		case "--frozen-lockfile", "--pure-lockfile", "--immutable", "--production", "--prod", "--ignore-scripts", "--ignore-engines", "--ignore-optional",
			"--ignore-platform", "--non-interactive", "--no-progress", "--silent", "-s", "--verbose", "--prefer-offline", "--network-timeout",
			"--network-concurrency", "--child-concurrency", "--cache-folder", "--registry", "--force", "--check-files", "--no-cache", "--mutex",
			"--inline-builds", "--check-cache", "--mode", "--cwd", "--emoji", "--no-emoji", "--no-default-rc", "--no-bin-links", "--har", "--json":
			if !f.known {
				m.doubt("the value of yarn's " + f.name + " is not known")
			}
		default:
			m.doubt("yarn is given " + f.name)
		}
	}
	switch v, set, known := e.get("NODE_OPTIONS"); {
	case !known:
		m.doubt(e.Why)
	case set && v != "" && !strings.HasPrefix(v, "--max"):
		m.doubt("NODE_OPTIONS is " + v + ", which may load a file of the project")
	}
}
