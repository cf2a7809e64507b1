package ecosystem

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// pipInstalls recognises an installation by requirements files: "pip install -r
// requirements.txt", with packages of an index beside it.
func (u *Use) pipInstalls() {
	files := u.options.values("-r", "--requirement")
	if u.options.operand(0) != "install" || len(files) == 0 {
		return
	}
	u.Installs = true
	for _, w := range u.options.operands[1:] {
		u.Installs = u.Installs && w.Literal && indexed(w.Value)
	}
	if u.options.on("--dry-run") {
		u.Installs = false
	}
	files = append(files, u.options.values("-c", "--constraint")...)
	for i, f := range files {
		switch dir := path.Dir(path.Clean(f.value)); {
		case !f.known || f.value == "" || path.IsAbs(f.value) || strings.HasPrefix(dir, "..") || i > 0 && dir != u.Dir:
			u.Dir = ""
			return
		default:
			u.Dir = dir
		}
	}
}

// pipApart recognises an installation of packages of an index: "pip install -U
// pip".
func (u *Use) pipApart() {
	u.Apart = u.options.operand(0) == "install" && len(u.options.operands) > 1
	for _, w := range u.options.operands[1:] {
		u.Apart = u.Apart && w.Literal && indexed(w.Value)
	}
	for _, f := range u.options.flags {
		u.Apart = u.Apart && slices.Contains(pipAlone, f.name)
	}
}

// pipAlone are options of pip that name no file.
var pipAlone = []string{
	"-U", "--upgrade", "--no-cache-dir", "--no-cache", "-q", "-qq", "--quiet", "--user", "--pre", "--no-input", "--disable-pip-version-check",
	"--root-user-action", "--break-system-packages", "--progress-bar", "--no-warn-script-location", "--force-reinstall",
}

// values are the flags of one of names.
func (l line) values(names ...string) []flag {
	return slices.DeleteFunc(slices.Clone(l.flags), func(f flag) bool { return !slices.Contains(names, f.name) })
}

// pipManifests says what "pip install -r" reads: the requirements files, and
// those that they include ("Requirements File Format").
func pipManifests(u *Use, e Env) Manifests {
	m := Manifests{Doubt: u.Doubt, Outputs: pipOutputs(u, e), Elsewhere: true}
	m.pipOptions(u)
	m.pythonVariables(e, "PIP_", pipHarmless)
	for _, f := range u.options.values("-r", "--requirement", "-c", "--constraint") {
		m.requirements(e.Project, path.Base(f.value))
	}
	if !e.Project.Known() {
		m.doubt("the build context is not known")
	}
	return m
}

