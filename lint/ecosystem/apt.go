package ecosystem

import (
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// aptKeep is what a step's apt has to be told instead of docker-clean.
//
// Debian's and Ubuntu's images carry /etc/apt/apt.conf.d/docker-clean (debuerreotype,
// scripts/debuerreotype-minimizing-config): hooks that delete every archive
// behind each run, and empty names for the two .bin indexes of the cache. The
// hooks have to go for a cache to fill; the empty names stay, for the indexes
// (some 70 MB) are of no use to another build. apt(8), unlike apt-get, deletes
// archives that it has installed unless Binary::apt says otherwise
// (apt-pkg, APT::Keep-Downloaded-Packages, apt 1.2 and later).
//
// The cache lies in a folder that no image has. So whatever the step does to
// apt's own, "rm -rf /var/cache/apt/*" for one, it does to the image.
const aptKeep = `# What docker-clean says, but for the hooks that empty the package cache.
Binary::apt::APT::Keep-Downloaded-Packages "true";
APT::Keep-Downloaded-Packages "true";
Dir::Cache "` + aptMount + `";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
`

const (
	aptCache = "/var/cache/apt" // apt.conf(5), "Directories"
	aptMount = "/run/imgmgr-apt"
)

// apt is Debian's package manager: apt-get(8) and apt(8).
func apt() *Tool {
	return &Tool{Name: "apt", Proven: true, Match: matchApt, Caches: aptCaches, Habits: aptHabits, Installed: aptInstalled, Example: Example{
		Base: "debian:bookworm-slim",
		Commands: []string{
			"apt-get update && apt-get install -y curl",
			"apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*",
			"apt-get install -y curl",
			"apt-get update && apt-get install -y curl && apt-get clean",
		},
	}}
}

func matchApt(c *shell.Command) *Use {
	name := c.Name()
	if name != "apt-get" && name != "apt" && name != "aptitude" {
		return nil
	}
	l := parseLine(c, "-o", "--option", "-c", "--config-file", "-t", "--target-release", "--default-release", "-a", "--host-architecture")
	u := &Use{options: l, Title: name + " " + l.operand(0)}
	switch l.operand(0) {
	case "update":
		u.Kind = Index
	case "install", "reinstall", "upgrade", "dist-upgrade", "full-upgrade", "build-dep", "satisfy", "dselect-upgrade", "safe-upgrade":
		u.Kind = Fetch
		if l.on("-s", "--simulate", "--just-print", "--dry-run", "--recon", "--no-act", "--print-uris") {
			u.Kind = 0
		}
		if l.on("--no-download") {
			u.Kind = Offline
		}
	case "clean", "autoclean", "auto-clean", "distclean", "dist-clean":
		// apt-get(8): clean and autoclean delete archives; distclean the lists too.
		u.Kind, u.Spares = Clean, "-o Dir::Cache="+aptCache
	default:
		u.Title = name
	}
	return u
}

// aptCaches: an archive is named by package, version and architecture, and apt
// checks it against the hash in the signed lists before it unpacks it. So one
// cache serves every release and platform. apt locks the folder itself and
// fails when another process holds the lock: hence Locked.
func aptCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	c := Cache{
		Name:     "packages",
		Path:     aptCache,
		Mount:    aptMount,
		Costs:    "downloads every package again",
		ID:       "imgmgr-apt",
		Locked:   true,
		Fetched:  true,
		Needs:    Index,
		NeedsWhy: "the package lists are those of another step",
		Override: &Override{
			Path:    "/etc/apt/apt.conf.d/docker-clean",
			Stage:   "imgmgr-apt",
			File:    "/keep-cache",
			Content: aptKeep,
		},
	}
	for _, f := range u.options.flags {
		switch {
		case f.name == "-c" || f.name == "--config-file":
			c.Guess = "a configuration file of its own may move apt's cache"
		case (f.name == "-o" || f.name == "--option") && movesAptCache(f.value):
			c.Guess = "the option " + f.value + " moves apt's cache"
		case f.name == "-d" || f.name == "--download-only":
			// What it downloads is meant for a later step.
			c.Doubt = "apt-get is told to download only, so a later step may need the archives"
		}
	}
	if u.Command.Name() == "aptitude" { // it has settings of its own beside those of apt.conf(5)
		c.Doubt = "no image built with aptitude has been proven equal yet"
	}
	if _, set, known := e.get("APT_CONFIG"); set || (!known && e.Open["APT_CONFIG"]) {
		c.Guess = "APT_CONFIG may move apt's cache"
	}
	return []Cache{c}
}

// movesAptCache reports that an option of apt.conf(5) moves the cache, or the
// root of all folders.
func movesAptCache(option string) bool {
	name, _, _ := strings.Cut(strings.ToLower(option), "=")
	return name == "dir" || name == "rootdir" || slices.ContainsFunc([]string{"dir::cache", "dir::etc", "dir::rootdir"}, func(p string) bool {
		return name == p || strings.HasPrefix(name, p+"::")
	})
}

// aptHabits: Debian's and Ubuntu's mirrors keep the newest version of a package
// only, so that a pin breaks with the next security update. apt-get -qq implies
// -y (apt-get(8)).
func aptHabits(u *Use) Habits {
	if u.Command.Name() == "aptitude" {
		return Habits{} // its options are others
	}
	h := Habits{Codes: Codes{Pin: "DL3008", Yes: "DL3014", Lean: "DL3015"}}
	verb := u.options.operand(0)
	if u.Kind&Fetch == 0 && !slices.Contains([]string{"remove", "purge", "autoremove"}, verb) {
		return h
	}
	quiet := 0
	for _, f := range u.options.flags {
		switch {
		case f.name == "--quiet":
			quiet++
		case len(f.name) > 1 && f.name[1] != '-':
			quiet += strings.Count(f.name, "q")
		}
	}
	says := func(option string) bool {
		return slices.ContainsFunc(u.options.flags, func(f flag) bool {
			return (f.name == "-o" || f.name == "--option") && strings.Contains(strings.ToLower(f.value), option)
		})
	}
	if !u.options.on("--yes", "--assume-yes", "--force-yes", "--assume-no", "-d", "--download-only") && !u.options.short("y") && quiet < 2 && !says("assume-yes") {
		h.Yes = "-y"
	}
	h.Upgrades = strings.HasSuffix(verb, "upgrade")
	if verb != "install" {
		return h
	}
	if _, ok := u.options.last("--no-install-recommends"); !ok && !says("install-recommends") && !u.options.on("--install-recommends") {
		h.Lean = "--no-install-recommends"
	}
	h.Pin = "NAME=VERSION"
	h.Packages = u.options.packages(1, func(name string) bool {
		return notEndingIn(".deb", "-", "*")(name) && !strings.ContainsAny(name, "^*")
	}, containing("=/"))
	return h
}
