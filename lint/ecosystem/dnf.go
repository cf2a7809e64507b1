package ecosystem

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// dnf is the package manager of Fedora and its kin: dnf(8) and dnf5(8), yum(8),
// microdnf(8), and their configuration (dnf.conf(5)).
func dnf() *Tool {
	return &Tool{Name: "dnf", Proven: true, Match: matchDnf, Caches: dnfCaches, Habits: dnfHabits, Installed: rpmInstalled, Example: Example{
		Base: "fedora:43",
		Commands: []string{
			"dnf install -y curl",
			"dnf install -y curl && dnf clean all",
			"microdnf install -y curl",
		},
	}}
}

// dnfValued are the options whose value may be the next word (dnf(8),
// "Options").
var dnfValued = [...]string{
	"-c", "--config", "-d", "--debuglevel", "-e", "--errorlevel", "-R", "--randomwait", "-x", "--exclude", "--excludepkgs", "--setopt", "--installroot", "--releasever",
	"--repo", "--repoid", "--enablerepo", "--disablerepo", "--disableplugin", "--enableplugin", "--disableexcludes", "--downloaddir", "--destdir", "--comment", "--forcearch", "--advisory", "--use-host-config",
}

func matchDnf(c *shell.Command) *Use {
	name := c.Name()
	switch name {
	case "dnf", "dnf5", "dnf-3", "yum", "microdnf", "tdnf":
	default:
		return nil
	}
	l := parseLine(c, dnfValued[:]...)
	u := &Use{options: l, Title: name + " " + l.operand(0)}
	switch l.operand(0) {
	case "install", "localinstall", "reinstall", "update", "upgrade", "upgrade-minimal", "update-minimal", "downgrade", "distro-sync", "dsync", "swap",
		"groupinstall", "group", "groups", "builddep", "module":
		u.Kind = Fetch
		if l.on("-C", "--cacheonly") {
			u.Kind = Offline
		}
	case "makecache":
		u.Kind = Index
	case "clean":
		u.Kind, u.Title = Clean, strings.TrimSpace(u.Title+" "+l.operand(1))
	case "":
		u.Title = name
	}
	return u
}

// dnfCaches: packages are kept only when keepcache is set, which is off by
// default but for yum 3 on some releases (dnf.conf(5), yum.conf(5)), so the fix
// sets it. The list of packages beside them is taken as it is for 48 hours
// (dnf.conf(5), metadata_expire): another result than without the cache. With
// --refresh dnf 4 looks for a newer list each time, and fails where it can't,
// also with skip_if_unavailable (tried with dnf 4.14): so the fix says that, too.
// But dnf notes its command line in the image (/var/lib/dnf/history.sqlite), and
// in it the fix's options, so that the mount is only offered. A package's file
// is named by version and architecture, and checked against the list; its
// signature is checked when it is installed.
func dnfCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	name, four := u.Command.Name(), dnfFour(u.Command.Name(), e.Base)
	c := Cache{
		Name: "packages", Costs: "downloads every package and the lists of them again",
		ID: "imgmgr-dnf", PerBase: true, Locked: true, Fetched: true,
		Doubt: name + " takes lists of packages of up to two days from its cache",
	}
	var options string
	switch {
	case u.options.on("--refresh") && !four:
		c.Doubt = "whether " + name + " falls back to the lists in its cache is not known"
	case four:
		if c.Doubt = "dnf notes the options that the fix adds in /var/lib/dnf/history.sqlite"; !u.options.on("--refresh") {
			options = " --refresh"
		}
	case strings.HasPrefix(name, "dnf"): // the others have no such option, or not in every version
		c.Doubt += " (--refresh makes it look for newer ones)"
	}
	c.Path, c.Guess = dnfFolder(u.Command.Name(), e.Base)
	keeps := name == "tdnf"
	for _, f := range u.options.flags {
		switch key, _, _ := strings.Cut(f.value, "="); {
		case f.name == "--setopt" && (key == "cachedir" || key == "system_cachedir"), f.name == "--installroot", f.name == "-c", f.name == "--config":
			c.Guess = f.name + " may move the cache"
		case f.name == "--setopt" && key == "keepcache":
			keeps = true
		}
	}
	if !keeps {
		options = " --setopt=keepcache=1" + options
	}
	// Options stand behind the command's verb.
	if w := u.options.operands[0]; w.Raw == w.Value && options != "" {
		c.Instead = []Instead{{w, w.Value + options}}
	} else if options == "" && four {
		c.Doubt = "" // the command stays as it is
	}
	return []Cache{c}
}

