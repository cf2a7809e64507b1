package ecosystem_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

const lock = `{"lockfileVersion": 3, "packages": {"": {}, "node_modules/a": {"resolved": "https://registry.example/a"}}}`

func show(m ecosystem.Manifests) string {
	s := strings.Join(m.Files, " ")
	if m.Doubt != "" {
		s += " doubt: " + m.Doubt
	}
	if m.Breaks != "" {
		s += " breaks: " + m.Breaks
	}
	if len(m.Rewritten) > 0 {
		s += " rewritten: " + strings.Join(m.Rewritten, " ")
	}
	return s
}

func manifests(t *testing.T, cmd string, e ecosystem.Env) string {
	t.Helper()
	u := ecosystem.Find(command(t, cmd))
	if !u.Installs {
		t.Fatalf("%s is no installation by manifest", cmd)
	}
	return show(u.Tool.Manifests(u, e))
}

// TestNpmManifests plants one trap at a time into a project that may be moved.
func TestNpmManifests(t *testing.T) {
	const good = "package.json package-lock.json"
	tests := []struct {
		name, command string
		pkg, lock     string
		more          []string
		want          string
	}{
		{"nothing", "npm ci", `{"scripts": {"build": "x"}, "dependencies": {"a": "^1"}}`, lock, nil, good},
		{"no package.json", "npm ci", "", lock, nil, " breaks: the context has no file package.json"},
		{"no lock", "npm ci", `{}`, "", nil, "package.json doubt: the context has no package-lock.json"},
		{"shrinkwrap", "npm ci", `{}`, lock, []string{"npm-shrinkwrap.json", lock}, "package.json npm-shrinkwrap.json package-lock.json"},
		{"npm install", "npm install", `{}`, lock, nil, good + " rewritten: package.json package-lock.json"},
		{"npm install of what is locked", "npm i", `{"dependencies": {"a": "^1"}, "devDependencies": {"b": "2"}}`, `{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "^1"}, "devDependencies": {"b": "2"}}}}`, nil,
			good + " rewritten: package.json package-lock.json"},
		{"npm install of another version", "npm i", `{"dependencies": {"a": "^2"}}`, `{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "^1"}}}}`, nil,
			good + " doubt: npm i writes package-lock.json anew, which does not have a ^2 of package.json rewritten: package.json package-lock.json"},
		{"npm install of something else", "npm i", `{"optionalDependencies": {"b": "1"}}`, `{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "^1"}}}}`, nil,
			good + " doubt: npm i writes package-lock.json anew, which does not have b 1 of package.json rewritten: package.json package-lock.json"},
		{"npm install without a lock file", "npm i", `{}`, lock, []string{".npmrc", "package-lock=false"}, good + " .npmrc doubt: .npmrc turns the lock file off rewritten: package.json package-lock.json"},
		{"postinstall", "npm ci", `{"scripts": {"postinstall": "x"}}`, lock, nil, good + " doubt: package.json has a postinstall script"},
		{"prepare", "npm ci", `{"scripts": {"prepare": "husky"}}`, lock, nil, good + " doubt: package.json has a prepare script"},
		{"prepare without scripts", "npm ci --ignore-scripts", `{"scripts": {"prepare": "husky"}}`, lock, nil, good},
		{"prepare with .npmrc", "npm ci", `{"scripts": {"prepare": "husky"}}`, lock, []string{".npmrc", "ignore-scripts=true"}, good + " .npmrc"},
		{"workspaces", "npm ci", `{"workspaces": ["p/*"]}`, lock, nil, good + " breaks: package.json has workspaces"},
		{"workspace asked for", "npm ci -w p", `{}`, lock, nil, good + " breaks: npm is asked to install a workspace"},
		{"bin", "npm ci", `{"bin": "x.js"}`, lock, nil, good + " doubt: package.json has a bin"},
		{"bin folder", "npm ci", `{"directories": {"bin": "b"}}`, lock, nil, good + " doubt: package.json has a bin"},
		{"file dependency", "npm ci", `{"devDependencies": {"b": "file:../b"}}`, lock, nil, good + " breaks: package.json takes b from file:../b"},
		{"local path", "npm ci", `{"dependencies": {"b": "./b"}}`, lock, nil, good + " breaks: package.json takes b from ./b"},
		{"override", "npm ci", `{"overrides": {"b": {"c": "file:c"}}}`, lock, nil, good + " breaks: the overrides in package.json name a local package"},
		{"patches", "npm ci", `{}`, lock, []string{"patches/a.patch", ""}, good + " doubt: the context has patches"},
		{"binding.gyp", "npm ci", `{}`, lock, []string{"binding.gyp", ""}, good + " doubt: the context has binding.gyp"},
		{"npmrc", "npm ci", `{}`, lock, []string{".npmrc", "# c\n@s:registry=https://x\n//x/:_authToken=${T}\nregistry=https://y"}, good + " .npmrc"},
		{"npmrc with more", "npm ci", `{}`, lock, []string{".npmrc", "script-shell=./x"}, good + " .npmrc doubt: .npmrc sets script-shell"},
		{"script of a dependency", "npm ci", `{}`, `{"lockfileVersion": 2, "packages": {"": {}, "node_modules/b/node_modules/@p/client": {"hasInstallScript": true}}}`, nil,
			good + " doubt: @p/client has an install script, which may read the sources"},
		{"script that keeps to itself", "npm ci", `{}`, `{"lockfileVersion": 2, "packages": {"node_modules/esbuild": {"hasInstallScript": true}}}`, nil, good},
		{"linked package", "npm ci", `{}`, `{"lockfileVersion": 3, "packages": {"node_modules/b": {"link": true, "resolved": "b"}}}`, nil, good + " breaks: package-lock.json has the local package node_modules/b"},
		{"package of the project", "npm ci", `{}`, `{"lockfileVersion": 3, "packages": {"packages/b": {}}}`, nil, good + " breaks: package-lock.json has the local package packages/b"},
		{"local archive", "npm ci", `{}`, `{"lockfileVersion": 3, "packages": {"node_modules/b": {"resolved": "file:b.tgz"}}}`, nil, good + " breaks: package-lock.json has the local package node_modules/b"},
		{"old lock", "npm ci", `{}`, `{"lockfileVersion": 1, "dependencies": {}}`, nil, good + " doubt: package-lock.json is of version 1, which doesn't say which packages run scripts"},
		{"unknown option", "npm ci --node-options=x", `{}`, lock, nil, good + " doubt: npm is given --node-options"},
		{"open option", "npm ci --omit=$X", `{}`, lock, nil, good + " doubt: the value of npm's --omit is not known"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := tt.more
			if tt.pkg != "" {
				files = append(files, "package.json", tt.pkg)
			}
			if tt.lock != "" {
				files = append(files, "package-lock.json", tt.lock)
			}
			e := root()
			e.Project = project(files...)
			if got := manifests(t, tt.command, e); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestNpmManifestsOfABadFile(t *testing.T) {
	for _, files := range [][]string{{"package.json", "{", "package-lock.json", lock}, {"package.json", "{}", "package-lock.json", "["}} {
		e := root()
		e.Project = project(files...)
		if got := manifests(t, "npm ci", e); !strings.Contains(got, "can't be read") {
			t.Errorf("%s: %s", files, got)
		}
	}
}

func TestNpmManifestsInTheirEnvironment(t *testing.T) {
	for _, tt := range []struct{ kv, want string }{
		{"NODE_OPTIONS=--max-old-space-size=4096", ""},
		{"NODE_OPTIONS=--require ./x.js", "doubt: NODE_OPTIONS is --require ./x.js"},
		{"npm_config_script_shell=./x", "doubt: npm_config_script_shell is set"},
	} {
		e := root(tt.kv)
		e.Project = project("package.json", "{}", "package-lock.json", lock)
		if got := manifests(t, "npm ci", e); (tt.want == "") != !strings.Contains(got, "doubt") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s", tt.kv, got)
		}
	}
}

// links is a context whose files are links.
type links struct{ fstest.MapFS }

func (l links) Lstat(name string) (fs.FileInfo, error) { return l.MapFS.Lstat(name) }

func TestManifestsAreNoLinks(t *testing.T) {
	fsys := fstest.MapFS{
		"real.json":         {Data: []byte("{}")},
		"package.json":      {Data: []byte("real.json"), Mode: fs.ModeSymlink},
		"go.mod":            {Data: []byte("real.json"), Mode: fs.ModeSymlink},
		"package-lock.json": {Data: []byte(lock)},
	}
	for cmd, want := range map[string]string{"npm ci": "no file package.json", "go mod download": "no file go.mod"} {
		e := root()
		e.Project = ecosystem.Project{Files: links{fsys}, Dir: "."}
		if got := manifests(t, cmd, e); !strings.Contains(got, want) {
			t.Errorf("%s: %s", cmd, got)
		}
	}
}

// TestGoManifests plants one trap at a time.
func TestGoManifests(t *testing.T) {
	const mod = "module m\n\ngo 1.22\n"
	const good = "go.mod go.sum"
	tests := []struct {
		name, command string
		env           string
		files         []string
		want          string
	}{
		{"nothing", "go mod download", "", []string{"go.mod", mod, "go.sum", ""}, good},
		{"no go.mod", "go mod download", "", []string{"go.sum", ""}, " breaks: the context has no file go.mod"},
		{"no go.sum", "go mod download", "", []string{"go.mod", mod}, "go.mod doubt: the context has no file go.sum"},
		{"replaced by a folder", "go mod download", "", []string{"go.mod", mod + "replace x.org/a => ../a\n", "go.sum", ""}, good + " breaks: go.mod replaces x.org/a by the folder ../a"},
		{"replaced by a module", "go mod download", "", []string{"go.mod", mod + "replace x.org/a => x.org/b v1.0.0\n", "go.sum", ""}, good},
		{"workspace", "go mod download", "", []string{"go.mod", mod, "go.sum", "", "go.work", ""}, good + " breaks: the context has go.work"},
		{"workspace off", "go mod download", "GOWORK=off", []string{"go.mod", mod, "go.sum", "", "go.work", ""}, good},
		{"workspace elsewhere", "go mod download", "GOWORK=/w/go.work", []string{"go.mod", mod, "go.sum", ""}, good + " breaks: GOWORK is /w/go.work"},
		{"vendor", "go mod download", "", []string{"go.mod", mod, "go.sum", "", "vendor/modules.txt", ""}, good + " doubt: the context has vendor"},
		{"old Go", "go mod download", "", []string{"go.mod", "module m\ngo 1.17\n", "go.sum", ""}, good + " doubt: go.mod asks for a Go before 1.18, whose go mod download may write go.sum"},
		{"no Go version", "go mod download", "", []string{"go.mod", "module m\n", "go.sum", ""}, good + " doubt: go.mod asks for a Go before 1.18, whose go mod download may write go.sum"},
		{"patch version", "go mod download", "", []string{"go.mod", "module m\ngo 1.26.1\n", "go.sum", ""}, good},
		{"flag", "go mod download -json", "", []string{"go.mod", mod, "go.sum", ""}, good + " doubt: go is given -json"},
		{"GOFLAGS", "go mod download", "GOFLAGS=-modfile=x.mod", []string{"go.mod", mod, "go.sum", ""}, good + " doubt: GOFLAGS is -modfile=x.mod"},
		{"broken", "go mod download", "", []string{"go.mod", "modul m\n", "go.sum", ""}, good + " doubt: go.mod can't be read: go.mod:1: unknown directive: modul"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := root(tt.env)
			e.Project = project(tt.files...)
			if got := manifests(t, tt.command, e); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestGoWorkAboveTheProject(t *testing.T) {
	e := root()
	e.Project = project("go.work", "", "a/b/go.mod", "module m\ngo 1.22\n", "a/b/go.sum", "")
	e.Project.Dir = "a/b"
	if got := manifests(t, "go mod download", e); got != "go.mod go.sum breaks: the context has go.work" {
		t.Error(got)
	}
}

func TestManifestsWithoutContext(t *testing.T) {
	for cmd, want := range map[string]string{
		"npm ci":          "package.json package-lock.json* doubt: the build context is not known",
		"go mod download": "go.mod go.sum* doubt: the build context is not known",
	} {
		if got := manifests(t, cmd, root()); got != want {
			t.Errorf("%s: %s", cmd, got)
		}
	}
}

// TestDotnetManifests plants one trap at a time.
func TestDotnetManifests(t *testing.T) {
	const list = `<PropertyGroup><TargetFramework>net9.0</TargetFramework></PropertyGroup><ItemGroup><PackageReference Include="A" Version="1.0.0"/></ItemGroup>`
	sdk := func(inside ...string) string {
		return `<Project Sdk="Microsoft.NET.Sdk.Web">` + strings.Join(inside, "") + `</Project>`
	}
	tests := []struct {
		name, command string
		files         []string
		want          string
	}{
		{"nothing", "dotnet restore", []string{"App.csproj", sdk(list), "Program.cs", ""}, "App.csproj"},
		{"named", "dotnet restore App.fsproj", []string{"App.fsproj", sdk(list), "Other.csproj", ""}, "App.fsproj"},
		{"in a folder", "dotnet restore ./", []string{"App.csproj", sdk(list)}, "App.csproj"},
		{"not there", "dotnet restore App.csproj", []string{"x", ""}, " breaks: the context has no file App.csproj"},
		{"two of them", "dotnet restore", []string{"App.csproj", sdk(), "App.sln", ""}, "App.csproj App.sln breaks: the context has 2 projects and solutions in one folder"},
		{"a solution", "dotnet restore", []string{"App.sln", ""}, "App.sln breaks: the projects of App.sln lie in folders of their own"},
		{"settings beside it", "dotnet restore", []string{"App.csproj", sdk(list), "Directory.Build.props", "<Project/>", "Directory.Packages.props", "<Project/>", "global.json", "{}", "App.csproj.user", "<Project/>"},
			"App.csproj Directory.Build.props Directory.Packages.props global.json App.csproj.user"},
		{"a response file", "dotnet restore", []string{"App.csproj", sdk(list), "Directory.Build.rsp", ""}, "App.csproj doubt: the context has Directory.Build.rsp"},
		{"a lock file", "dotnet restore", []string{"App.csproj", sdk(list), "packages.lock.json", "{}"}, "App.csproj packages.lock.json rewritten: packages.lock.json"},
		{"a lock file that stays", "dotnet restore --locked-mode", []string{"App.csproj", sdk(list), "packages.lock.json", "{}"}, "App.csproj packages.lock.json"},
		{"another project", "dotnet restore", []string{"App.csproj", sdk(`<ItemGroup><ProjectReference Include="../Lib/Lib.csproj"/></ItemGroup>`)}, "App.csproj breaks: App.csproj refers to another project"},
		{"an import", "dotnet restore", []string{"App.csproj", sdk(`<Import Project="x.props"/>`)}, "App.csproj doubt: App.csproj has an element Import, which may bring in other files"},
		{"a target in the settings", "dotnet restore", []string{"App.csproj", sdk(), "Directory.Build.targets", `<Project><Target Name="X"/></Project>`},
			"App.csproj Directory.Build.targets doubt: Directory.Build.targets has an element Target, which may bring in other files"},
		{"a condition", "dotnet restore", []string{"App.csproj", sdk(`<PropertyGroup Condition="Exists('x.cs')"/>`)}, "App.csproj doubt: App.csproj calls a function, which may look at the sources"},
		{"a condition in another case", "dotnet restore", []string{"App.csproj", sdk(`<PropertyGroup Condition="exists('x.cs')"/>`)}, "App.csproj doubt: App.csproj calls a function, which may look at the sources"},
		{"another project in another case", "dotnet restore", []string{"App.csproj", sdk(`<ItemGroup><projectReference Include="../Lib/Lib.csproj"/></ItemGroup>`)}, "App.csproj breaks: App.csproj refers to another project"},
		{"another SDK as an element", "dotnet restore", []string{"App.csproj", `<Project><Sdk Name="X"/></Project>`}, "App.csproj doubt: App.csproj has an element Sdk, which may bring in other files"},
		{"a function", "dotnet restore", []string{"App.csproj", sdk(`<PropertyGroup><V>$([System.IO.File]::ReadAllText('v'))</V></PropertyGroup>`)}, "App.csproj doubt: App.csproj calls a function, which may look at the sources"},
		{"another folder of results", "dotnet restore", []string{"App.csproj", sdk(`<PropertyGroup><BaseIntermediateOutputPath>x/</BaseIntermediateOutputPath></PropertyGroup>`)}, "App.csproj doubt: App.csproj sets BaseIntermediateOutputPath"},
		{"another SDK", "dotnet restore", []string{"App.csproj", `<Project Sdk="MSTest.Sdk/3.6.1"/>`}, "App.csproj doubt: App.csproj takes its build from MSTest.Sdk/3.6.1"},
		{"a bad file", "dotnet restore", []string{"App.csproj", "<Project"}, "App.csproj doubt: App.csproj can't be read: XML syntax error on line 1: unexpected EOF"},
		{"a source by address", "dotnet restore", []string{"App.csproj", sdk(list), "nuget.config", `<configuration><packageSources><clear/><add key="x" value="https://x.example/v3/index.json"/></packageSources></configuration>`},
			"App.csproj nuget.config"},
		{"a source of the project's", "dotnet restore", []string{"App.csproj", sdk(list), "NuGet.Config", `<configuration><packageSources><add key="x" value="./packages"/></packageSources></configuration>`},
			"App.csproj NuGet.Config breaks: NuGet.Config takes packages from the folder ./packages"},
		{"a folder that is asked first", "dotnet restore", []string{"App.csproj", sdk(list), "NuGet.Config", `<configuration><fallbackPackageFolders><add key="x" value="./packages"/></fallbackPackageFolders></configuration>`},
			"App.csproj NuGet.Config breaks: NuGet.Config takes packages from the folder ./packages"},
		{"a source by option", "dotnet restore -s ./packages", []string{"App.csproj", sdk(list)}, "App.csproj breaks: dotnet takes packages from the folder ./packages"},
		{"a property", "dotnet restore -p:X=Y", []string{"App.csproj", sdk(list)}, "App.csproj doubt: dotnet is given -p"},
		{"harmless options", "dotnet restore -r linux-x64 --nologo -v minimal", []string{"App.csproj", sdk(list)}, "App.csproj"},
	}
	for _, tt := range tests {
		e := root()
		e.Project = project(tt.files...)
		if got := manifests(t, tt.command, e); got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
	}
	e := root()
	e.Project = project("App/App.csproj", sdk(list), "Directory.Build.props", "<Project/>")
	e.Project.Dir = "App"
	if got, want := manifests(t, "dotnet restore App/App.csproj", e), "App.csproj breaks: the context has Directory.Build.props"; got != want {
		t.Errorf("settings above the project: %s, want %s", got, want)
	}
}
