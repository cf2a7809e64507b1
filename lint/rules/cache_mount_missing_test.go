package rules_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/linttest"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// world knows the images node, debian and golang, and a context.
func world(files ...string) facts.Context {
	image := func(digest string, env ...string) *facts.Image {
		return &facts.Image{Digest: "sha256:" + strings.Repeat(digest, 64), Config: ocispec.Image{Config: ocispec.ImageConfig{Env: env}}}
	}
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1]), Mode: 0o644}
	}
	withVolume := image("d", "PATH=/bin")
	withVolume.Config.Config.Volumes = map[string]struct{}{"/root": {}}
	return facts.Context{
		Args: map[string]string{}, NewestSyntax: true,
		Files: fsys,
		Images: linttest.Images{
			"node": image("a", "PATH=/bin"), "debian": image("b", "PATH=/bin"), "golang": image("c", "PATH=/bin", "GOPATH=/go"),
			"node:volume": withVolume, "corp/node": image("e", "PATH=/bin"),
		},
	}
}

// verdicts prints each finding of a rule: "build-safe", "unsafe: doubt", or
// "no fix: why".
func verdicts(t *testing.T, rule *lint.Rule, src string, fc facts.Context) string {
	t.Helper()
	var list []string
	for _, d := range check(t, src, fc, rule) {
		switch {
		case d.Fix == nil:
			_, why, _ := strings.Cut(d.Message, ", and ")
			list = append(list, "no fix: "+why)
		case d.Fix.Doubt != "":
			list = append(list, d.Fix.Safety.String()+": "+d.Fix.Doubt)
		default:
			list = append(list, d.Fix.Safety.String())
		}
	}
	return strings.Join(list, "; ")
}

