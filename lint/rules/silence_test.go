package rules_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/rules"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// verbs are asked of every tool; those that it takes for an installation count.
var verbs = strings.Fields(`
	install i ci add sync update upgrade fetch download restore build test run check vet get lock export create global workspace
	reinstall dist-upgrade full-upgrade safe-upgrade build-dep fix wheel compile publish pack require create-project package verify
	dependency:go-offline assemble dlx import dedupe deploy generate list mod tool pip groupinstall in dup patch nothing`)

// programs are the names by which Dockerfiles call the tools.
var programs = strings.Fields(`
	apt-get apt aptitude apk dnf yum microdnf tdnf zypper npm yarn pnpm bun bunx go pip pip3 uv uvx poetry cargo mvn ./mvnw gradle
	./gradlew dotnet composer bundle gem conda mamba micromamba ccache sccache xx-apt-get xx-apk xx-go`)

// installations are the commands in which a tool recognises an installation: those
// that it is shown by, and each verb that one of the programs may have.
func installations(t *testing.T) map[string][]string {
	list := map[string][]string{}
	add := func(command string) {
		for _, tool := range recognised(t, "FROM debian\nRUN "+command+"\n") {
			if !slices.Contains(list[tool], command) {
				list[tool] = append(list[tool], command)
			}
		}
	}
	for _, tool := range ecosystem.All() {
		for _, command := range tool.Example.Commands {
			add(command)
		}
	}
	for _, program := range programs {
		add(program)
		for _, verb := range verbs {
			for _, end := range []string{"", " x", " --offline", " -r x.txt", " download", " install x", " focus", " add x"} {
				add(program + " " + verb + end)
			}
		}
	}
	for _, tool := range ecosystem.All() {
		if len(list[tool.Name]) == 0 {
			t.Errorf("no installation by %s is known", tool.Name)
		}
	}
	return list
}

// recognised are the tools by which the file's RUNs install.
func recognised(t *testing.T, src string) []string {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var tools []string
	for _, in := range f.Instructions {
		tools = append(tools, installsBy(f, in)...)
	}
	return tools
}

// installsBy are the tools by which a RUN installs, also one of ONBUILD.
func installsBy(f *dockerfile.File, in *dockerfile.Instruction) []string {
	if in.Trigger != nil {
		in = in.Trigger
	}
	if in.Name != "RUN" {
		return nil
	}
	var commands []*shell.Command
	if script := f.Script(in); script != nil {
		commands = script.Commands()
	} else if in.JSON {
		c := &shell.Command{Span: in.Span}
		for _, a := range in.Args {
			c.Words = append(c.Words, shell.Word{Span: a.Span, Raw: a.Raw, Value: a.Value, Literal: true})
		}
		commands, _ = shell.Exec(c)
	}
	var tools []string
	for _, c := range commands {
		if u := ecosystem.Find(c); u != nil && u.Kind&(ecosystem.Fetch|ecosystem.Build|ecosystem.Offline) != 0 {
			tools = append(tools, u.Tool.Name)
		}
	}
	return tools
}

// installs reports that an instruction is a RUN that installs.
func installs(f *dockerfile.File, in *dockerfile.Instruction) bool { return len(installsBy(f, in)) > 0 }

// silent are the lines of instructions that are met with silence: the rule that every
// installation concerns makes no fix, offers none, and gives no reason.
func silent(t *testing.T, name, src string, fc facts.Context, concerns func(*dockerfile.File, *dockerfile.Instruction) bool) []int {
	t.Helper()
	f, err := dockerfile.Parse(name, []byte(src))
	if err != nil {
		return nil
	}
	out, err := lint.Rewrite(t.Context(), name, []byte(src), fc, proven(), lint.BuildSafe)
	if err != nil {
		if f.Verify() == nil {
			t.Errorf("%s: %v", name, err)
		}
		return nil
	}
	said := map[*dockerfile.Instruction]bool{}
	say := func(rule string, in *dockerfile.Instruction) {
		said[in] = said[in] || rule == rules.CacheMountMissing.Name
	}
	for _, a := range out.Applied {
		say(a.Rule, f.At(f.Lines.Span(a.Line).Start))
	}
	for _, d := range out.Left {
		say(d.Rule, f.At(out.Map.Offset(d.Start)))
	}
	for _, s := range out.Settled {
		if s.Why == "" || strings.ContainsAny(s.Why, "\r\n") || s.Start < 0 || s.End > len(out.Src) {
			t.Errorf("%s: %+v is no reason", name, s)
		}
		say(s.Rule, f.At(out.Map.Offset(s.Start)))
	}
	var lines []int
	for _, in := range f.Instructions {
		if concerns(f, in) && !said[in] {
			lines = append(lines, f.Lines.Line(in.Keyword.Start))
		}
	}
	return lines
}

