package ecosystem_test

import (
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

// find prints what a command asks of a tool: title, kinds, emptied caches, and
// whether it installs by manifest and where.
func find(t *testing.T, cmd string) string {
	t.Helper()
	u := ecosystem.Find(command(t, cmd))
	if u == nil {
		return "none"
	}
	got := u.Title
	for k := ecosystem.Fetch; k <= ecosystem.Locate; k <<= 1 {
		if u.Kind&k != 0 {
			got += " " + kinds[k]
		}
	}
	if u.Installs {
		got += " installs"
		if u.Dir != "." {
			got += " in " + u.Dir + "?"
		}
	}
	return got
}

// cachesFor prints the caches of a command with what is to be put in the place
// of its words.
func cachesFor(t *testing.T, cmd string, e ecosystem.Env) string {
	t.Helper()
	u := ecosystem.Find(command(t, cmd))
	if u == nil {
		t.Fatalf("%s: no tool", cmd)
	}
	list := u.Tool.Caches(u, e)
	var b []string
	for i, c := range list {
		s := showCaches(list[i : i+1])
		if c.Off != "" {
			s += " off(" + c.Off + ")"
		}
		if c.Never != "" {
			s += " never(" + c.Never + ")"
		}
		for _, in := range c.Instead {
			s += " " + in.Word.Value + "->" + in.New
		}
		b = append(b, s)
	}
	return strings.Join(b, "; ")
}

type cacheCase struct {
	command string
	env     ecosystem.Env
	want    string
}

func checkCaches(t *testing.T, tests []cacheCase) {
	t.Helper()
	for _, tt := range tests {
		if got := cachesFor(t, tt.command, tt.env); got != tt.want {
			t.Errorf("caches of %s:\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
}

func checkFind(t *testing.T, tests [][2]string) {
	t.Helper()
	for _, tt := range tests {
		if got := find(t, tt[0]); got != tt[1] {
			t.Errorf("%s: %s, want %s", tt[0], got, tt[1])
		}
	}
}

func on(base string, vars ...string) ecosystem.Env {
	e := root(vars...)
	e.Base = base
	return e
}

func in(e ecosystem.Env, files ...string) ecosystem.Env {
	e.Project = project(files...)
	return e
}

func TestApk(t *testing.T) {
	checkFind(t, [][2]string{
		{"apk add --no-cache curl", "apk add fetch"},
		{"/sbin/apk --no-cache add curl", "apk add fetch"},
		{"apk -X https://x.org/main add curl", "apk add fetch"},
		{"apk add -t .deps gcc", "apk add fetch"},
		{"apk upgrade -U", "apk upgrade fetch"},
		{"apk add -s curl", "apk add"},
		{"apk add --no-network ./x.apk", "apk add offline"},
		{"apk update", "apk update index"},
		{"apk cache clean", "apk cache clean clean"},
		{"apk cache download", "apk cache download"},
		{"apk del --no-network .deps", "apk del"},
		{"apk --print-arch", "apk"},
	})
	const old = "packages /etc/apk/cache doubt(apk also takes from its cache what an earlier image had installed and the repositories have no longer)"
	const index = "packages /etc/apk/cache doubt(apk takes an index of up to four hours from its cache (-U makes it look for a newer one))"
	checkCaches(t, []cacheCase{
		{"apk add --no-cache curl", root(), old + " --no-cache->-U"},
		{"apk --no-cache add --virtual .x curl", root(), old + " --no-cache->-U"},
		{"apk add -U curl", root(), old},
		{"apk add --update curl", root(), old},
		{"apk -qU add curl", root(), old},
		{"apk --cache-max-age 0 add curl", root(), old},
		{"apk --cache-max-age 9 add curl", root(), index},
		{"apk add curl", root(), index},
		{"apk add --root /x curl", root(), index + " off(apk is given --root, which moves its cache)"},
		{"apk add --cache-dir /x -U curl", root(), old + " off(apk is given --cache-dir, which moves its cache)"},
		{"apk add -U curl", root("APK_CONFIG=/x"), strings.Replace(old, "cache doubt", "cache guess(APK_CONFIG may turn apk's cache off) doubt", 1)},
		{"apk update", root(), ""},
		{"apk del curl", root(), ""},
	})
}

func TestDnf(t *testing.T) {
	checkFind(t, [][2]string{
		{"dnf -y install curl", "dnf install fetch"},
		{"dnf --setopt install_weak_deps=0 install curl", "dnf install fetch"},
		{"yum --disablerepo '*' update", "yum update fetch"},
		{"microdnf install curl", "microdnf install fetch"},
		{"dnf -C install curl", "dnf install offline"},
		{"dnf makecache", "dnf makecache index"},
		{"dnf clean all", "dnf clean all clean"},
		{"dnf repolist", "dnf repolist"},
		{"yum", "yum"},
		{"yum-config-manager --enable x", "none"},
	})
	const dnf = " doubt(dnf takes lists of packages of up to two days from its cache (--refresh makes it look for newer ones))"
	other := func(name string) string {
		return " doubt(" + name + " takes lists of packages of up to two days from its cache)"
	}
	const keep = " install->install --setopt=keepcache=1"
	const noted = " doubt(dnf notes the options that the fix adds in /var/lib/dnf/history.sqlite)"
	checkCaches(t, []cacheCase{
		{"dnf install -y curl", on("fedora:40"), "packages /var/cache/dnf" + noted + keep + " --refresh"},
		{"dnf install -y curl", on("fedora:42"), "packages /var/cache/libdnf5" + dnf + keep},
		{"dnf install -y curl", on("rockylinux:9"), "packages /var/cache/dnf" + noted + keep + " --refresh"},
		{"yum install curl", on("almalinux:8.10"), "packages /var/cache/dnf" + noted + keep + " --refresh"},
		{"dnf install --refresh curl", on("amazonlinux:2023"), "packages /var/cache/dnf" + noted + keep},
		{"dnf install --refresh --setopt=keepcache=1 curl", on("rockylinux:9"), "packages /var/cache/dnf"},
		{"dnf install curl", on("x"), "packages /var/cache/dnf guess(whether this is dnf 5, whose cache is in /var/cache/libdnf5, is not known)" + dnf + keep},
		{"dnf install --setopt=keepcache=True curl", on("fedora:42"), "packages /var/cache/libdnf5" + dnf},
		{"dnf install --setopt=cachedir=/x curl", on("fedora:42"), "packages /var/cache/libdnf5 guess(--setopt may move the cache)" + dnf + keep},
		{"dnf --installroot /x install curl", on("fedora:42"), "packages /var/cache/libdnf5 guess(--installroot may move the cache)" + dnf + keep},
		{"dnf --refresh install curl", on("fedora:42"), "packages /var/cache/libdnf5 doubt(whether dnf falls back to the lists in its cache is not known)" + keep},
		{"yum install curl", on("centos:7"), "packages /var/cache/yum" + other("yum") + keep},
		{"yum install curl", on("x"), "packages /var/cache/dnf guess(whether yum is dnf, or one that has its cache in /var/cache/yum, is not known)" + other("yum") + keep},
		{"microdnf install curl", on("x"), "packages /var/cache/yum" + other("microdnf") + keep},
		{"tdnf install curl", on("x"), "packages /var/cache/tdnf" + other("tdnf")},
		{"dnf5 install curl", on("x"), "packages /var/cache/libdnf5" + strings.Replace(dnf, "(dnf", "(dnf5", 1) + keep},
		{"dnf-3 install curl", on("x"), "packages /var/cache/dnf" + noted + keep + " --refresh"},
		{"dnf makecache", on("x"), ""},
	})
}

func TestZypper(t *testing.T) {
	checkFind(t, [][2]string{
		{"zypper -n in curl", "zypper in fetch"},
		{"zypper --root /x install curl", "zypper install fetch"},
		{"zypper --no-refresh install curl", "zypper install offline"},
		{"zypper refresh", "zypper refresh index"},
		{"zypper clean -a", "zypper clean clean"},
		{"zypper", "zypper"},
	})
	const never = " never(zypper keeps no packages unless a repository says so (zypper modifyrepo --keep-packages))"
	checkCaches(t, []cacheCase{
		{"zypper install curl", root(), "packages /var/cache/zypp/packages" + never},
		{"zypper -C /x install curl", root(), "packages /var/cache/zypp/packages guess(zypper is given another cache folder)" + never},
		{"zypper install --dry-run curl", root(), "  useless(it installs nothing)"},
	})
}
