package ecosystem

import (
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// apk is Alpine's package manager: apk(8), apk-cache(5), and src/database.c of
// apk-tools where those leave something open.
func apk() *Tool {
	return &Tool{Name: "apk", Match: matchApk, Caches: apkCaches, Habits: apkHabits, Installed: apkInstalled, Example: Example{
		Base: "alpine:3.22",
		Commands: []string{
			"apk add --no-cache curl",
			"apk add -U curl",
			"apk add curl",
		},
	}}
}

// apkValued are the options whose value is the next word (apk(8), apk-add(8)).
var apkValued = [...]string{
	"-p", "--root", "-X", "--repository", "--repository-config", "--repositories-file", "--arch", "--cache-dir", "--cache-max-age",
	"--keys-dir", "--progress-fd", "--timeout", "--wait", "-t", "--virtual", "-o", "--output",
}

func matchApk(c *shell.Command) *Use {
	if c.Name() != "apk" {
		return nil
	}
	l := parseLine(c, apkValued[:]...)
	u := &Use{options: l, Title: "apk " + l.operand(0)}
	switch l.operand(0) {
	case "add", "upgrade", "fix":
		u.Kind = Fetch
		if l.on("-s", "--simulate") {
			u.Kind = 0
		}
		if l.on("--no-network") {
			u.Kind = Offline
		}
	case "update":
		u.Kind = Index
	case "cache":
		u.Title += " " + l.operand(1)
		if sub := l.operand(1); sub == "clean" || sub == "purge" || sub == "sync" {
			u.Kind = Clean
		}
	case "del", "info", "fetch", "search", "list", "policy", "version", "audit", "verify", "query":
	default:
		u.Title = "apk"
	}
	return u
}

// apkCaches: apk uses /etc/apk/cache as its cache of packages and indexes where
// that is there (apk(8), "Configuration files"), and /var/cache/apk for indexes
// alone otherwise. A package's file is named by its version and hash, and is
// checked against the index when it is read. The cache also holds "installed",
// a list of packages that an image has and its repositories don't
// (database.c, apk_db_index_write_nr_cache); the next image that uses the cache
// may choose from it. So the mount is offered, not made unseen, and is never
// shared between base images.
//
// apk locks the database of the image, not the cache: hence Locked.
func apkCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	c := Cache{
		Name: "packages", Path: "/etc/apk/cache", Costs: "downloads every package again",
		ID: "imgmgr-apk", PerBase: true, Locked: true, Fetched: true,
		Doubt: "apk also takes from its cache what an earlier image had installed and the repositories have no longer",
	}
	// Without a cache the index is fetched each time. -U has it checked each
	// time, too; it is short for --cache-max-age 0 (apk(8)). Its default is four
	// hours (apk_context.c).
	for _, w := range u.Command.Args() {
		if w.Literal && w.Value == "--no-cache" {
			c.Instead = append(c.Instead, Instead{w, "-U"})
		}
	}
	if len(c.Instead) == 0 && !u.apkUpdates() {
		c.Doubt = "apk takes an index of up to four hours from its cache (-U makes it look for a newer one)"
	}
	for _, name := range []string{"-p", "--root", "--cache-dir"} {
		if _, ok := u.options.last(name); ok {
			c.Off = "apk is given " + name + ", which moves its cache"
		}
	}
	if u.Through == "xx-apk" { // xx-apk, setup
		c.Never = "xx-apk would leave a link into the cache in the image where there is one"
	}
	if _, set, known := e.get("APK_CONFIG"); set || (!known && e.Open["APK_CONFIG"]) {
		c.Guess = "APK_CONFIG may turn apk's cache off"
	}
	return []Cache{c}
}

// apkUpdates reports -U in one of its spellings: getopt takes the start of a
// long option, which makes "--update" the usual one.
func (u *Use) apkUpdates() bool {
	for _, f := range u.options.flags {
		if f.name == "-U" || f.name == "--update" || f.name == "--update-cache" ||
			len(f.name) > 1 && f.name[1] != '-' && strings.Contains(f.name, "U") ||
			f.name == "--cache-max-age" && f.value == "0" {
			return true
		}
	}
	return false
}

// apkHabits: Alpine's mirrors keep the newest version of a package only. A
// package may have its version behind "=", "~" or a comparison (apk-world(5)).
func apkHabits(u *Use) Habits {
	h := Habits{Codes: Codes{Pin: "DL3018", Cache: "DL3019"}}
	h.Upgrades = u.options.operand(0) == "upgrade" && len(u.options.operands) == 1
	if u.options.operand(0) != "add" || u.Kind&Fetch == 0 {
		return h
	}
	h.Pin = "NAME=VERSION"
	h.Packages = u.options.packages(1, notEndingIn(".apk"), containing("=~<>@"))
	if !u.options.on("--no-cache", "--cache-dir") {
		h.Leaves, h.NoCache = "/var/cache/apk", "--no-cache"
	}
	return h
}
