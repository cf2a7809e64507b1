package findings

import (
	"debug/elf"
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// entrypoint finds a container that can't start: what it is to run isn't there,
// can't be executed, is for another machine, or lacks what it is run with.
func entrypoint(e *Evidence) []report.Finding {
	name, entry, ok := started(e)
	if name == "" {
		return nil
	}
	f := report.Finding{Kind: "entrypoint", Severity: report.Severe, Layer: -1, Paths: []string{name}, Remedy: "Correct ENTRYPOINT or CMD, or copy the program"}
	switch {
	case !ok:
		f.Message = name + " isn't in the image, and the container is to start it"
	case entry.Content != nil && entry.Content.Mode&0o111 == 0:
		f.Layer, f.Message, f.Remedy = entry.Layer, "/"+entry.Path+" can't be executed, and the container is to start it", "Make it executable: COPY --chmod=755"
	default:
		f.Layer = entry.Layer
		f.Message, f.Remedy = e.runs(entry, programs(e))
	}
	if f.Message == "" {
		return nil
	}
	return []report.Finding{f}
}

// started is what the container starts, and what that leads to; "" for nothing
// that can be said.
func started(e *Evidence) (name string, entry image.Entry, ok bool) {
	c := e.Image.Config.Config
	command := slices.Concat(c.Entrypoint, c.Cmd)
	if len(command) == 0 || command[0] == "" || e.Image.Platform.OS == "windows" {
		return "", image.Entry{}, false
	}
	entry, ok = executable(e.Stacked, command[0], c.WorkingDir, c.Env)
	return command[0], entry, ok
}

// runs says why a program that is there doesn't run; "" if nothing speaks against
// it.
func (e *Evidence) runs(entry image.Entry, all map[*image.File]program) (message, remedy string) {
	p, known := all[entry.Content]
	if !known {
		return "", ""
	}
	c := e.Image.Config.Config
	if p.Script != "" {
		return e.runsScript("/"+entry.Path, p.Script, c.WorkingDir, c.Env)
	}
	if want := machines[e.Image.Platform.Architecture]; len(want) > 0 && !slices.Contains(want, p.Machine) {
		return "/" + entry.Path + " is for " + machineName(p.Machine) + ", and the image for " + e.Image.Platform.Architecture,
			"Build it for the target: GOARCH=$TARGETARCH or the like, or copy it from a stage of the same platform"
	}
	if p.Interpreter != "" {
		if _, ok := e.Stacked.Resolve(p.Interpreter); !ok {
			return "/" + entry.Path + " needs the dynamic linker " + p.Interpreter + ", which isn't in the image: " + libc(p.Interpreter),
				"Link it statically (CGO_ENABLED=0 for Go), or build it on the distribution that it runs on"
		}
	}
	if missing := e.missing(entry.Content, all); len(missing) > 0 {
		return "/" + entry.Path + " needs " + strings.Join(missing, ", ") + ", and no file of the image is called so",
			"Install the packages that have the libraries, or copy them, too"
	}
	return "", ""
}

// runsScript is runs for a script, by the line of its interpreter.
func (e *Evidence) runsScript(name, line, dir string, env []string) (message, remedy string) {
	if strings.HasSuffix(line, "\r") {
		return name + " ends its lines with carriage returns, so that its interpreter isn't found", "Keep it with line feeds: eol=lf in .gitattributes"
	}
	words := strings.Fields(line)
	if len(words) == 0 {
		return "", ""
	}
	if _, ok := e.Stacked.Resolve(path.Join("/", words[0])); !ok {
		return name + " is a script for " + words[0] + ", which isn't in the image", "Install the interpreter, or name another one in the script's first line"
	}
	if path.Base(words[0]) == "env" && len(words) == 2 && !strings.ContainsAny(words[1], "-=") {
		if _, ok := executable(e.Stacked, words[1], dir, env); !ok {
			return name + " is a script for " + words[1] + ", which isn't in PATH", "Install the interpreter, or name another one in the script's first line"
		}
	}
	return "", ""
}

// missing are the libraries that a program and its libraries need, and that are
// nowhere in the image. Where a dynamic linker looks isn't asked: that depends on
// its configuration.
func (e *Evidence) missing(f *image.File, all map[*image.File]program) []string {
	if len(all[f].Needed) == 0 {
		return nil
	}
	libraries := map[string]*image.File{}
	for entry := range e.Stacked.All() {
		if base := path.Base(entry.Path); entry.File != nil && strings.Contains(base, ".so") {
			libraries[base] = entry.Content
			if target, ok := e.Stacked.Resolve("/" + entry.Path); ok && target.Content != nil {
				libraries[base] = target.Content
			}
		}
	}
	var missing []string
	seen := map[string]bool{}
	for todo := slices.Clone(all[f].Needed); len(todo) > 0; todo = todo[1:] {
		name := todo[0]
		if seen[name] {
			continue
		}
		seen[name] = true
		if library, ok := libraries[name]; !ok {
			missing = append(missing, name)
		} else {
			todo = append(todo, all[library].Needed...)
		}
	}
	return missing
}

// machines are those of an architecture, by Go's names. Others aren't judged.
var machines = map[string][]elf.Machine{
	"amd64": {elf.EM_X86_64, elf.EM_386}, "386": {elf.EM_386}, "arm64": {elf.EM_AARCH64, elf.EM_ARM}, "arm": {elf.EM_ARM},
	"riscv64": {elf.EM_RISCV}, "ppc64le": {elf.EM_PPC64}, "s390x": {elf.EM_S390}, "loong64": {elf.EM_LOONGARCH},
}

// machineName is Go's name for a machine, or ELF's.
func machineName(m elf.Machine) string {
	for name, list := range machines {
		if list[0] == m {
			return name
		}
	}
	return m.String()
}

// libc says which C library a dynamic linker belongs to.
func libc(linker string) string {
	switch base := path.Base(linker); {
	case strings.HasPrefix(base, "ld-musl"):
		return "it was built for musl, as Alpine has it"
	case strings.HasPrefix(base, "ld-linux"), strings.HasPrefix(base, "ld64"):
		return "it was built for glibc, as Debian and Fedora have it"
	}
	return "it was built for another system"
}

// executable finds what a command's first word starts, as execvp(3) does.
func executable(s *image.Stacked, name, dir string, env []string) (image.Entry, bool) {
	if strings.Contains(name, "/") {
		if !path.IsAbs(name) {
			name = path.Join("/", dir, name)
		}
		return s.Resolve(name)
	}
	search := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" // the container engines' default
	if value := variable(env, "PATH"); value != "" {
		search = value
	}
	for folder := range strings.SplitSeq(search, ":") {
		if entry, ok := s.Resolve(path.Join(folder, name)); ok {
			return entry, true
		}
	}
	return image.Entry{}, false
}

// variable is the value of an environment variable; "" if it isn't set.
func variable(env []string, name string) string {
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}