// TestCacheMountConditions plants one trap at a time into steps that would
// otherwise get their mount unseen.
func TestCacheMountConditions(t *testing.T) {
	const npm = "FROM node\nRUN npm ci\n"
	const apt = "FROM debian\nRUN apt-get update && apt-get install -y x"
	tests := []struct{ name, dockerfile, want string }{
		{"npm", npm, "build-safe"},
		{"apt", apt, "build-safe"},
		{"unknown base", "FROM other\nRUN npm ci\n", "safe: the configuration of other is not known"},
		{"base of an unknown ARG", "ARG B\nFROM $B\nRUN npm ci\n", "safe: the configuration of $B is not known"},
		{"ONBUILD", "FROM node\nONBUILD RUN npm ci\n", ""},
		{"another shell", "FROM node\nSHELL [\"pwsh\", \"-Command\"]\nRUN npm ci\n", ""},
		{"heredoc for another program", "FROM node\nRUN <<E\n#!/usr/bin/env python3\nnpm ci\nE\n", ""},
		{"script that can't be read", "FROM node\nRUN npm ci && (\n", ""},

		{"mount there", "FROM node\nRUN --mount=type=cache,target=/root/.npm/_cacache npm ci\n", ""},
		{"mount above", "FROM node\nRUN --mount=type=cache,target=/root npm ci\n", ""},
		{"mount below", "FROM node\nRUN --mount=type=cache,target=/root/.npm/_cacache/tmp npm ci\n", ""},
		{"mount of a variable", "FROM node\nENV C=/root/.npm\nRUN --mount=type=cache,target=$C npm ci\n", ""},
		{"mount beside", "FROM node\nRUN --mount=type=cache,target=/var/x npm ci\n", "build-safe"},
		{"secret", "FROM node\nRUN --mount=type=secret,id=npmrc npm ci\n", "build-safe"},
		{"ssh", "FROM node\nRUN --mount=type=ssh npm ci\n", "build-safe"},
		{"no network", "FROM node\nRUN --network=none npm ci\n", ""},

		{"removed", "FROM node\nRUN npm ci && rm -rf ~/.npm\n", "no fix: rm in the same step would fail on the mount"},
		{"parent removed", "FROM node\nRUN npm ci && rm -rf /root\n", "no fix: rm in the same step would fail on the mount"},
		{"emptied", "FROM node\nRUN npm ci && rm -rf ~/.npm/_cacache/*\n", "no fix: rm in the same step would empty it"},
		{"moved", "FROM node\nRUN npm ci && mv /root/.npm /x\n", "no fix: mv in the same step would fail on the mount"},
		{"owner changed", "FROM node\nRUN npm ci && chown -R node /root\n", "unsafe: chown in the same step uses /root/.npm/_cacache"},
		{"found and deleted", "FROM node\nRUN npm ci && find / -name '*.map' -delete\n", "no fix: find in the same step would fail on the mount"},
		{"unknown removed", "FROM node\nRUN npm ci && rm -rf $X\n", "unsafe: whether rm in the same step touches /root/.npm/_cacache is not known"},
		{"copied", "FROM node\nRUN npm ci && cp -a /root/.npm /x\n", "unsafe: cp in the same step uses /root/.npm/_cacache"},
		{"lists emptied", apt + " && rm -rf /var/lib/apt/lists/*\n", "build-safe"},
		{"docker-clean removed", apt + " && rm /etc/apt/apt.conf.d/docker-clean\n", "no fix: rm in the same step would fail on the mount"},
		{"docker-clean written", apt + " && echo > /etc/apt/apt.conf.d/docker-clean\n", "unsafe: echo in the same step uses /etc/apt/apt.conf.d/docker-clean"},
		{"apt cache removed", apt + " && rm -rf /var/cache/apt\n", "build-safe"},
		{"apt archives removed", apt + " && rm -rf /var/cache/apt/archives\n", "build-safe"},
		{"apt archives that have to be there", apt + " && rm /var/cache/apt/archives/*.deb\n", "unsafe: rm in the same step expects /var/cache/apt"},
		{"the mount removed", apt + " && rm -rf /run/*\n", "no fix: rm in the same step would fail on the mount"},
		{"apt-get clean", apt + " && apt-get clean\n", "build-safe"},
		{"install alone", "FROM debian\nRUN apt-get install -y x\n", "safe: the package lists are those of another step"},

		{"copied by a later step", npm + "RUN cp -r /root/.npm /x\n", "unsafe: cp in another step uses /root/.npm/_cacache"},
		{"removed by a later step", npm + "RUN rm -rf /root/.npm\n", "build-safe"},
		{"removed by a later step, not forced", npm + "RUN rm -r /root/.npm\n", "unsafe: rm in a later step expects /root/.npm/_cacache"},
		{"needed by a later step", npm + "RUN npm ci --offline\n", "unsafe: npm ci in a later step works offline and needs the cache"},
		{"needed by a derived stage", "FROM node AS a\nRUN npm ci\nFROM a\nRUN npm install --offline x\n", "unsafe: npm install in a later step works offline and needs the cache"},
		{"needed by a stage beside", "FROM node AS a\nRUN npm ci\nFROM node\nRUN npm ci --offline\n", "build-safe"},
		{"brought by an earlier step", "FROM node\nCOPY cache /root/.npm/_cacache\nRUN npm ci\n", "unsafe: COPY puts files into /root/.npm/_cacache"},
		{"brought by the parent stage", "FROM node AS a\nADD cache /root/.npm/_cacache/x\nFROM a\nRUN npm ci\n", "unsafe: ADD puts files into /root/.npm/_cacache"},
		{"used by an earlier step", "FROM node\nRUN tar xf c.tar /root/.npm/_cacache\nRUN npm ci\n", "unsafe: tar in another step uses /root/.npm/_cacache"},
		{"taken by another stage", "FROM node AS a\nRUN npm ci\nFROM node\nCOPY --from=a /root /root\n", "unsafe: a later COPY takes /root from this stage"},
		{"taken whole", "FROM node AS a\nRUN npm ci\nFROM scratch\nCOPY --from=a / /\n", "unsafe: a later COPY takes / from this stage"},
		{"taken by number", "FROM node\nRUN npm ci\nFROM scratch\nCOPY --from=0 /root/.npm/_cacache/x /\n", "unsafe: a later COPY takes /root/.npm/_cacache/x from this stage"},
		{"taken by pattern", "FROM node AS a\nRUN npm ci\nFROM scratch\nCOPY --from=a /ro* /\n", "unsafe: a later COPY takes / from this stage"},
		{"taken by a derived stage's reader", "FROM node AS a\nRUN npm ci\nFROM a AS b\nFROM scratch\nCOPY --from=b /root /\n", "unsafe: a later COPY takes /root from this stage"},
		{"something else taken", "FROM node AS a\nRUN npm ci\nFROM scratch\nCOPY --from=a /app /\n", "build-safe"},
		{"mounted by another stage", "FROM node AS a\nRUN npm ci\nFROM node\nRUN --mount=from=a,target=/a true\n", "unsafe: a later RUN takes / from this stage"},
		{"a part mounted by another stage", "FROM node AS a\nRUN npm ci\nFROM node\nRUN --mount=from=a,source=/app,target=/a true\n", "build-safe"},

		{"VOLUME", "FROM node\nVOLUME /root\nRUN npm ci\n", "unsafe: /root is a VOLUME"},
		{"VOLUME below", "FROM node\nRUN npm ci\nVOLUME /root/.npm\n", "unsafe: /root/.npm is a VOLUME"},
		{"VOLUME of the base", "FROM node:volume\nRUN npm ci\n", "unsafe: /root is a VOLUME"},
		{"user by name", "FROM node\nUSER node\nRUN npm ci\n", "no fix: the numbers of USER node, who has to own the mount, are not known"},
		{"user without group", "FROM node\nUSER 1000\nRUN npm ci\n", "no fix: the numbers of USER 1000, who has to own the mount, are not known"},
		{"user by number", "FROM node\nUSER 1000:1000\nENV HOME=/h\nRUN npm ci\n", "unsafe: whether USER 1000:1000 owns /h/.npm is not known; BuildKit makes a missing one for root"},
		{"root again", "FROM node\nUSER node\nUSER root\nRUN npm ci\n", "build-safe"},
		{"HOME", "FROM node\nENV HOME=/h\nRUN npm ci\n", "build-safe"},
		{"HOME for the command", "FROM node\nRUN HOME=/h npm ci\n", "build-safe"},
		{"HOME that isn't known", "FROM node\nRUN HOME=$(pwd) npm ci\n", "no fix: the HOME of this step is not known"},
		{"HOME set by the script", "FROM node\nRUN export HOME=\"$X\"; npm ci\n", "no fix: the HOME of this step is not known"},
		{"sourced", "FROM node\nRUN . ./env && npm ci\n", "safe: the HOME of this step is not known"},
		{"sudo", "FROM node\nRUN sudo npm ci\n", "unsafe: sudo may run the command as another user"},
		{"su", "FROM node\nRUN su node -c 'npm ci'\n", "unsafe: su may run the command as another user"},
		{"env -i", "FROM node\nRUN env -i npm ci\n", "unsafe: env -i changes the environment"},
		{"env A=B", "FROM node\nRUN env A=B npm ci\n", "build-safe"},
		{"path with a comma", "FROM node\nENV npm_config_cache=/a,b\nRUN npm ci\n", "no fix: the path can't be written into a mount"},

		{"stage by number", apt + "\nFROM scratch\nCOPY --from=0 /x /\n", "no fix: a stage is named by its number, which a further stage would change"},
		{"stage by number in a trigger", apt + "\nONBUILD COPY --from=0 /x /\n", "no fix: a stage is named by its number, which a further stage would change"},
		{"other stage of that name", "FROM node AS imgmgr-apt\n" + apt, "no fix: the stage imgmgr-apt, which the fix would bring, is another one here"},
		{"stage that comes too late", apt + "\nFROM scratch AS imgmgr-apt\nCOPY <<EOF /keep-cache\n" + keepCache + "EOF\n", "no fix: the stage imgmgr-apt comes too late"},
		{"stage that is there", "FROM scratch AS imgmgr-apt\nCOPY <<EOF /keep-cache\n" + keepCache + "EOF\n" + apt, "build-safe"},
		{"old syntax", "# syntax=docker/dockerfile:1.3\n" + apt, "no fix: docker/dockerfile:1.3 knows no heredocs"},
		{"newer syntax", "# syntax=docker/dockerfile:1.30\n" + apt, "build-safe"},
		{"Windows line endings", strings.ReplaceAll(apt, "\n", "\r\n"), "safe: the file has Windows line endings, which would be part of /keep-cache"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := verdicts(t, rules.CacheMountMissing, tt.dockerfile, world()); got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.dockerfile, got, tt.want)
			}
		})
	}
}

