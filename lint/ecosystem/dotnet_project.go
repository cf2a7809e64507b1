package ecosystem

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// dotnetProject sets what "dotnet restore" restores: the project that it names, or
// the one in its working folder (learn.microsoft.com/dotnet/core/tools/dotnet-restore,
// "ROOT").
func dotnetProject(u *Use) {
	u.Installs = len(u.options.operands) <= 2
	u.Dir = "."
	if len(u.options.operands) < 2 {
		return
	}
	root := path.Clean(u.options.operand(1))
	switch {
	case !u.options.operands[1].Literal || path.IsAbs(root) || strings.HasPrefix(root, ".."):
		u.Dir = ""
	case isMSBuild(root):
		u.Dir = path.Dir(root)
	default:
		u.Dir = root
	}
}

// isMSBuild reports that a file of this name is a project or a solution.
func isMSBuild(name string) bool { return isDotnetProject(name) || isSolution(name) }

func isDotnetProject(name string) bool {
	return slices.Contains([]string{".csproj", ".fsproj", ".vbproj"}, path.Ext(name))
}

func isSolution(name string) bool {
	return slices.Contains([]string{".sln", ".slnx", ".slnf"}, path.Ext(name))
}

// What MSBuild and NuGet look for beside a project and in the folders above it, whatever
// that asks for (learn.microsoft.com: "Customize the build by folder or solution", "Central
// Package Management", "Common NuGet configurations", "global.json overview").
func besideProjects() []string {
	return append([]string{"Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json"}, nugetConfigs()...)
}

// nugetConfigs are the names that NuGet looks for where names have a case.
func nugetConfigs() []string { return []string{"nuget.config", "NuGet.config", "NuGet.Config"} }

// dotnetManifests says what "dotnet restore" reads of a project that has nothing to do
// with other projects. A project is a program of MSBuild's, which may read whatever it
// likes: it is believed to be a list of packages where it has none of the words that
// lead elsewhere.
func dotnetManifests(u *Use, e Env) Manifests {
	m := Manifests{Outputs: []string{"obj"}, Doubt: u.Doubt}
	p := e.Project
	if !p.Known() {
		return m // a project has no name that could be guessed
	}
	if m.Files, m.Breaks = dotnetFile(u, p); m.Breaks != "" {
		return m
	}
	name := m.Files[0]
	m.msbuild(p, name)
	for _, beside := range append(besideProjects(), name+".user") {
		m.dotnetBeside(p, beside)
	}
	for _, name := range []string{"MSBuild.rsp", "Directory.Build.rsp", "Directory.Solution.props", "Directory.Solution.targets"} {
		m.without(p, name)
	}
	if name := "packages.lock.json"; p.regular(name) {
		m.Files = append(m.Files, name)
		if !u.options.on("--locked-mode") {
			m.Rewritten = append(m.Rewritten, name)
		}
	}
	m.dotnetAbove(p)
	m.dotnetOptions(u)
	return m
}

// dotnetAbove refuses what is read of the folders above the project's.
func (m *Manifests) dotnetAbove(p Project) {
	for dir := p.Dir; dir != "."; {
		dir = path.Dir(dir)
		for _, name := range besideProjects() {
			if there, err := (Project{p.Files, dir}).Has(name); err != nil {
				m.doubt(err.Error())
			} else if there {
				m.breaks("the context has " + path.Join(dir, name))
			}
		}
	}
}

// dotnetFile is the project's file in its folder, and what stands against restoring
// that alone.
func dotnetFile(u *Use, p Project) (files []string, breaks string) {
	name := path.Base(u.options.operand(1))
	if !isMSBuild(name) {
		entries, err := fs.ReadDir(p.Files, p.Dir)
		if err != nil { // as in a build, which is told names alone
			return []string{"*.*proj"}, "it doesn't name its project"
		}
		for _, f := range entries {
			if isMSBuild(f.Name()) {
				files = append(files, f.Name())
			}
		}
		if len(files) != 1 {
			return files, fmt.Sprintf("the context has %d projects and solutions in one folder", len(files))
		}
		name = files[0]
	}
	switch {
	case !p.regular(name):
		return nil, "the context has no file " + name
	case isSolution(name):
		return []string{name}, "the projects of " + name + " lie in folders of their own"
	}
	return []string{name}, ""
}