// pipOutputs are folders of the project that may hold the environment that pip
// installs into. A context that brings one would now overwrite it.
func pipOutputs(u *Use, e Env) []string {
	out := []string{"venv", ".venv"}
	if name := u.Command.Words[0].Value; strings.Contains(name, "/") && !path.IsAbs(name) {
		first, _, _ := strings.Cut(path.Clean(name), "/")
		out = append(out, first)
	}
	env, _, _ := e.get("VIRTUAL_ENV")
	dirs, _, _ := e.get("PATH")
	for _, dir := range append([]string{env + "/bin"}, strings.Split(dirs, ":")...) {
		root, base := path.Split(path.Clean(dir))
		if base == "bin" && !strings.HasPrefix(root, "/usr/") && path.Clean(root) != "/" {
			out = append(out, path.Base(root))
		}
	}
	if u.options.on("--user") {
		out = append(out, ".local")
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pipOptions looks at the options.
func (m *Manifests) pipOptions(u *Use) {
	for _, f := range u.options.flags {
		switch f.name {
		case "-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "--trusted-host", "--timeout",
			"--default-timeout", "--retries", "--progress-bar", "--no-binary", "--only-binary", "--root-user-action", "--upgrade-strategy",
			"--use-feature", "--use-deprecated", "--proxy", "--cache-dir", "--exists-action":
			if !f.known {
				m.doubt("the value of pip's " + f.name + " is not known")
			}
		case "--no-cache-dir", "--no-cache", "-U", "--upgrade", "--force-reinstall", "-I", "--ignore-installed", "--no-deps", "--pre",
			"--prefer-binary", "--require-hashes", "--no-compile", "--compile", "--no-warn-script-location", "--no-warn-conflicts", "--user",
			"--break-system-packages", "--disable-pip-version-check", "--no-python-version-warning", "--no-input", "--no-color",
			"--no-build-isolation", "--use-pep517", "--isolated", "-q", "-qq", "-qqq", "--quiet", "-v", "-vv", "-vvv", "--verbose", "--no-clean", "--require-virtualenv":
		default:
			m.doubt("pip is given " + f.name)
		}
	}
}

// pipHarmless are variables that name no file of the project. pip takes each
// option from PIP_OPTION, too ("Configuration", "Environment Variables").
var pipHarmless = []string{
	"PIP_NO_CACHE_DIR", "PIP_CACHE_DIR", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT", "PIP_TIMEOUT",
	"PIP_RETRIES", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_ROOT_USER_ACTION", "PIP_BREAK_SYSTEM_PACKAGES", "PIP_NO_COLOR", "PIP_PROGRESS_BAR",
	"PIP_PREFER_BINARY", "PIP_ONLY_BINARY", "PIP_NO_BINARY", "PIP_NO_COMPILE", "PIP_QUIET", "PIP_VERBOSE", "PIP_USER", "PIP_PROXY", "PIP_VERSION", "PIP_NO_INPUT",
}

// requirements takes in one requirements file and those that it includes.
func (m *Manifests) requirements(p Project, name string) {
	if slices.Contains(m.Files, name) {
		return
	}
	if !p.Known() {
		m.Files = append(m.Files, name)
		return
	}
	if !p.regular(name) {
		m.breaks("the context has no file " + path.Join(p.Dir, name))
		return
	}
	m.Files = append(m.Files, name)
	data := p.read(name)
	if data == nil {
		m.doubt(name + " can't be read")
		return
	}
	text := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\\\n", "")
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		if strings.HasPrefix(line, "#") {
			continue
		}
		if i := strings.Index(line, " #"); i >= 0 {
			line = strings.TrimSpace(line[:i])
		}
		if line != "" {
			m.requirementLine(p, name, line)
		}
	}
}

// requirementLine looks at one line of a requirements file.
func (m *Manifests) requirementLine(p Project, name, line string) {
	if line[0] != '-' {
		m.requirement(name, line)
		return
	}
	word, value, _ := strings.Cut(strings.Replace(line, "=", " ", 1), " ")
	if len(word) > 2 && word[1] != '-' { // -rFILE
		word, value = line[:2], line[2:]
	}
	value = strings.Trim(strings.TrimSpace(value), `"'`)
	switch word {
	case "-r", "--requirement", "-c", "--constraint":
		switch {
		case strings.Contains(value, "://"):
			m.doubt(name + " includes " + value)
		case value != path.Base(value):
			m.breaks(fmt.Sprintf("%s includes %s, which lies in another folder", name, value))
		default:
			m.requirements(p, value)
		}
	case "-e", "--editable":
		m.breaks(fmt.Sprintf("%s installs %s in place", name, value))
	case "-f", "--find-links":
		if !strings.Contains(value, "://") {
			m.breaks(fmt.Sprintf("%s takes packages from %s", name, value))
		}
	case "-i", "--index-url", "--extra-index-url", "--trusted-host", "--pre", "--prefer-binary", "--no-binary", "--only-binary", "--require-hashes", "--use-feature":
	default:
		m.doubt(fmt.Sprintf("%s has the option %s", name, word))
	}
}

// requirement looks at what one line asks for. Options for a single package
// stand behind it ("Per-requirement Options").
func (m *Manifests) requirement(name, line string) {
	spec, _, _ := strings.Cut(line, " --")
	spec = strings.TrimSpace(spec)
	if indexed(spec) {
		return
	}
	_, address, at := strings.Cut(spec, "@")
	if !at {
		address = spec
	}
	address = strings.TrimSpace(cmp.Or(address, spec))
	remote := strings.Contains(address, "://") || strings.Contains(spec, "://")
	if !remote || strings.Contains(spec, "file:") {
		m.breaks(fmt.Sprintf("%s installs %s", name, spec))
	}
}
