package ecosystem

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// uvManifests says what "uv sync" and "uv pip install -r" read: pyproject.toml,
// uv.toml and .python-version, and uv.lock or the requirements files ("Projects",
// "Configuration files", "Python versions").
func uvManifests(u *Use, e Env) Manifests {
	m := Manifests{Outputs: pipOutputs(u, e), Doubt: u.Doubt}
	p := e.Project
	m.uvOptions(u)
	m.pythonVariables(e, "UV_", uvHarmless)
	sync := u.options.operand(0) == "sync"
	m.Elsewhere = !sync
	if !p.Known() {
		m.Files = []string{"pyproject.toml", "uv.lock*"}
		if !sync {
			m.Files = nil
			m.requirementFiles(u, p)
		}
		m.doubt("the build context is not known")
		return m
	}
	for _, name := range []string{"pyproject.toml", "uv.lock", "uv.toml", ".python-version"} {
		if name == "uv.lock" && !sync {
			continue
		}
		if there, err := p.Has(name); err != nil {
			m.doubt(err.Error())
		} else if there {
			m.Files = append(m.Files, name)
		}
	}
	if !sync {
		m.requirementFiles(u, p)
		return m
	}
	if env, set, _ := e.get("UV_PROJECT_ENVIRONMENT"); set {
		m.Outputs = append(m.Outputs, path.Base(env))
	}
	m.uvProject(u, e)
	return m
}

// requirementFiles takes in the files of -r and -c.
func (m *Manifests) requirementFiles(u *Use, p Project) {
	for _, f := range u.options.values("-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints") {
		m.requirements(p, path.Base(f.value))
	}
}

// uvLock is what matters of uv.lock.
type uvLock struct {
	Packages []struct {
		Name   string         `toml:"name"`
		Source map[string]any `toml:"source"`
	} `toml:"package"`
}

// uvProject looks at what "uv sync" installs.
func (m *Manifests) uvProject(u *Use, e Env) {
	p := e.Project
	file, ok := p.pyproject()
	if !ok {
		m.breaks("pyproject.toml can't be read")
		return
	}
	if file.Tool.UV.Workspace != nil {
		m.breaks("pyproject.toml has a workspace")
	}
	for _, name := range slices.Sorted(maps.Keys(file.Tool.UV.Sources)) {
		if text := fmt.Sprint(file.Tool.UV.Sources[name]); strings.Contains(text, "path:") || strings.Contains(text, "workspace:") {
			m.breaks("pyproject.toml takes " + name + " from a folder")
		}
	}
	locked := u.options.on("--frozen", "--locked", "--no-sync")
	for _, name := range []string{"UV_FROZEN", "UV_LOCKED"} {
		v, _, _ := e.get(name)
		locked = locked || v == "1" || v == "true"
	}
	if !locked {
		m.doubt("uv sync without --frozen or --locked may write the lock file")
	}
	var lock uvLock
	if data := p.read("uv.lock"); data == nil {
		m.doubt("the context has no uv.lock")
	} else if err := toml.Unmarshal(data, &lock); err != nil {
		m.doubt("uv.lock can't be read")
	}
	alone := u.options.on("--no-install-project")
	seen := false
	for _, pkg := range lock.Packages {
		for _, kind := range []string{"editable", "directory", "path", "virtual"} {
			at, local := pkg.Source[kind]
			own := at == "."
			seen = seen || own
			switch {
			case !local || own && (kind == "virtual" || alone):
			case own:
				m.breaks("uv sync installs the project itself, too (--no-install-project leaves it for a later step)")
			default:
				m.breaks("uv.lock has the local package " + pkg.Name)
			}
		}
	}
	if !seen {
		m.doubt("whether uv sync installs the project itself is not known")
	}
}

// uvOptions looks at the options.
func (m *Manifests) uvOptions(u *Use) {
	for _, f := range u.options.flags {
		switch f.name {
		case "-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints", "--frozen", "--locked", "--no-dev", "--dev", "--only-dev",
			"--no-install-project", "--no-install-workspace", "--all-extras", "--extra", "--no-extra", "--all-groups", "--group", "--no-group", "--only-group",
			"--no-default-groups", "--compile-bytecode", "--compile", "--no-cache", "--no-cache-dir", "-n", "--no-progress", "-q", "--quiet", "-v", "--verbose",
			"--link-mode", "-p", "--python", "--no-editable", "--inexact", "--exact", "--system", "--break-system-packages", "--no-python-downloads",
			"--python-preference", "--no-managed-python", "--index-url", "-i", "--extra-index-url", "--index", "--default-index", "--no-build", "--no-binary",
			"--only-binary", "--reinstall", "--upgrade", "-U", "--no-deps", "--require-hashes", "--prerelease", "--index-strategy", "--keyring-provider",
			"--cache-dir", "--color", "--native-tls", "--project", "--directory", "--allow-insecure-host", "--trusted-host", "--resolution":
			if !f.known {
				m.doubt("the value of uv's " + f.name + " is not known")
			}
		default:
			m.doubt("uv is given " + f.name)
		}
	}
}

// uvHarmless are variables that name no file of the project.
var uvHarmless = []string{
	"UV_LINK_MODE", "UV_COMPILE_BYTECODE", "UV_NO_CACHE", "UV_CACHE_DIR", "UV_PYTHON_DOWNLOADS", "UV_PYTHON", "UV_SYSTEM_PYTHON",
	"UV_PROJECT_ENVIRONMENT", "UV_NO_DEV", "UV_TOOL_BIN_DIR", "UV_TOOL_DIR", "UV_FROZEN", "UV_LOCKED", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL",
	"UV_INDEX", "UV_DEFAULT_INDEX", "UV_NO_PROGRESS", "UV_HTTP_TIMEOUT", "UV_PYTHON_PREFERENCE", "UV_PYTHON_INSTALL_DIR", "UV_VERSION",
	"UV_BREAK_SYSTEM_PACKAGES", "UV_NATIVE_TLS", "UV_CONCURRENT_DOWNLOADS", "UV_INSTALL_DIR", "UV_MANAGED_PYTHON",
}
