package ecosystem_test

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

func TestPnpmCommands(t *testing.T) {
	for _, tt := range []pair{
		{"pnpm install --frozen-lockfile", "pnpm: pnpm install fetch installs"},
		{"pnpm i", "pnpm: pnpm i fetch installs relocks"},
		{"pnpm -C web i --frozen-lockfile", "pnpm: pnpm i fetch installs in web"},
		{"corepack pnpm install --frozen-lockfile", "pnpm: pnpm install fetch installs"},
		{"npx -y pnpm@9 install --frozen-lockfile", "pnpm: pnpm install fetch installs"},
		{"corepack enable pnpm", "none"},
		{"corepack yarn install --immutable", "yarn: yarn install fetch installs"},
		{"npx --package x pnpm install", "none"},
		{"pnpm --filter api... install --frozen-lockfile", "pnpm: pnpm install fetch installs"},
		{"pnpm install --offline --frozen-lockfile", "pnpm: pnpm install offline installs"},
		{"pnpm install react", "pnpm: pnpm install fetch relocks"},
		{"pnpm add -g serve", "pnpm: pnpm add fetch"},
		{"pnpm fetch --prod", "pnpm: pnpm fetch fetch"},
		{"pnpm store prune", "pnpm: pnpm store prune clean"},
		{"pnpm store path", "pnpm: pnpm store path locate"},
		{"pnpm config set store-dir /s", "pnpm: pnpm config locate"},
		{"pnpm build", "pnpm: pnpm"},
		{"pnpm $X", "pnpm: pnpm"},
		{"pnpmx i", "none"},
	} {
		if got := shown(t, tt.in); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestPnpmCaches(t *testing.T) {
	const ten = `{"packageManager": "pnpm@10.15.0"}`
	in := func(files []string, vars ...string) ecosystem.Env {
		e := root(vars...)
		e.Project = project(append([]string{"package.json", ten}, files...)...)
		return e
	}
	const store, native = "store /root/.local/share/pnpm/store", " native"
	runs := func(verb string) string {
		return native + " " + verb + "=>" + verb + " --config.side-effects-cache=false"
	}
	const kept = " doubt(pnpm takes what install scripts have made from its store, and does not run them again)"
	nine := []string{"package.json", `{"packageManager": "pnpm@9.1.0"}`}
	for _, tt := range []struct {
		command string
		env     ecosystem.Env
		want    string
	}{
		{"pnpm i", in(nil), store},
		{"pnpm i", root(), store + runs("i")},
		{"pnpm i", in(nine), store + runs("i")},
		{"pnpm fetch", in(nine), store + runs("fetch")},
		{"pnpm deploy /out", in(nine), store + kept + native},
		{"pnpm i --side-effects-cache", in(nine), store + " doubt(pnpm is told to take what install scripts have made from its store, and does not run them again)" + runs("i")},
		{"pnpm i --config.side-effects-cache=false", in(nine), store + native},
		{"pnpm i --no-side-effects-cache", in(nine), store + native},
		{"pnpm i", in(append(nine, ".npmrc", "side-effects-cache=false")), store + native},
		{"pnpm i", in(append(nine, "pnpm-workspace.yaml", "sideEffectsCache: false")), store + native},
		{"pnpm i --ignore-scripts", in([]string{"package.json", `{"packageManager": "pnpm@9.1.0"}`}), store},
		{"pnpm i", in([]string{"package.json", `{"packageManager": "pnpm@10.1.0", "pnpm": {"onlyBuiltDependencies": ["a"]}}`}), store + runs("i")},
		{"pnpm i", in([]string{"pnpm-workspace.yaml", "onlyBuiltDependencies: [a]"}), store + runs("i")},
		{"pnpm i", in([]string{"pnpm-workspace.yaml", "onlyBuiltDependencies: [a]"}, "CC=clang"), store + " doubt(CC is set, and what was compiled with another value would be used again)" + runs("i")},
		{"pnpm i", in(nil, "PNPM_HOME=/pnpm"), "store /pnpm/store"},
		{"pnpm i", in(nil, "XDG_DATA_HOME=/d"), "store /d/pnpm/store"},
		{"pnpm i", in([]string{"pnpm-workspace.yaml", "storeDir: /s"}), "store /s"},
		{"pnpm i", in([]string{".npmrc", "store-dir=~/s"}), "store /root/s"},
		{"pnpm i", in([]string{".npmrc", "store-dir=.s"}), store + " guess(pnpm is given another store)"},
		{"pnpm i", in(nil, "npm_config_store_dir=/e"), "store /e"},
		{"pnpm i --store-dir /f", in(nil, "npm_config_store_dir=/e"), "store /f"},
		{"pnpm i --store-dir $S", in(nil), store + " guess(pnpm is given another store)"},
		{"pnpm i", in([]string{"pnpm-workspace.yaml", "enableGlobalVirtualStore: true"}), store + " off(the global virtual store is part of node_modules)"},
		{"pnpm i", in([]string{".npmrc", "enable-global-virtual-store=true"}), store + " off(the global virtual store is part of node_modules)"},
		{"pnpm i", in(nil, "npm_config_enable_global_virtual_store=true"), store + " off(the global virtual store is part of node_modules)"},
		{"pnpm add -g x", in(nil), store},
		{"pnpm add -g x", root(), store + native + " off(since pnpm 11 global packages are links into the store) add=>add --config.side-effects-cache=false"},
		{"pnpm i", in([]string{".npmrc", "package-import-method=clone"}), store + " doubt(packageImportMethod is clone, which does not work from a mount)"},
		{"pnpm i", in([]string{".npmrc", "verify-store-integrity=false"}), store + " doubt(pnpm is told not to check what it takes from its store)"},
		{"pnpm i --prefer-offline", in(nil), store + " doubt(pnpm i with --prefer-offline may choose versions by what an old store holds)"},
		{"pnpm i --prefer-offline --frozen-lockfile", in(nil), store},
		{"pnpm i", in([]string{"pnpm-workspace.yaml", ":"}), store + " doubt(pnpm-workspace.yaml can't be read)"},
		{"pnpm run x", in(nil), ""},
	} {
		if got := cachesOf(t, tt.command, tt.env); got != tt.want {
			t.Errorf("caches of %s:\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
}

// TestPnpmManifests plants one trap at a time into a project that may be moved.
func TestPnpmManifests(t *testing.T) {
	const good, cmd = "package.json pnpm-lock.yaml", "pnpm i --frozen-lockfile"
	const ten = `{"packageManager": "pnpm@10.15.0"}`
	const lock = "lockfileVersion: '9.0'\nimporters:\n  .: {}\npackages:\n  a@1.0.0: {}\n"
	for _, tt := range []struct {
		name, command, pkg string
		more               []string
		want               string
	}{
		{"nothing", cmd, ten, nil, good},
		{"lock may be written", "pnpm i", ten, nil, good + " rewritten: package.json pnpm-lock.yaml"},
		{"what is locked", "pnpm i", `{"packageManager": "pnpm@10.15.0", "dependencies": {"a": "^1"}}`, []string{"pnpm-lock.yaml", "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a: {specifier: ^1, version: 1.0.0}\n"},
			good + " rewritten: package.json pnpm-lock.yaml"},
		{"what was locked without importers", "pnpm i --ignore-scripts", `{"devDependencies": {"a": "^1"}}`, []string{"pnpm-lock.yaml", "lockfileVersion: '6.0'\ndevDependencies:\n  a: {specifier: ^1, version: 1.0.0}\n"},
			good + " rewritten: package.json pnpm-lock.yaml"},
		{"what isn't locked", "pnpm i", `{"packageManager": "pnpm@10.15.0", "dependencies": {"a": "^2"}}`, []string{"pnpm-lock.yaml", "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a: {specifier: ^1, version: 1.0.0}\n"},
			good + " doubt: pnpm i writes pnpm-lock.yaml anew, which does not have a ^2 of package.json rewritten: package.json pnpm-lock.yaml"},
		{"a lock of version 5", "pnpm i", `{"dependencies": {"a": "^1"}}`, []string{"pnpm-lock.yaml", "lockfileVersion: 5.4\nspecifiers:\n  a: ^1\ndependencies:\n  a: 1.0.0\n"},
			good + " doubt: pnpm i writes pnpm-lock.yaml anew, which does not have a ^1 of package.json rewritten: package.json pnpm-lock.yaml"},
		{"scripts of before 10", cmd, `{}`, nil, good + " doubt: pnpm-lock.yaml does not say which packages have install scripts, which may read the sources"},
		{"scripts off", cmd + " --ignore-scripts", `{}`, nil, good},
		{"scripts off by .npmrc", cmd, `{}`, []string{".npmrc", "ignore-scripts=true"}, good + " .npmrc"},
		{"scripts that keep to themselves", cmd, ten, []string{"pnpm-workspace.yaml", "onlyBuiltDependencies: [esbuild]"}, good + " pnpm-workspace.yaml"},
		{"scripts that may not", cmd, ten, []string{"pnpm-workspace.yaml", "onlyBuiltDependencies: ['@prisma/client']"}, good + " pnpm-workspace.yaml doubt: the install script of @prisma/client may read the sources"},
		{"older lock", cmd, `{}`, []string{"pnpm-lock.yaml", "lockfileVersion: '6.0'\npackages:\n  /esbuild@1.0.0:\n    requiresBuild: true\n"}, good},
		{"older lock with a script", cmd, `{}`, []string{"pnpm-lock.yaml", "lockfileVersion: 5.4\npackages:\n  /@p/q/1.0.0:\n    requiresBuild: true\n"}, good + " doubt: @p/q has an install script, which may read the sources"},
		{"own script", cmd, `{"packageManager": "pnpm@10.15.0", "scripts": {"prepare": "x"}}`, nil, good + " doubt: package.json has a prepare script"},
		{"workspace", cmd, ten, []string{"pnpm-workspace.yaml", "packages: ['p/*']"}, good + " pnpm-workspace.yaml breaks: pnpm-workspace.yaml names packages of a workspace"},
		{"workspace in the lock", cmd, ten, []string{"pnpm-lock.yaml", "lockfileVersion: '9.0'\nimporters:\n  .: {}\n  p/a: {}\n"}, good + " breaks: pnpm-lock.yaml has the package p/a of a workspace"},
		{"a filter", cmd + " --filter x", ten, nil, good + " breaks: pnpm is asked to install a workspace"},
		{"patches", cmd, ten, []string{"pnpm-lock.yaml", "lockfileVersion: '9.0'\npatchedDependencies:\n  a: {}\n"}, good + " breaks: pnpm-lock.yaml has patchedDependencies"},
		{"a hook", cmd, ten, []string{".pnpmfile.cjs", ""}, good + " doubt: the context has .pnpmfile.cjs"},
		{"a folder", cmd, ten, []string{"pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  b@file:b:\n    resolution: {directory: b}\n"}, good + " breaks: pnpm-lock.yaml has the local package b@file:b"},
		{"a bad lock", cmd, ten, []string{"pnpm-lock.yaml", "a: b: c"}, good + " doubt: pnpm-lock.yaml can't be read"},
		{"an option", cmd + " --modules-dir x", ten, nil, good + " doubt: pnpm is given --modules-dir"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := root()
			e.Project = project(append([]string{"package.json", tt.pkg, "pnpm-lock.yaml", lock}, tt.more...)...)
			if got := manifests(t, tt.command, e); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}