const keepCache = `# What docker-clean says, but for the hooks that empty the package cache.
Binary::apt::APT::Keep-Downloaded-Packages "true";
APT::Keep-Downloaded-Packages "true";
Dir::Cache "/run/imgmgr-apt";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
`

// TestGoCacheConditions: a compiler's objects and a tree of modules need more
// than a package manager's downloads.
func TestGoCacheConditions(t *testing.T) {
	const mod = "module example.com/x\n\ngo 1.26\n"
	const from = "FROM golang AS b\nENV CGO_ENABLED=0\n"
	const cgo = "FROM golang AS b\n"
	const end = "FROM scratch\nCOPY --from=b /x /\n"
	tests := []struct {
		name, dockerfile string
		files            []string
		want             string
	}{
		{"both", from + "RUN go build .\n" + end, []string{"go.mod", mod}, "build-safe"},
		{"downloaded and built", from + "RUN go mod download\nRUN go build .\n" + end, []string{"go.mod", mod}, "build-safe; build-safe"},
		{"no module", from + "RUN go mod download\n" + end, nil, "safe: the module's path isn't known, and its cache must not be shared with other projects"},
		{"the image itself", from + "RUN go mod download\n", []string{"go.mod", mod}, "safe: the image is made from this stage, and would lack /go/pkg/mod"},
		{"a stage of the image", from + "RUN go mod download\nFROM b\n", []string{"go.mod", mod}, "safe: the image is made from this stage, and would lack /go/pkg/mod"},
		{"FROM that isn't known", "ARG T\n" + from + "RUN go mod download\nFROM x$TARGETARCH\n" + end, []string{"go.mod", mod}, "safe: whether FROM x$TARGETARCH starts from this stage is not known"},
		{"make in another step", from + "RUN go mod download\nRUN make\n" + end, []string{"go.mod", mod}, "no fix: make in another step may need it"},
		{"another build in another step", from + "RUN go mod download\nRUN mvn package\n" + end, []string{"go.mod", mod}, "no fix: mvn in another step may need it; safe: the context has no file pom.xml, so that the project's name is not known"},
		{"make in a derived stage", from + "RUN go mod download\nFROM b AS c\nRUN make\n" + end, []string{"go.mod", mod}, "no fix: make in another step may need it"},
		{"make in the same step", from + "RUN go mod download && make\n" + end, []string{"go.mod", mod}, "build-safe"},
		{"harmless steps", from + "RUN mkdir /y && apt-get update\nRUN go mod download\nRUN strip x && go version\n" + end, []string{"go.mod", mod}, "build-safe"},
		{"folders asked for", from + "RUN go mod download\nRUN cp $(go env GOMODCACHE)/x /\n" + end, []string{"go.mod", mod}, "no fix: go env in another step would be without it"},
		{"built without network", from + "RUN go mod download\nRUN --network=none go vet\n" + end, []string{"go.mod", mod}, "no fix: go vet in another step would be without it; build-safe"},
		{"built from vendor", from + "RUN go mod download\nRUN go vet -mod=vendor\n" + end, []string{"go.mod", mod}, "no fix: go vet in another step would be without it; build-safe"},
		{"a mount of its own", from + "RUN --mount=type=cache,target=/go/pkg/mod go mod download\nRUN go mod verify\n" + end, []string{"go.mod", mod}, "no fix: another step has a mount of its own there"},
		{"our mount", from + "RUN --mount=type=cache,id=imgmgr-gomod-example.com/x,target=/go/pkg/mod go mod download\nRUN go mod verify\n" + end, []string{"go.mod", mod}, "build-safe"},
		{"removed in another step", from + "RUN go mod download\nRUN go mod verify && rm -rf /go\n" + end, []string{"go.mod", mod}, "no fix: in another step rm in the same step would fail on the mount"},
		{"another folder in another step", from + "RUN go mod download\nENV GOPATH=/p\nRUN go mod verify\n" + end, []string{"go.mod", mod}, "no fix: another step has it in /p/pkg/mod; no fix: another step has it in /go/pkg/mod"},
		{"modules taken", from + "RUN go mod download\nFROM golang\nCOPY --from=b /go/pkg /go/pkg\n", []string{"go.mod", mod}, "unsafe: a later COPY takes /go/pkg from this stage"},
		{"cgo", cgo + "RUN go build .\n" + end, []string{"go.mod", mod}, "build-safe"},
		{"cgo and a header", cgo + "RUN go build .\n" + end, []string{"go.mod", mod, "a/b.h", ""}, "safe: the context has a/b.h, and the cache of go does not see C headers change (without cgo it need not); build-safe"},
		{"cgo and packages", cgo + "RUN apt-get install -y x\nRUN go build .\n" + end, []string{"go.mod", mod}, "safe: apt-get may change C headers, which the cache of go does not see (without cgo it need not); build-safe"},
		{"cgo and packages in the step", cgo + "RUN apk del x && go build .\n" + end, []string{"go.mod", mod}, "safe: apk may change C headers, which the cache of go does not see (without cgo it need not); build-safe"},
		{"cgo and other stages", cgo + "COPY --from=debian /usr/include /usr/include\nRUN go build .\n" + end, []string{"go.mod", mod}, "safe: COPY --from may change C headers, which the cache of go does not see (without cgo it need not); build-safe"},
		{"no cgo", from + "RUN apt-get install -y x\nRUN CGO_ENABLED=0 go build .\n" + end, []string{"go.mod", mod, "a.h", ""}, "build-safe"},
		{"tests", from + "RUN go test ./...\n" + end, []string{"go.mod", mod}, "safe: go test takes a result that it knows from the cache, and doesn't run the test (-count=1 makes it); build-safe"},
		{"cache off", from + "RUN GOCACHE=off go build .\n" + end, []string{"go.mod", mod}, "build-safe"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := verdicts(t, rules.CacheMountMissing, tt.dockerfile, world(tt.files...))
			// Some steps call apt beside go.
			got = strings.TrimPrefix(got, "safe: the package lists are those of another step; ")
			if got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.dockerfile, got, tt.want)
			}
		})
	}
}

