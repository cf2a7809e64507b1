package ecosystem

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// pyproject is what matters of pyproject.toml (packaging.python.org,
// "pyproject.toml specification"; the documentation of poetry and uv).
type pyproject struct {
	BuildSystem map[string]any `toml:"build-system"`
	Project     struct {
		Name    string   `toml:"name"`
		Readme  any      `toml:"readme"`
		Dynamic []string `toml:"dynamic"`
	} `toml:"project"`
	Tool struct {
		Poetry struct {
			Name         string         `toml:"name"`
			PackageMode  *bool          `toml:"package-mode"`
			Dependencies map[string]any `toml:"dependencies"`
			Dev          map[string]any `toml:"dev-dependencies"`
			Group        map[string]struct {
				Dependencies map[string]any `toml:"dependencies"`
			} `toml:"group"`
		} `toml:"poetry"`
		UV struct {
			Workspace map[string]any `toml:"workspace"`
			Sources   map[string]any `toml:"sources"`
			Package   *bool          `toml:"package"`
			CacheDir  string         `toml:"cache-dir"`
			NoCache   bool           `toml:"no-cache"`
			LinkMode  string         `toml:"link-mode"`
			Offline   bool           `toml:"offline"`
		} `toml:"uv"`
	} `toml:"tool"`
}

// pyproject reads the project's pyproject.toml; ok is false where it can't be
// read.
func (p Project) pyproject() (file pyproject, ok bool) {
	if !p.Known() {
		return file, false
	}
	data := p.read("pyproject.toml")
	return file, data != nil && toml.Unmarshal(data, &file) == nil
}

// pythonProject is the name that pyproject.toml gives the project; "" when it
// isn't known.
func pythonProject(p Project) string {
	file, _ := p.pyproject()
	if file.Project.Name != "" {
		return file.Project.Name
	}
	return file.Tool.Poetry.Name
}

// requirement is a dependency specifier that names a package of an index
// (packaging.python.org, "Dependency specifiers"): no address, no path.
var requirement = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\s*(\[[^\]]*\])?\s*\(?\s*([<>=!~][^/;@]*)?(;.*)?$`)

// archives are the endings of files that pip installs from
// (pip/_internal/utils/filetypes.py).
var archives = [...]string{".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lz", ".tlz", ".tar.lzma"}

// indexed reports that a requirement is taken from an index.
func indexed(spec string) bool {
	return requirement.MatchString(spec) && !slices.ContainsFunc(archives[:], func(end string) bool { return strings.HasSuffix(spec, end) })
}

// pythonVariables doubts variables that could lead Python, or a tool whose
// settings begin with prefix, to files of the project. With an empty prefix the
// tool's own settings are not looked at.
func (m *Manifests) pythonVariables(e Env, prefix string, harmless []string) {
	names := slices.Concat(slices.Collect(maps.Keys(e.Vars)), slices.Collect(maps.Keys(e.Open)))
	slices.Sort(names)
	for _, name := range names {
		switch {
		case name == "PYTHONPATH" || name == "PYTHONHOME" || name == "PYTHONSTARTUP":
			m.doubt(name + " is set, which may lead Python to the sources")
		case prefix != "" && strings.HasPrefix(name, prefix) && !slices.Contains(harmless, name):
			m.doubt(name + " is set")
		}
	}
}