// dotnetBeside adds a file that is read without being named, where there is one.
func (m *Manifests) dotnetBeside(p Project, name string) {
	switch there, err := p.Has(name); {
	case err != nil:
		m.doubt(err.Error())
		return
	case !there:
		return
	}
	m.Files = append(m.Files, name)
	switch {
	case slices.Contains(nugetConfigs(), name):
		m.nugetConfig(p, name)
	case name != "global.json":
		m.msbuild(p, name)
	}
}

// msbuild looks for what leads from a file of MSBuild's to others. Names have no case there
// (learn.microsoft.com/visualstudio/msbuild, "MSBuild project file schema reference",
// "Property functions", "MSBuild conditions"; learn.microsoft.com/nuget, "NuGet pack and
// restore as MSBuild targets").
func (m *Manifests) msbuild(p Project, file string) {
	text := p.read(file)
	if bytes.Contains(text, []byte("$([")) || bytes.Contains(bytes.ToLower(text), []byte("exists(")) {
		m.doubt(file + " calls a function, which may look at the sources")
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			m.doubt(fmt.Sprintf("%s can't be read: %v", file, err))
			return
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch name := e.Name.Local; strings.ToLower(name) {
		case "projectreference":
			m.breaks(file + " refers to another project")
		case "import", "target", "usingtask", "sdk":
			m.doubt(fmt.Sprintf("%s has an element %s, which may bring in other files", file, name))
		case "restoresources", "restoreadditionalprojectsources", "restorepackagespath", "restoreconfigfile", "nugetlockfilepath", "restoreoutputpath",
			"baseintermediateoutputpath", "intermediateoutputpath", "msbuildprojectextensionspath", "restorepackageswithlockfile":
			m.doubt(fmt.Sprintf("%s sets %s", file, name))
		case "project":
			for _, a := range e.Attr {
				if strings.EqualFold(a.Name.Local, "Sdk") && !strings.HasPrefix(a.Value, "Microsoft.NET.Sdk") {
					m.doubt(fmt.Sprintf("%s takes its build from %s", file, a.Value))
				}
			}
		}
	}
}

// nugetConfig looks for packages that come with the sources
// (learn.microsoft.com/nuget/reference/nuget-config-file, "packageSources",
// "fallbackPackageFolders").
func (m *Manifests) nugetConfig(p Project, name string) {
	type place struct {
		Value string `xml:"value,attr"`
	}
	var file struct {
		Sources   []place `xml:"packageSources>add"`
		Fallbacks []place `xml:"fallbackPackageFolders>add"`
	}
	if err := xml.Unmarshal(p.read(name), &file); err != nil {
		m.doubt(fmt.Sprintf("%s can't be read: %v", name, err))
	}
	for _, s := range append(file.Sources, file.Fallbacks...) {
		if !strings.Contains(s.Value, "://") {
			m.breaks(fmt.Sprintf("%s takes packages from the folder %s", name, s.Value))
		}
	}
}

func (m *Manifests) dotnetOptions(u *Use) {
	for _, f := range u.options.flags {
		switch f.name {
		case "-r", "--runtime", "-a", "--arch", "--os", "-v", "--verbosity", "--locked-mode", "--no-cache", "--no-http-cache", "--force", "--no-dependencies", "--ignore-failed-sources",
			"--interactive", "--nologo", "--disable-parallel", "--packages":
			if !f.known {
				m.doubt("the value of dotnet's " + f.name + " is not known")
			}
		case "-s", "--source":
			if !strings.Contains(f.value, "://") {
				m.breaks("dotnet takes packages from the folder " + f.value)
			}
		default:
			m.doubt("dotnet is given " + f.name)
		}
	}
}
