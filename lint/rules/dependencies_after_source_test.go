package rules_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/rules"
)

const (
	plainPackage = `{"name": "api", "dependencies": {"a": "^1"}}`
	plainLock    = `{"lockfileVersion": 3, "packages": {"": {"name": "api", "dependencies": {"a": "^1"}}, "node_modules/a": {"version": "1.0.0"}}}`
)

// TestHoistConditions plants one trap at a time into files whose installation
// would otherwise be moved unseen. What the manifests themselves may hold is
// tested with the tools.
func TestHoistConditions(t *testing.T) {
	manifests := []string{"package.json", plainPackage, "package-lock.json", plainLock}
	tests := []struct {
		name, dockerfile string
		more             []string
		want             string
	}{
		{"npm", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\n", nil, "build-safe"},
		{"as root of a folder", "FROM node\nWORKDIR /app\nCOPY ./ /app/\nRUN npm ci\n", nil, "build-safe"},
		{"variable in the folder", "FROM node\nENV D=/app\nWORKDIR $D\nCOPY . $D\nRUN npm ci\n", nil, "build-safe"},
		{"owner and mode", "FROM node\nWORKDIR /app\nCOPY --chown=1:1 --chmod=755 . .\nRUN npm ci\n", nil, "build-safe"},
		{"environment for the command", "FROM node\nWORKDIR /app\nCOPY . .\nRUN NODE_ENV=production npm ci\n", nil, "build-safe"},
		{"JSON form", "FROM node\nWORKDIR /app\nCOPY . .\nRUN [\"npm\", \"ci\"]\n", nil, "build-safe"},
		{"unknown base", "FROM other\nWORKDIR /app\nCOPY . .\nRUN npm ci\n", nil, "safe: the configuration of other is not known"},
		{"unknown base and folder", "FROM other\nCOPY . .\nRUN npm ci\n", nil, "safe: the configuration of other is not known"},

		{"link", "FROM node\nWORKDIR /app\nCOPY --link . .\nRUN npm ci\n", nil, "no fix: COPY has --link"},
		{"exclude", "FROM node\nWORKDIR /app\nCOPY --exclude=x . .\nRUN npm ci\n", nil, "no fix: COPY has --exclude"},
		{"from a stage", "FROM node AS a\nFROM node\nWORKDIR /app\nCOPY --from=a . .\nRUN npm ci\n", nil, ""},
		{"manifests alone", "FROM node\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\n", nil, ""},
		{"a pattern", "FROM node\nWORKDIR /app\nCOPY * ./\nRUN npm ci\n", nil, ""},
		{"two sources", "FROM node\nWORKDIR /app\nCOPY . x ./\nRUN npm ci\n", nil, ""},
		{"another folder", "FROM node\nWORKDIR /app\nCOPY . /src\nRUN npm ci\n", nil, ""},
		{"installed above, too", "FROM node\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\nRUN npm ci --omit=dev\n", nil, ""},
		{"well ordered", "FROM node\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\n", nil, ""},
		{"no installation by manifest", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm install -g npm\n", nil, ""},
		{"WORKDIR between", "FROM node\nCOPY . /app\nWORKDIR /app\nRUN npm ci\n", nil, "build-safe"},
		{"another WORKDIR between", "FROM node\nCOPY . /app\nWORKDIR /app/web\nWORKDIR /app\nRUN npm ci\n", nil, "no fix: WORKDIR stands between them: both use /app/web"},
		{"WORKDIR between, and a folder in it", "FROM node\nWORKDIR /\nCOPY . app\nWORKDIR app\nRUN npm ci\n", nil, "no fix: WORKDIR stands between them: WORKDIR is another before it"},
		{"ENV between", "FROM node\nWORKDIR /app\nCOPY . .\nENV NODE_ENV=production\nRUN npm ci\n", nil, "build-safe"},
		{"ENV of the COPY between", "FROM node\nWORKDIR /app\nENV D=/app\nCOPY . $D\nENV D=/b\nRUN npm ci\n", nil, "no fix: ENV stands between them: D is set in between, and used"},
		{"a port between", "FROM node\nWORKDIR /app\nCOPY . .\nEXPOSE 80\nLABEL a=b\nRUN npm ci\n", nil, "build-safe"},
		{"USER between", "FROM node\nWORKDIR /app\nCOPY . .\nUSER 1:1\nENV HOME=/h\nRUN npm ci\n", nil, "build-safe"},
		{"packages of an index in the step", "FROM node\nWORKDIR /app\nCOPY . .\nRUN set -eux; npm i -g npm@10 && npm ci\n", nil, "build-safe"},
		{"a package of the project in the step", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm i -g ./cli && npm ci\n", nil, "no fix: the same step does more than that"},
		{"an installation that may not run", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm i -g npm || npm ci\n", nil, "no fix: the same step does more than that"},
		{"another COPY between", "FROM node\nWORKDIR /app\nCOPY . .\nCOPY x /app/\nRUN npm ci\n", nil, "no fix: COPY stands between them: both use /app"},
		{"RUN between", "FROM node\nWORKDIR /app\nCOPY . .\nRUN ./prepare\nRUN npm ci\n", nil, "no fix: RUN stands between them: what ./prepare does is not known"},

		{"more in the step", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci && npm run build\n", nil, "no fix: the same step does more than that"},
		{"a redirection", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci > log\n", nil, "no fix: the same step does more than that"},
		{"a substitution", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci --omit=$(cat x)\n", nil, "no fix: the same step does more than that"},
		{"a condition", "FROM node\nWORKDIR /app\nCOPY . .\nRUN if [ -f package.json ]; then npm ci; fi\n", nil, "no fix: the same step does more than that"},
		{"in the background", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci &\n", nil, "no fix: the same step does more than that"},
		{"a wrapper", "FROM node\nWORKDIR /app\nCOPY . .\nRUN sudo npm ci\n", nil, "unsafe: sudo starts it"},
		{"an open word", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci --omit=$X\n", nil, "unsafe: some words of the command are not known"},
		{"a mount of the context", "FROM node\nWORKDIR /app\nCOPY . .\nRUN --mount=target=/x npm ci\n", nil, "unsafe: the step has a mount of the context"},
		{"a secret", "FROM node\nWORKDIR /app\nCOPY . .\nRUN --mount=type=secret,id=x npm ci\n", nil, "build-safe"},

		{"node_modules in the context", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\n", []string{"node_modules/a/index.js", ""}, "no fix: the context holds node_modules: name it in .dockerignore"},
		{"workspaces", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\n", []string{"package.json", `{"workspaces": ["p/*"]}`}, "no fix: package.json has workspaces"},
		{"a script", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\n", []string{"package.json", `{"scripts": {"postinstall": "x"}}`}, "unsafe: package.json has a postinstall script"},
		{"npm install", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm install\n", nil, "build-safe"},
		{"npm install of what isn't locked", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm install\n", []string{"package.json", `{"dependencies": {"a": "^2"}}`}, "unsafe: npm install writes package-lock.json anew, which does not have a ^2 of package.json"},
		{"npm install of an old syntax", "# syntax=docker/dockerfile:1.18\nFROM node\nWORKDIR /app\nCOPY . .\nRUN npm install\n", nil, "no fix: docker/dockerfile:1.18 knows no COPY --exclude"},
		{"npm install of a newer syntax", "# syntax=docker/dockerfile:1.20-labs\nFROM node\nWORKDIR /app\nADD . .\nRUN npm install\n", nil, "build-safe"},
		{"no WORKDIR", "FROM node\nCOPY . .\nRUN npm ci\n", nil, "unsafe: the sources are copied to /, above the cache of npm"},
		{"above the cache", "FROM node\nWORKDIR /root\nCOPY . .\nRUN npm ci\n", nil, "unsafe: the sources are copied to /root, above the cache of npm"},
		{"VOLUME", "FROM node\nWORKDIR /app\nVOLUME /app/data\nCOPY . .\nRUN npm ci\n", nil, "unsafe: /app/data is a VOLUME"},
		{"a project in a folder", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm --prefix web ci\n", []string{"web/package.json", plainPackage, "web/package-lock.json", plainLock}, "build-safe"},
		{"a folder that isn't known", "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm --prefix $W ci\n", nil, "no fix: the project's folder is not known"},
		{"a folder of the context", "FROM node\nWORKDIR /app\nCOPY api .\nRUN npm ci\n", []string{"api/package.json", plainPackage, "api/package-lock.json", plainLock}, "build-safe"},
		{"a file of the context", "FROM node\nWORKDIR /app\nCOPY api .\nRUN npm ci\n", []string{"api", ""}, ""},
		{"a path with a space", "FROM node\nWORKDIR /app\nCOPY [\"my api\", \".\"]\nRUN npm ci\n", []string{"my api/package.json", plainPackage, "my api/package-lock.json", plainLock}, "no fix: the path my api can't be written into a COPY as it is"},
		{"no manifest", "FROM node\nWORKDIR /app\nCOPY api .\nRUN npm ci\n", []string{"api/x", ""}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fc := world(append(append([]string{}, manifests...), tt.more...)...)
			if got := verdicts(t, rules.DependenciesAfterSource, tt.dockerfile, fc); got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.dockerfile, got, tt.want)
			}
		})
	}
}

// TestLinkedManifests has settings elsewhere: a build doesn't read what links lead to.
func TestLinkedManifests(t *testing.T) {
	fc := world("package.json", plainPackage, "pnpm-lock.yaml", "lockfileVersion: '6.0'\n")
	files, ok := fc.Files.(fstest.MapFS)
	if !ok {
		t.Fatalf("the context is a %T", fc.Files)
	}
	const dockerfile = "FROM node\nWORKDIR /app\nCOPY . .\nRUN pnpm install --frozen-lockfile\n"
	for want, file := range map[string]*fstest.MapFile{
		"build-safe": {Data: []byte("{}\n")},
		"unsafe: pnpm-workspace.yaml is a symbolic link": {Data: []byte("config/pnpm.yaml"), Mode: fs.ModeSymlink},
	} {
		files["pnpm-workspace.yaml"] = file
		if got := verdicts(t, rules.DependenciesAfterSource, dockerfile, fc); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// blind is a context of which one name can't be asked for.
type blind struct {
	fstest.MapFS
	name string
}

func (b blind) Open(name string) (fs.File, error) {
	if name == b.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not reachable")}
	}
	return b.MapFS.Open(name)
}

func (b blind) Stat(name string) (fs.FileInfo, error) {
	if name == b.name {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: errors.New("not reachable")}
	}
	return b.MapFS.Stat(name)
}

func (b blind) Lstat(name string) (fs.FileInfo, error) { return b.Stat(name) }

// TestUnknownIsNotAbsent: a name that can't be asked for is no proof.
func TestUnknownIsNotAbsent(t *testing.T) {
	for name, want := range map[string]string{
		"node_modules": "unsafe: whether the context holds node_modules is not known",
		".npmrc":       "unsafe: whether the context holds .npmrc is not known: stat .npmrc: not reachable",
		"patches":      "unsafe: whether the context holds patches is not known: stat patches: not reachable",
	} {
		fc := world()
		fc.Files = blind{fstest.MapFS{"package.json": {Data: []byte(plainPackage)}, "package-lock.json": {Data: []byte(plainLock)}}, name}
		if got := verdicts(t, rules.DependenciesAfterSource, "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\n", fc); got != want {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// TestHoistThenMount: the rules meet in one rewrite, and a second one changes
// nothing.
func TestHoistThenMount(t *testing.T) {
	src := "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\", \".\"]\n"
	want := "FROM node\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN --mount=type=cache,id=imgmgr-npm,target=/root/.npm/_cacache npm ci\nCOPY . .\nCMD [\"node\", \".\"]\n"
	fc := world("package.json", plainPackage, "package-lock.json", plainLock)
	both := []*lint.Rule{rules.DependenciesAfterSource, rules.CacheMountMissing}
	for range 2 {
		out, err := lint.Rewrite(context.Background(), "Dockerfile", []byte(src), fc, both, lint.BuildSafe)
		if err != nil {
			t.Fatal(err)
		}
		if src = string(out.Src); src != want {
			t.Fatalf("rewritten to\n%s", src)
		}
	}
}

// TestHoistedLines holds that the moved step leads back to its own lines.
func TestHoistedLines(t *testing.T) {
	src := "FROM node\nWORKDIR /app\n# sources\nCOPY . .\n\n# what is needed\nRUN npm ci \\\n  --omit=dev\n"
	fc := world("package.json", plainPackage, "package-lock.json", plainLock)
	out, err := lint.Rewrite(context.Background(), "Dockerfile", []byte(src), fc, []*lint.Rule{rules.DependenciesAfterSource}, lint.BuildSafe)
	if err != nil {
		t.Fatal(err)
	}
	want := "FROM node\nWORKDIR /app\nCOPY package.json package-lock.json ./\n# what is needed\nRUN npm ci \\\n  --omit=dev\n# sources\nCOPY . .\n\n"
	if string(out.Src) != want {
		t.Fatalf("rewritten to\n%s", out.Src)
	}
	for i, line := range []int{1, 2, 4, 6, 7, 8, 3, 4, 5} {
		if got := out.Map.Line(i + 1); got != line {
			t.Errorf("line %d of the result is line %d of the source, want %d", i+1, got, line)
		}
	}
}
