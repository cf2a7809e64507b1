package ecosystem

import (
	"path"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// dotnet is .NET's command line with NuGet in it, by learn.microsoft.com/nuget
// ("Managing the global packages, cache, and temp folders", "NuGet.Config
// reference") and learn.microsoft.com/dotnet/core/tools.
func dotnet() *Tool {
	return &Tool{Name: "dotnet", Match: matchDotnet, Caches: dotnetCaches, Manifests: dotnetManifests, Example: Example{
		Base: "mcr.microsoft.com/dotnet/sdk:10.0",
		Files: map[string]string{
			"app.csproj": `<Project Sdk="Microsoft.NET.Sdk"/>`,
		},
		Commands: []string{
			"dotnet restore",
			"dotnet publish -c Release -o /out",
		},
	}}
}

func matchDotnet(c *shell.Command) *Use {
	name := c.Name()
	if name != "dotnet" && name != "nuget" {
		return nil
	}
	l := parseLine(c, "-c", "--configuration", "-f", "--framework", "-r", "--runtime", "-a", "--arch", "--os", "-o", "--output", "-v", "--verbosity", "-s", "--source", "--packages",
		"--configfile", "-p", "--property", "--project", "--tool-path", "--version", "--version-suffix", "--disable-build-servers", "--lock-file-path")
	u := &Use{options: l, Title: strings.TrimSpace(name + " " + l.operand(0))}
	switch l.operand(0) {
	case "restore":
		u.Kind = Fetch
		dotnetProject(u)
	case "build", "publish", "pack", "test", "run", "msbuild", "watch":
		u.Kind = Fetch | Build
		if l.on("--no-restore", "--no-build") || l.operand(0) == "msbuild" {
			u.Kind = Build | Offline
		}
	case "tool":
		u.Title = strings.TrimSpace("dotnet tool " + l.operand(1))
		if sub := l.operand(1); sub == "install" || sub == "update" || sub == "restore" {
			u.Kind = Fetch
		}
	case "add", "package":
		u.Kind = Fetch
	case "workload":
		u.Kind = 0 // its packs go beside the SDK
	case "nuget", "locals":
		u.Kind = Locate
		if hasWord(c, "locals") && (hasWord(c, "--clear") || hasWord(c, "-c") || hasWord(c, "-clear")) {
			u.Kind, u.Title = Clean, "dotnet nuget locals --clear"
		}
	default:
		if l.operand(0) == "" {
			u.Title = name
		}
	}
	return u
}

// dotnetCaches is the folder of global packages. Packages are used from where
// they lie there, so every later step needs them in place; "--no-restore" fails
// with NETSDK1064 where the cache was emptied since the restore. A package's
// hash is checked when it is unpacked, not when it is used, and nothing names
// the project among others: so the mount is offered. The cache of NuGet's
// answers beside it, ~/.local/share/NuGet, would be of little use: what it
// holds expires after 30 minutes ("http-cache").
func dotnetCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	home, doubt := e.home()
	c := Cache{
		Name: "packages", Costs: "downloads every package again", ID: "imgmgr-nuget", Locked: true, Fetched: true, Kept: true, PerBase: true,
		Doubt: "packages are not checked when they are used, and the cache is shared with other projects on this base image",
	}
	if doubt == "" && !e.Complete {
		doubt = e.Why
	}
	c.Path, c.Guess = e.folder("NUGET_PACKAGES", path.Join(home, ".nuget/packages"), doubt)
	if f, ok := u.options.last("--packages"); ok {
		c.Guess = "dotnet is given another folder of packages"
		if f.known && path.IsAbs(f.value) {
			c.Path, c.Guess = path.Clean(f.value), ""
		}
	}
	if p := e.Project; p.Known() && c.Guess == "" {
		for _, name := range nugetConfigs() {
			if text := string(p.read(name)); strings.Contains(text, "globalPackagesFolder") || strings.Contains(text, "repositoryPath") {
				c.Guess = name + " moves the packages"
			}
		}
	}
	return []Cache{c}
}
