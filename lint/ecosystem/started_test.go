package ecosystem_test

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// TestFindBehindOthers: a tool that is called by a path, or started by another
// program, is known where that program can be no other, and through what.
func TestFindBehindOthers(t *testing.T) {
	for script, want := range map[string]string{
		// By a path to an installation.
		"$HOME/.local/bin/poetry install":           "poetry install",
		"~/.local/bin/uv sync":                      "uv sync",
		"/root/.local/bin/uv sync":                  "uv sync",
		"/venv/bin/pip install flask":               "pip install",
		"./venv/bin/pip install flask":              "pip install",
		`"${VENV}/bin/pip" install flask`:           "pip install",
		"$VENV/bin/python -m pip install flask":     "pip install",
		"/uv sync":                                  "uv sync",
		"node_modules/.bin/yarn install":            "yarn install",
		"./mvnw package":                            "mvnw package",
		"./gradlew build":                           "gradlew build",
		"./composer.phar install":                   "composer install",
		"php -d memory_limit=-1 /x/composer update": "composer update",
		// Perhaps a program of the project.
		"./npm ci":                "npm ci through ./npm",
		"bin/yarn install":        "yarn install through bin/yarn",
		"bin/pip install x":       "pip install through bin/pip",
		"./install":               "",
		"bin/test":                "",
		"./make":                  "",
		"$HOME/go build":          "",
		"$X/pip install flask":    "",
		"$HOME/*/bin/pip install": "",
		// As a module.
		"python3 -m poetry install":      "poetry install",
		"python -m uv pip install flask": "uv pip install",
		"python -I -m uv sync":           "uv sync",
		"python -m http.server":          "",
		// Started by another program.
		"poetry run pip install x":                           "poetry run pip install through poetry run",
		"poetry run pytest":                                  "poetry",
		"pipenv run pip install x":                           "pipenv run pip install through pipenv run",
		"conda run -n env --no-capture-output pip install x": "conda run pip install through conda run",
		"conda run":                         "conda",
		"xargs apt-get install -y":          "xargs apt-get install through xargs",
		"xargs -a list -n 1 -r pip install": "xargs pip install through xargs",
		"xargs rm -rf":                      "",
		"xargs":                             "",
		"find . -name r.txt -exec pip install -r {} +":        "find -exec pip install through find -exec",
		"find . -name apt-get":                                "",
		"eval apt-get install -y $X":                          "eval apt-get install through eval",
		"eval 'apt-get install -y curl'":                      "apt-get install",
		"xx-apt-get install -y gcc":                           "xx-apt-get install through xx-apt-get",
		"xx-apk add gcc":                                      "xx-apk add through xx-apk",
		"xx-go build .":                                       "xx-go build through xx-go",
		"xx-go --wrap":                                        "",
		"xx-apk":                                              "",
		"yarn workspace web add x":                            "yarn workspace add",
		"yarn workspace web run build":                        "yarn",
		"npm --prefix web ci":                                 "npm ci",
		"npm -w web install":                                  "npm install",
		"pnpm -C web install":                                 "pnpm install",
		"pnpm --filter web --dir=x install --frozen-lockfile": "pnpm install",
		"aptitude -y safe-upgrade":                            "aptitude safe-upgrade",
	} {
		got := ""
		if u := ecosystem.Find(command(t, script)); u != nil {
			if got = u.Title; u.Through != "" {
				got += " through " + u.Through
			}
			if u.Through != "" && (u.Installs || u.Apart || u.Heeds != nil) {
				t.Errorf("%s: more is known of it than can be: %+v", script, *u)
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
}

// TestFindAs: words that a variable holds are looked at in its place.
func TestFindAs(t *testing.T) {
	c := command(t, "$APT curl")
	word := func(text string) shell.Word { return shell.Word{Raw: "$APT", Value: text, Literal: true} }
	u := ecosystem.FindAs(c, []shell.Word{word("apt-get"), word("install"), c.Words[1]}, "$APT")
	if u == nil || u.Title != "apt-get install" || u.Through != "$APT" {
		t.Errorf("found %+v", u)
	}
	if u := ecosystem.FindAs(c, []shell.Word{word("apt-get"), word("clean"), c.Words[1]}, "$APT"); u != nil {
		t.Errorf("what installs nothing is %+v", u)
	}
}