// TestCacheMountNeedsItsContext: without the context it isn't known whether
// cgo has headers to see.
func TestCacheMountNeedsItsContext(t *testing.T) {
	fc := world()
	fc.Files = nil
	got := verdicts(t, rules.CacheMountMissing, "FROM golang AS b\nRUN go build -mod=vendor .\nFROM scratch\n", fc)
	if want := "safe: whether the context has C headers, which the cache of go does not see, is not known (without cgo it need not be)"; got != want {
		t.Errorf("got %s", got)
	}
	fc = world("go.mod", "module m\n")
	fc.Images.(linttest.Images)["golang"].Digest = ""
	got = verdicts(t, rules.CacheMountMissing, "FROM golang AS b\nENV CGO_ENABLED=0\nRUN go build -mod=vendor .\nFROM scratch\n", fc)
	if want := "safe: the digest of golang is not known"; got != want {
		t.Errorf("got %s", got)
	}
}

// TestTargetByNumber: a build that asks for a stage by its number must not get
// another stage on top.
func TestTargetByNumber(t *testing.T) {
	fc := world()
	fc.Target = "0"
	got := verdicts(t, rules.CacheMountMissing, "FROM debian\nRUN apt-get update && apt-get install -y x\n", fc)
	if want := "no fix: a stage is named by its number, which a further stage would change"; got != want {
		t.Errorf("got %s", got)
	}
}