// dnfFour reports that a command of the family is dnf 4: by its own name, or by
// the base image's release (of Fedora before 41, of RHEL's kin from 8 on, where
// yum is dnf, and of Amazon Linux since 2023).
func dnfFour(name, base string) bool {
	repo, release := repository(base), leadingNumber(tagOf(base))
	switch {
	case name == "dnf-3":
		return true
	case name != "dnf" && name != "yum":
		return false
	case repo == "fedora":
		return release > 21 && release < 41
	case repo == "amazonlinux":
		return release == 2023
	}
	return slices.Contains([]string{"almalinux", "rockylinux", "oraclelinux", "centos"}, repo) && release >= 8 && release <= 10
}

// dnfFolder is where a program of the family keeps its cache, and what isn't
// known about that: dnf 5, which is Fedora's since release 41, moved it
// (dnf5-caching(7)); yum is dnf since RHEL 8; microdnf keeps yum's folder
// (microdnf, dnf-main.c).
func dnfFolder(name, base string) (dir, guess string) {
	repo, release := repository(base), leadingNumber(tagOf(base))
	switch {
	case name == "dnf5":
		return "/var/cache/libdnf5", ""
	case dnfFour(name, base):
		return "/var/cache/dnf", ""
	case name == "tdnf":
		return "/var/cache/tdnf", ""
	case name == "microdnf":
		return "/var/cache/yum", ""
	case repo == "fedora" && release >= 41:
		return "/var/cache/libdnf5", ""
	case name == "dnf":
		return "/var/cache/dnf", "whether this is dnf 5, whose cache is in /var/cache/libdnf5, is not known"
	case repo == "centos" && release == 7 || repo == "amazonlinux" && release == 2:
		return "/var/cache/yum", ""
	}
	return "/var/cache/dnf", "whether yum is dnf, or one that has its cache in /var/cache/yum, is not known"
}

// tagOf is the tag of an image reference, "" where there is none.
func tagOf(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndex(ref, ":"); i > strings.LastIndex(ref, "/") {
		return ref[i+1:]
	}
	return ""
}

// leadingNumber is the number that a text begins with, 0 where it has none.
func leadingNumber(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	number, _ := strconv.Atoi(s[:n])
	return number
}

var rpmVersion = regexp.MustCompile(`-[0-9]`)

// rpmNamed refuses files and groups among package names.
func rpmNamed(name string) bool {
	return notEndingIn(".rpm")(name) && !strings.HasPrefix(name, "@") && !strings.ContainsAny(name, "*:")
}

// dnfHabits: Fedora's mirrors keep the newest version of a package only, those
// of its kin that of a minor release. microdnf and tdnf don't ask unless they
// are told to, or not in every version.
func dnfHabits(u *Use) Habits {
	name := u.Command.Name()
	h := Habits{Codes: Codes{Pin: "DL3041", Yes: "DL3038", Cache: "DL3040"}}
	if name == "yum" {
		h.Codes = Codes{Pin: "DL3033", Yes: "DL3030", Cache: "DL3032"}
	}
	verb := u.options.operand(0)
	removes := verb == "remove" || verb == "erase" || verb == "autoremove"
	if u.Kind&Fetch == 0 && !removes {
		return h
	}
	assumes := slices.ContainsFunc(u.options.values("--setopt"), func(f flag) bool { return strings.HasPrefix(f.value, "assumeyes=") })
	if name != "microdnf" && name != "tdnf" && !assumes && !u.options.on("--assumeyes", "--assumeno", "--downloadonly") && !u.options.short("y") {
		h.Yes = "-y"
	}
	if removes {
		return h
	}
	h.Leaves, _ = dnfFolder(name, "")
	h.Clean = name + " clean all"
	h.Upgrades = len(u.options.operands) == 1 && verb != "makecache"
	if verb != "install" {
		return h
	}
	h.Pin = "NAME-VERSION"
	h.Packages = u.options.packages(1, rpmNamed, rpmVersion.MatchString)
	weak := slices.ContainsFunc(u.options.values("--setopt"), func(f flag) bool { return strings.HasPrefix(f.value, "install_weak_deps=") })
	if strings.HasPrefix(name, "dnf") && !weak {
		h.Lean = "--setopt=install_weak_deps=False"
	}
	return h
}