// surroundedBy are Dockerfiles that run a command; %s is the command, and %q it as a
// string of JSON.
var surroundedBy = []string{
	"FROM debian:12\nRUN %s\n",
	"FROM golang:1.26 AS b\nWORKDIR /src\nCOPY . .\nRUN set -ex; %s\nFROM scratch\nCOPY --from=b /src /\n",
	"FROM node:22\nWORKDIR /app\nCOPY . .\nRUN --network=none %s\n",
	"FROM python:3.14 AS a\nRUN %s\nFROM a\nRUN %[1]s\n",
	"FROM ruby:3\nUSER app\nRUN %s\n",
	"FROM ruby:3\nUSER 1000:1000\nENV HOME=/home/app\nRUN cd x && %s || true\n",
	"FROM alpine\nRUN --mount=type=cache,target=/var/cache --mount=type=cache,target=/root --mount=type=tmpfs,target=/etc/apk %s\n",
	"FROM alpine\nARG AT\nRUN --mount=type=cache,target=$AT %s\n",
	"FROM debian:12\nRUN [\"bash\", \"-c\", %q]\n",
	"FROM debian:12\nRUN <<EOF\nif true; then\n  %s\nfi\nEOF\n",
	"FROM debian:12\n# imgmgr: rewrite=off\nRUN %s\n",
	"FROM debian:12\n# imgmgr ignore=CacheMountMissing\nRUN %s\n",
	"FROM mcr.microsoft.com/windows/nanoserver\nSHELL [\"bash\", \"-c\"]\nRUN %s\n",
	"FROM debian:12\nVOLUME /root\nENV GOFLAGS=-mod=vendor GOPROXY=off PIP_NO_INDEX=1 npm_config_offline=true COMPOSER_DISABLE_NETWORK=1\nRUN %s\n",
	"FROM debian:12\nRUN xargs %s < list\n",
	"FROM debian:12\nRUN eval %s\n",
	"FROM debian:12\nRUN sudo -H %s; rm -rf /root /var/cache\n",
	"FROM debian:12\nONBUILD RUN set -e; %s\n",
	"FROM debian:12\nONBUILD RUN [\"sh\", \"-c\", %q]\n",
}

// TestNoInstallationIsMetWithSilence: whatever a RUN installs with, the report of a
// rewrite says what becomes of it and why.
func TestNoInstallationIsMetWithSilence(t *testing.T) {
	t.Parallel()
	unknown := facts.Context{Args: map[string]string{}}
	count := 0
	for tool, commands := range installations(t) {
		for i, command := range commands {
			for k, around := range surroundedBy {
				if i > 4 && (i+k)%len(surroundedBy) > 0 { // the first few in all, every other in one
					continue
				}
				src := around
				if strings.Contains(around, "%q") {
					src = strings.ReplaceAll(src, "%q", fmt.Sprintf("%q", command))
				} else {
					src = strings.ReplaceAll(strings.ReplaceAll(src, "%[1]s", command), "%s", command)
				}
				for where, fc := range map[string]facts.Context{"likely": likely(), "unknown": unknown} {
					count++
					if lines := silent(t, tool, src, fc, installs); len(lines) > 0 {
						t.Errorf("%s, in a world that is %s: nothing is said of line %v of\n%s", tool, where, lines, src)
					}
				}
			}
		}
	}
	t.Logf("%d Dockerfiles", count)
}

// TestNoUnknownIsMetWithSilence: where a variable decides whether a RUN installs, and
// isn't known, the report says so.
func TestNoUnknownIsMetWithSilence(t *testing.T) {
	t.Parallel()
	ask := func(command string) {
		for _, around := range []string{"RUN %s", "RUN set -ex; cd /x && %s", "RUN sudo %s", "ONBUILD RUN %s"} {
			src := "FROM debian:12\nARG OPTIONS PROGRAM VERB\n" + fmt.Sprintf(around, command) + "\n"
			concerns := func(_ *dockerfile.File, in *dockerfile.Instruction) bool {
				return in.Name == "RUN" || in.Trigger != nil
			}
			if lines := silent(t, command, src, likely(), concerns); len(lines) > 0 {
				t.Errorf("nothing is said of\n%s", src)
			}
		}
	}
	for _, program := range programs {
		for _, end := range []string{" $VERB", " ${VERB} x", " \"$VERB\" --quiet"} {
			ask(program + end)
		}
	}
	for _, tool := range ecosystem.All() {
		for _, command := range tool.Example.Commands {
			words := strings.Fields(command)
			if len(recognised(t, "FROM debian\nRUN "+command+"\n")) == 0 || strings.Contains(words[0], "=") {
				continue
			}
			ask(strings.ReplaceAll(command, words[0]+" ", "$PROGRAM "))
			ask(words[0] + " $OPTIONS" + strings.TrimPrefix(command, words[0]))
		}
	}
}

// TestNoFileIsMetWithSilence holds all Dockerfiles that there are to the same.
func TestNoFileIsMetWithSilence(t *testing.T) {
	t.Parallel()
	files := dockerfiles(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if lines := silent(t, name, files[name], likely(), installs); len(lines) > 0 && !strings.Contains(name, "CRLF") {
			t.Errorf("%s: nothing is said of lines %v", name, lines)
		}
	}
}
