package ecosystem

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// composerManifests says what "composer install" reads: composer.json and
// composer.lock, and beyond those whatever scripts, plugins, path repositories
// and the making of the autoloader bring in (04-schema; articles/scripts,
// articles/plugins). Installed packages are listed with the project's own
// version, which is guessed from its version control where composer.json
// doesn't give one (04-schema, "version"; VersionGuesser.php).
func composerManifests(u *Use, e Env) Manifests {
	m := Manifests{Outputs: []string{"vendor"}, Doubt: u.Doubt}
	if !e.Project.Known() {
		m.Files = []string{"composer.json", "composer.lock*"}
		m.doubt("the build context is not known")
		return m
	}
	p := e.Project
	if !p.regular("composer.json") {
		m.Breaks = "the context has no file composer.json"
		return m
	}
	m.Files = []string{"composer.json"}
	if p.regular("composer.lock") {
		m.Files = append(m.Files, "composer.lock")
	} else {
		m.doubt("the context has no composer.lock, so that Composer would write one")
	}
	if p.regular("auth.json") {
		m.Files = append(m.Files, "auth.json")
	}
	m.composerOptions(u, e)
	m.composerJSON(p, u)
	m.composerLock(p, u)
	for _, name := range []string{".git", ".hg", ".svn", ".fslckout", "_FOSSIL_"} {
		m.without(p, name)
	}
	return m
}

func (m *Manifests) composerOptions(u *Use, e Env) {
	for _, f := range u.options.flags {
		switch f.name {
		case "--no-dev", "--dev", "--no-scripts", "--no-plugins", "--no-autoloader", "--prefer-dist", "--prefer-source", "--prefer-install", "--no-progress", "--no-interaction", "-n",
			"--no-cache", "--ansi", "--no-ansi", "--quiet", "-q", "-v", "-vv", "-vvv", "--verbose", "--ignore-platform-reqs", "--ignore-platform-req", "--no-suggest", "--audit", "--no-audit", "--profile",
			"--working-dir", "-d", "--optimize-autoloader", "-o", "--classmap-authoritative", "-a": // of the autoloader, see below
			if !f.known {
				m.doubt("the value of composer's " + f.name + " is not known")
			}
		default:
			m.doubt("composer is given " + f.name)
		}
	}
	if !u.options.on("--no-autoloader") {
		m.doubt("the autoloader is made from the sources, too, without --no-autoloader")
	}
	for _, name := range []string{"COMPOSER", "COMPOSER_VENDOR_DIR", "COMPOSER_BIN_DIR", "COMPOSER_ROOT_VERSION"} {
		switch v, set, known := e.get(name); {
		case !known:
			m.doubt(e.Why)
		case set && v != "":
			m.doubt(name + " is set")
		}
	}
}

// composerFile is what matters of composer.json.
type composerFile struct {
	Scripts      map[string]json.RawMessage `json:"scripts"`
	Repositories json.RawMessage            `json:"repositories"`
	Config       map[string]json.RawMessage `json:"config"`
}

func (m *Manifests) composerJSON(p Project, u *Use) {
	var file composerFile
	if err := json.Unmarshal(p.read("composer.json"), &file); err != nil {
		m.doubt("composer.json can't be read: " + err.Error())
		return
	}
	if strings.Contains(strings.Join(strings.Fields(string(file.Repositories)), ""), `"type":"path"`) {
		m.breaks("composer.json takes packages from a folder of the project")
	}
	if strings.Contains(strings.Join(strings.Fields(string(file.Repositories)), ""), `"type":"artifact"`) {
		m.breaks("composer.json takes archives from a folder of the project")
	}
	for _, key := range []string{"vendor-dir", "bin-dir"} {
		if _, ok := file.Config[key]; ok {
			m.doubt("composer.json sets " + key)
		}
	}
	if u.options.on("--no-scripts") {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(file.Scripts)) {
		// Of the events, these belong to an installation (articles/scripts,
		// "Event names"); other names are commands of the project's own.
		if strings.HasPrefix(name, "pre-") || strings.HasPrefix(name, "post-") {
			m.doubt(fmt.Sprintf("composer.json has a %s script", name))
		}
	}
}

// composerLock looks for plugins, which run in the installation, and for local
// packages.
func (m *Manifests) composerLock(p Project, u *Use) {
	if !p.regular("composer.lock") {
		return
	}
	type pkg struct {
		Name string `json:"name"`
		Type string `json:"type"`
		Dist struct {
			Type string `json:"type"`
		} `json:"dist"`
	}
	var lock struct {
		Packages []pkg `json:"packages"`
		Dev      []pkg `json:"packages-dev"`
	}
	if err := json.Unmarshal(p.read("composer.lock"), &lock); err != nil {
		m.doubt("composer.lock can't be read: " + err.Error())
		return
	}
	for _, k := range append(lock.Packages, lock.Dev...) {
		switch {
		case k.Dist.Type == "path":
			m.breaks(fmt.Sprintf("composer.lock has the local package %s", k.Name))
		case (k.Type == "composer-plugin" || k.Type == "composer-installer") && !u.options.on("--no-plugins"):
			m.doubt(fmt.Sprintf("the plugin %s runs in the installation (--no-plugins leaves it out)", k.Name))
		}
	}
}
