package ecosystem

import (
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// zypper is openSUSE's package manager: zypper(8) and libzypp's zypp.conf.
func zypper() *Tool {
	return &Tool{Name: "zypper", Match: matchZypper, Caches: zypperCaches, Habits: zypperHabits, Example: Example{
		Base: "opensuse/leap:15.6",
		Commands: []string{
			"zypper --non-interactive install curl",
		},
	}}
}

// zypperValued are the options whose value is the next word (zypper(8),
// "GLOBAL OPTIONS", "install").
var zypperValued = [...]string{
	"-c", "--config", "-R", "--root", "--installroot", "-D", "--reposd-dir", "-C", "--cache-dir", "--raw-cache-dir", "--solv-cache-dir", "--pkg-cache-dir",
	"-p", "--plus-repo", "--plus-content", "-r", "--repo", "--from", "-t", "--type", "--releasever", "--userdata",
}

func matchZypper(c *shell.Command) *Use {
	if c.Name() != "zypper" {
		return nil
	}
	l := parseLine(c, zypperValued[:]...)
	u := &Use{options: l, Title: strings.TrimSpace("zypper " + l.operand(0))}
	switch l.operand(0) {
	case "install", "in", "update", "up", "dist-upgrade", "dup", "patch", "source-install", "si", "install-new-recommends", "inr", "verify", "ve":
		u.Kind = Fetch
		if l.on("--no-refresh") {
			u.Kind = Offline
		}
	case "refresh", "ref", "refresh-services", "refs":
		u.Kind = Index
	case "clean", "cc":
		u.Kind = Clean
	}
	return u
}

// zypperCaches: /var/cache/zypp/packages holds a package after its
// installation only where its repository says keeppackages=1, which is off by
// default (zypper(8), "addrepo", --no-keep-packages). That is a setting of the
// image, which a fix may not change.
func zypperCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	if u.options.on("--dry-run", "--download-only", "-d") {
		return []Cache{{Useless: "it installs nothing"}}
	}
	c := Cache{
		Name: "packages", Path: "/var/cache/zypp/packages", Costs: "downloads every package again",
		ID: "imgmgr-zypper", PerBase: true, Locked: true, Fetched: true,
		Never: "zypper keeps no packages unless a repository says so (zypper modifyrepo --keep-packages)",
	}
	if slices.ContainsFunc(u.options.flags, func(f flag) bool { return strings.HasSuffix(f.name, "cache-dir") || f.name == "-C" }) {
		c.Guess = "zypper is given another cache folder"
	}
	return []Cache{c}
}

// zypperHabits: openSUSE's mirrors keep the newest version of a package only.
// --non-interactive stands in front of the verb, --no-confirm behind it.
func zypperHabits(u *Use) Habits {
	h := Habits{Codes: Codes{Pin: "DL3037", Yes: "DL3034", Cache: "DL3036"}}
	verb := u.options.operand(0)
	removes := verb == "remove" || verb == "rm"
	if u.Kind&(Fetch|Offline) == 0 && !removes {
		return h
	}
	if !u.options.on("--non-interactive", "--no-confirm", "--dry-run") && !u.options.short("y") && !u.options.short("n") {
		h.Yes = "-y"
	}
	if removes {
		return h
	}
	h.Leaves, h.Clean = "/var/cache/zypp", "zypper clean"
	h.Upgrades = len(u.options.operands) == 1 && (verb != "verify" && verb != "ve")
	if verb == "dist-upgrade" || verb == "dup" {
		h.Codes.Upgrade = "DL3035"
	}
	if verb != "install" && verb != "in" {
		return h
	}
	h.Pin = "NAME=VERSION"
	h.Packages = u.options.packages(1, rpmNamed, containing("=<>"))
	if !u.options.on("--no-recommends") {
		h.Lean = "--no-recommends"
	}
	return h
}
