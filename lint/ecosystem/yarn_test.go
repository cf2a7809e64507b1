package ecosystem_test

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

func TestYarnCommands(t *testing.T) {
	for _, tt := range []pair{
		{"yarn", "yarn: yarn install fetch installs doubt"},
		{"yarn install --frozen-lockfile", "yarn: yarn install fetch installs"},
		{"yarn --cwd web --immutable", "yarn: yarn install fetch installs in web"},
		{"yarn --production --pure-lockfile", "yarn: yarn install fetch installs"},
		{"yarnpkg install --cwd $D --frozen-lockfile", "yarn: yarn install fetch installs in ?"},
		{"yarn install --offline --frozen-lockfile", "yarn: yarn install offline installs"},
		{"yarn add react", "yarn: yarn add fetch"},
		{"yarn global add serve", "yarn: yarn global add fetch"},
		{"yarn global bin", "yarn: yarn global bin"},
		{"yarn workspaces focus --production", "yarn: yarn workspaces focus fetch"},
		{"yarn cache clean --all", "yarn: yarn cache clean clean"},
		{"yarn cache dir", "yarn: yarn cache dir locate"},
		{"yarn build", "yarn: yarn"},
		{"yarn --version", "yarn: yarn"},
		{"yarn $X", "yarn: yarn"},
		{"yarnx", "none"},
	} {
		if got := shown(t, tt.in); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestYarnCaches(t *testing.T) {
	classic := []string{"package.json", `{"name": "api"}`, "yarn.lock", "# yarn lockfile v1\n"}
	berry := func(version, rc string) []string {
		return []string{"package.json", `{"name": "api", "packageManager": "yarn@` + version + `"}`, ".yarnrc.yml", rc}
	}
	in := func(files []string, vars ...string) ecosystem.Env {
		e := root(vars...)
		e.UIDKnown, e.Project = true, project(files...)
		return e
	}
	user := in(classic)
	user.UID, user.Home = 1000, "/home/node"
	unknown := in(nil)
	unknown.Project = ecosystem.Project{}
	for _, tt := range []struct {
		command string
		env     ecosystem.Env
		want    string
	}{
		{"yarn", in(classic), "packages /usr/local/share/.cache/yarn project(api)"},
		{"yarn", in(classic, "HOME=/h"), "packages /usr/local/share/.cache/yarn project(api)"},
		{"yarn", in(classic, "XDG_CACHE_HOME=/x"), "packages /x/yarn project(api)"},
		{"yarn", in(classic, "YARN_CACHE_FOLDER=/y", "XDG_CACHE_HOME=/x"), "packages /y project(api)"},
		{"yarn --cache-folder /z", in(classic, "YARN_CACHE_FOLDER=/y"), "packages /z project(api)"},
		{"yarn --cache-folder z", in(classic), "packages /usr/local/share/.cache/yarn guess(yarn is given another cache folder) project(api)"},
		{"yarn", user, "packages /home/node/.cache/yarn project(api)"},
		{"yarn", in(append([]string{".yarnrc", "# c\ncache-folder \"/r\"\n"}, classic...)), "packages /r project(api)"},
		{"yarn", in(append([]string{".yarnrc", "yarn-offline-mirror \"./m\"\n"}, classic...)), "packages /usr/local/share/.cache/yarn useless(yarn takes packages from an offline mirror) project(api)"},
		{"yarn --prefer-offline", in(classic), "packages /usr/local/share/.cache/yarn doubt(yarn install with --prefer-offline may choose versions by what an old cache holds) project(api)"},
		{"yarn --prefer-offline --frozen-lockfile", in(classic), "packages /usr/local/share/.cache/yarn project(api)"},
		{"yarn global add x", in(nil), "packages /usr/local/share/.cache/yarn doubt(the project's name isn't known, and the cache must not be shared with other projects)"},
		{"yarn", unknown, "packages /usr/local/share/.cache/yarn doubt(whether yarn is a version 1 is not known)"},
		{"yarn", in(berry("4.5.0", "nodeLinker: node-modules\n")), "packages /root/.yarn/berry/cache"},
		{"yarn", in(berry("4.5.0", "{}")), "packages /root/.yarn/berry/cache off(Plug'n'Play loads packages from the cache when the program runs)"},
		{"yarn", in(berry("4.5.0", "nodeLinker: pnp\nenableGlobalCache: false\n")), "packages /root/.yarn/berry/cache"},
		{"yarn", in(berry("3.8.0", "{}")), "packages /root/.yarn/berry/cache"},
		{"yarn", in(berry("3.8.0", "enableGlobalCache: true")), "packages /root/.yarn/berry/cache off(Plug'n'Play loads packages from the cache when the program runs)"},
		{"yarn", in(berry("3.8.0", "{}"), "YARN_ENABLE_GLOBAL_CACHE=1"), "packages /root/.yarn/berry/cache off(Plug'n'Play loads packages from the cache when the program runs)"},
		{"yarn", in(berry("3.8.0", "enableMirror: false")), "packages /root/.yarn/berry/cache useless(yarn keeps its cache in the project alone)"},
		{"yarn", in(berry("4.5.0", "nodeLinker: pnpm")), "packages /root/.yarn/berry/cache doubt(packages are linked to those of a global folder)"},
		{"yarn", in(berry("4.5.0", "nodeLinker: node-modules\nnmMode: hardlinks-global")), "packages /root/.yarn/berry/cache doubt(packages are linked to those of a global folder)"},
		{"yarn", in(berry("4.5.0", "nodeLinker: node-modules\nchecksumBehavior: ignore")), "packages /root/.yarn/berry/cache doubt(checksumBehavior is ignore, so that yarn does not check what it takes from its cache)"},
		{"yarn", in(berry("4.5.0", "nodeLinker: node-modules\nglobalFolder: /g")), "packages /g/cache"},
		{"yarn", in(berry("4.5.0", "nodeLinker: node-modules\nglobalFolder: .g")), "packages /root/.yarn/berry/cache guess(globalFolder in .yarnrc.yml names a folder that is not known)"},
		{"yarn", in(berry("4.5.0", "nodeLinker: node-modules"), "XDG_DATA_HOME=/d"), "packages /d/yarn/berry/cache"},
		{"yarn", in(berry("4.5.0", "nodeLinker: node-modules"), "YARN_GLOBAL_FOLDER=/f"), "packages /f/cache"},
		{"yarn", in(berry("4.5.0", "{}"), "YARN_NODE_LINKER=node-modules"), "packages /root/.yarn/berry/cache"},
		{"yarn", in(berry("4.5.0", ":")), "packages /root/.yarn/berry/cache doubt(.yarnrc.yml can't be read) off(Plug'n'Play loads packages from the cache when the program runs)"},
		{"yarn", in([]string{".yarnrc.yml", "yarnPath: .yarn/releases/yarn-4.1.0.cjs\nnodeLinker: node-modules"}), "packages /root/.yarn/berry/cache"},
		{"yarn build", in(classic), ""},
	} {
		if got := cachesOf(t, tt.command, tt.env); got != tt.want {
			t.Errorf("caches of %s:\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
}

// TestYarnManifests plants one trap at a time into a project that may be moved:
// no scripts run, so that yarn.lock need not say whose.
func TestYarnManifests(t *testing.T) {
	const good, cmd = "package.json yarn.lock", "yarn --frozen-lockfile --ignore-scripts"
	for _, tt := range []struct {
		name, command, pkg string
		more               []string
		want               string
	}{
		{"nothing", cmd, `{}`, nil, good},
		{"scripts", "yarn --frozen-lockfile", `{}`, nil, good + " doubt: yarn.lock does not say which packages have install scripts, which may read the sources"},
		{"lock may be written", "yarn --ignore-scripts", `{}`, nil, good + " doubt: yarn install without --frozen-lockfile may write the lock file"},
		{"settings", cmd, `{}`, []string{".yarnrc", "registry \"x\"", ".npmrc", "registry=x"}, good + " .npmrc .yarnrc"},
		{"scripts off by .yarnrc", "yarn --frozen-lockfile", `{}`, []string{".yarnrc", "ignore-scripts true"}, good + " .yarnrc"},
		{"yarn of the project", cmd, `{}`, []string{".yarnrc", "yarn-path \"y.js\""}, good + " .yarnrc breaks: .yarnrc sets yarn-path"},
		{"workspaces", cmd, `{"workspaces": ["p/*"]}`, nil, good + " breaks: package.json has workspaces"},
		{"bin", cmd, `{"bin": "x"}`, nil, good + " doubt: package.json has a bin"},
		{"local", cmd, `{"dependencies": {"a": "link:../a"}}`, nil, good + " breaks: package.json takes a from link:../a"},
		{"patched in the lock file", cmd, `{}`, []string{"yarn.lock", `"a@patch:a@npm%3A1":`}, good + " breaks: yarn.lock has packages of patch:"},
		{"no lock", cmd, `{}`, []string{"yarn.lock", ""}, good},
		{"Berry", "yarn --immutable", `{}`, []string{".yarnrc.yml", "enableScripts: false"}, good + " .yarnrc.yml"},
		{"Berry without builds", "yarn --immutable --mode=skip-build", `{}`, []string{".yarnrc.yml", "{}"}, good + " .yarnrc.yml"},
		{"Berry of the project", "yarn --immutable", `{}`, []string{".yarnrc.yml", "yarnPath: .yarn/releases/yarn-4.1.0.cjs"}, good + " .yarnrc.yml doubt: yarn.lock does not say which packages have install scripts, which may read the sources breaks: .yarnrc.yml takes yarn itself from .yarn/releases/yarn-4.1.0.cjs"},
		{"Berry's patches", "yarn --immutable", `{}`, []string{".yarnrc.yml", "enableScripts: false", ".yarn/patches/a.patch", ""}, good + " .yarnrc.yml breaks: the context has .yarn, with patches, plugins or a cache"},
		{"an option", cmd + " --modules-folder x", `{}`, nil, good + " doubt: yarn is given --modules-folder"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := root()
			e.Project = project(append([]string{"package.json", tt.pkg, "yarn.lock", "# yarn lockfile v1\n"}, tt.more...)...)
			if got := manifests(t, tt.command, e); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}