// TestLinesOfTheRewrite holds that a line of the rewritten file leads back to
// the line its owner wrote, whatever was put above it.
func TestLinesOfTheRewrite(t *testing.T) {
	src := "FROM golang AS b\nWORKDIR /src\nENV CGO_ENABLED=0\nCOPY . .\nRUN go mod download\nRUN go build . \\\n && echo\nFROM debian\nRUN apt-get update && apt-get install -y x\nCOPY --from=b /src/x /\n"
	fc := world("go.mod", "module m\n\ngo 1.26\n", "go.sum", "")
	out, err := lint.Rewrite(context.Background(), "Dockerfile", []byte(src), fc, []*lint.Rule{rules.DependenciesAfterSource, rules.CacheMountMissing}, lint.BuildSafe)
	if err != nil {
		t.Fatal(err)
	}
	fixed, err := dockerfile.Parse("Dockerfile", out.Src)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, in := range fixed.Instructions {
		got = append(got, fmt.Sprintf("%s %d", in.Name, out.Map.Line(in.StartLine)))
	}
	want := "FROM 9, COPY 9, FROM 1, WORKDIR 2, ENV 3, COPY 4, RUN 5, COPY 4, RUN 6, FROM 8, RUN 9, COPY 10"
	if strings.Join(got, ", ") != want {
		t.Errorf("lines are %s\nwant %s\n%s", got, want, out.Src)
	}
	if drops := strings.Join(out.Drops(), " "); drops != "/go/pkg/mod /root/.cache/go-build /var/cache/apt" {
		t.Errorf("drops %s", drops)
	}
}
