package findings

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint/rules"
)

// What is left over leads to the page of the rule that prevents it.
func TestRulesOfLeftovers(t *testing.T) {
	there := map[string]bool{"": true}
	for _, r := range rules.All {
		there[r.Name] = true
	}
	for _, l := range leftoverKinds {
		if !there[l.rule] {
			t.Errorf("%s names the rule %s, and there is none", l.kind, l.rule)
		}
	}
}

// What has to stay isn't left over, and what only looks like it neither.
func TestLeftoverKinds(t *testing.T) {
	for name, want := range map[string]string{
		"usr/share/doc/curl/copyright":        "",
		"usr/share/doc/curl/changelog.gz":     "documentation",
		"usr/share/man/man1/curl.1.gz":        "documentation",
		"usr/share/licenses/curl/COPYING":     "",
		"opt/node-v20.tar.xz":                 "archive",
		"tmp/app.deb":                         "temporary",
		"usr/local/go/src/testdata/pax.tar":   "toolchain",
		"app/node_modules/tar/index.js":       "",
		"app/core":                            "core-dump",
		"app/core.1234":                       "core-dump",
		"app/core.js":                         "",
		"app/.git/objects/ab/cd":              "vcs",
		"app/.gitignore":                      "",
		"var/cache/apt/pkgcache.bin":          "apt-cache",
		"var/cache/apt/archives/curl_8.deb":   "apt-cache",
		"usr/local/include/node/node.h":       "headers",
		"usr/lib/x86_64-linux-gnu/libc.a":     "headers",
		"usr/lib/x86_64-linux-gnu/libc.so.6":  "",
		"usr/lib/gcc/x86_64-linux-gnu/12/cc1": "toolchain",
		"home/me/.npm/_cacache/index-v5/a":    "npm-cache",
		"root/.npm/_cacache/index-v5/a":       "npm-cache",
		"srv/.npm/_cacache/index-v5/a":        "",
		"home/.npm/_cacache":                  "",
		"usr/local/share/doc/git/LICENSE.txt": "",
		"usr/local/share/git/doc.txt":         "",
		"go/pkg/mod/cache/lock":               "go-cache",
		"srv/go/pkg/mod/cache/lock":           "",
		"home/me/.cache/go-build/00/a":        "go-cache",
		"root/.cache/pypoetry/artifacts/a":    "pip-cache",
		"usr/local/share/.cache/yarn/v6/a":    "yarn-cache",
		"app/x.git/y/.git/HEAD":               "vcs",
		"app/x.git/HEAD":                      "",
		"app/.git":                            "",
		"app/__pycache__/a.cpython-311.pyc":   "python-bytecode",
		"app/a.pyc":                           "",
		"app/core.":                           "",
		"app/core.12a":                        "",
		"opt/.tar":                            "",
		"lib64/libz.a":                        "headers",
		"srv/libz.a":                          "",
		"usr/lib/llvm-14/bin/clang":           "toolchain",
	} {
		got := ""
		if i := leftoverKind(name, true); i >= 0 {
			got = leftoverKinds[i].kind
		}
		if got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// A name alone makes no core dump, where contents were read.
func TestNoCoreDump(t *testing.T) {
	if i := leftoverKind("app/core", false); i >= 0 {
		t.Errorf("app/core is %s", leftoverKinds[i].kind)
	}
	if i := leftoverKind("var/log/core", false); i < 0 || leftoverKinds[i].kind != "log" {
		t.Error("var/log/core is no log")
	}
}
