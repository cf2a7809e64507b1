package dockerfile_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

func parse(t testing.TB, src string) *dockerfile.File {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Every stage of these files copies a file "mark<number>." of its own, so that
// BuildKit's LLB shows which stages it builds.
var needed = []struct {
	name, src, target string
	args              map[string]string
	want              []int
}{
	{"the last stage alone", "FROM scratch\nFROM scratch\n", "", nil, []int{1}},
	{"a target, in any case", "FROM scratch AS One\nFROM scratch\n", "ONE", nil, []int{0}},
	{"FROM a stage", "FROM scratch AS one\nFROM scratch AS two\nFROM one\n", "", nil, []int{0, 2}},
	{"COPY --from by name in any case", "FROM scratch AS one\nFROM scratch\nCOPY --from=One /a /b\n", "", nil, []int{0, 1}},
	{"COPY --from by number", "FROM scratch AS one\nFROM scratch AS two\nFROM scratch\nCOPY --from=1 /a /b\n", "", nil, []int{1, 2}},
	{"RUN --mount", "FROM scratch AS one\nFROM scratch AS two\nRUN --mount=type=cache,target=/x --mount=from=one,target=/y true\n", "", nil, []int{0, 1}},
	{"the nearest stage of a name for FROM", "FROM scratch AS a\nFROM scratch AS a\nFROM a AS b\nFROM scratch AS a\nFROM b\n", "", nil, []int{1, 2, 4}},
	{"the last stage of a name for COPY", "FROM scratch AS a\nFROM scratch AS a\nFROM scratch\nCOPY --from=a /a /b\n", "", nil, []int{1, 2}},
	{"ARG in FROM, by default", "ARG V=one\nFROM scratch AS s-one\nFROM scratch AS s-two\nFROM s-${V}\n", "", nil, []int{0, 2}},
	{"ARG in FROM, given", "ARG V=one\nFROM scratch AS s-one\nFROM scratch AS s-two\nFROM s-${V}\n", "", map[string]string{"V": "two"}, []int{1, 2}},
	{"ARG from ARG", "ARG A=on\nARG V=${A}e\nFROM scratch AS one\nFROM scratch AS two\nFROM ${V:-two}\n", "", nil, []int{0, 2}},
	{"a default in the reference", "FROM scratch AS one\nFROM scratch AS two\nFROM ${V:-two}\n", "", nil, []int{1, 2}},
	{"a quoted reference", "FROM scratch AS one\nFROM \"one\"\n", "", nil, []int{0, 1}},
	{"a trigger of the parent", "FROM scratch AS tools\nFROM scratch AS base\nONBUILD COPY --from=tools /a /b\nFROM base\n", "", nil, []int{0, 1, 2}},
	{"a trigger of the stage itself", "FROM scratch AS tools\nFROM scratch AS base\nONBUILD COPY --from=tools /a /b\n", "", nil, []int{1}},
	{"the escape directive", "# escape=`\nFROM scratch AS one\nFROM scratch\nCOPY --from=one `\n /a /b\n", "", nil, []int{0, 1}},
}

// TestNeeded holds Needed to the stages that BuildKit itself puts in the LLB.
func TestNeeded(t *testing.T) {
	for _, c := range needed {
		t.Run(c.name, func(t *testing.T) {
			f := parse(t, c.src)
			var got []int
			for st := range f.NeededWith(c.target, c.args) {
				got = append(got, st.Index)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("needed are %v, want %v", got, c.want)
			}
			if built := buildkitStages(t, c.src, c.target, c.args); !slices.Equal(built, c.want) {
				t.Errorf("BuildKit builds %v, want %v", built, c.want)
			}
		})
	}
}

// buildkitStages marks every stage and returns those that BuildKit builds.
func buildkitStages(t *testing.T, src, target string, args map[string]string) []int {
	t.Helper()
	var marked strings.Builder
	stages := 0
	for line := range strings.Lines(src) {
		marked.WriteString(line)
		if strings.HasPrefix(line, "FROM") {
			fmt.Fprintf(&marked, "COPY mark%d. /\n", stages)
			stages++
		}
	}
	opt := dockerfile2llb.ConvertOpt{Config: dockerui.Config{Target: target, BuildArgs: args}}
	result, err := dockerfile2llb.Dockerfile2LLB(t.Context(), []byte(marked.String()), opt)
	if err != nil {
		t.Fatal(err)
	}
	def, err := result.State.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var built []int
	ops := bytes.Join(def.Def, nil)
	for i := range stages {
		if bytes.Contains(ops, fmt.Appendf(nil, "mark%d.", i)) {
			built = append(built, i)
		}
	}
	return built
}

func TestStages(t *testing.T) {
	f := parse(t, "ARG V=1\nFROM --platform=$BUILDPLATFORM debian:$V AS Base\nRUN a\nFROM base\nUSER b\nFROM Base\n")
	if len(f.Global) != 1 || len(f.Stages) != 3 || f.Global[0].Stage != nil {
		t.Fatalf("%d global ARGs, %d stages", len(f.Global), len(f.Stages))
	}
	base, second, third := f.Stages[0], f.Stages[1], f.Stages[2]
	if base.Name != "base" || base.Base != "debian:$V" || base.Platform != "$BUILDPLATFORM" || base.Parent != nil || base.Index != 0 {
		t.Errorf("base is %+v", base)
	}
	if second.Parent != base || !slices.Equal(second.Lineage(), []*dockerfile.Stage{second, base}) || second.External() != "debian:$V" {
		t.Errorf("second is %+v", second)
	}
	if third.Parent != nil {
		t.Error("BuildKit compares FROM's base with stage names in lower case; Base is an image")
	}
	if len(base.Instructions) != 1 || base.Instructions[0].Stage != base || base.From.Stage != base {
		t.Errorf("instructions of base: %v", base.Instructions)
	}
	for target, want := range map[string]*dockerfile.Stage{"": third, "BASE": base, "1": second, "3": nil, "-1": nil, "x": nil} {
		if got := f.Final(target); got != want {
			t.Errorf("target %q is %v", target, got)
		}
	}
	if none := parse(t, "ARG A\n"); none.Final("") != nil || len(none.Needed("")) != 0 {
		t.Error("a file without stages has a final one")
	}
}

func TestBaseRef(t *testing.T) {
	none := map[string]string{}
	for _, c := range []struct {
		name, src string
		args      map[string]string
		want      string
		ok        bool
	}{
		{"literal", "FROM debian:12\n", nil, "debian:12", true},
		{"default", "ARG V=12\nFROM debian:$V\n", nil, "debian:12", true},
		{"argument", "ARG V=12\nFROM debian:$V\n", map[string]string{"V": "13"}, "debian:13", true},
		{"argument that isn't declared", "FROM debian:${V:-12}\n", map[string]string{"V": "13"}, "debian:12", true},
		{"no default, arguments unknown", "ARG V\nFROM debian:$V\n", nil, "", false},
		{"no default, arguments known", "ARG V\nFROM debian:${V:-12}\n", none, "debian:12", true},
		{"default in place, arguments unknown", "ARG V\nFROM debian:${V:-12}\n", nil, "", false},
		{"default of a default", "ARG A\nARG V=${A}2\nFROM debian:$V\n", nil, "", false},
		{"declared again", "ARG V=12\nARG V\nFROM debian:$V\n", nil, "debian:12", true},
		{"default twice", "ARG V=12\nARG V=13\nFROM debian:$V\n", nil, "debian:13", true},
		{"ARG of a stage", "FROM a AS x\nARG V=12\nFROM debian${V}\n", nil, "debian", true},
		{"platform", "FROM debian-$TARGETARCH\n", none, "", false},
		{"platform given", "FROM debian-$TARGETARCH\n", map[string]string{"TARGETARCH": "arm64"}, "debian-arm64", true},
		{"blank", "ARG V=\nFROM $V\n", none, "", false},
		{"malformed", "FROM ${V\n", none, "", false},
		{"quotes", "ARG V=\"12\"\nFROM debian:$V\n", nil, "debian:12", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := parse(t, c.src)
			got, ok := f.BaseRef(f.Final(""), c.args)
			if got != c.want || ok != c.ok {
				t.Errorf("got %q, %t; want %q, %t", got, ok, c.want, c.ok)
			}
		})
	}
}

func TestGlobalArg(t *testing.T) {
	f := parse(t, "ARG A=1\nARG B=$A\nARG C\nFROM --platform=linux/$B debian\nARG D=1\n")
	for name, want := range map[string]string{"A": "2", "B": "2", "C": "-", "D": "-", "TARGETARCH": "arm64", "TARGETOS": "-"} {
		got, ok := f.GlobalArg(name, map[string]string{"A": "2", "TARGETARCH": "arm64"})
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got, ok := f.PlatformRef(f.Stages[0], nil); got != "linux/1" || !ok {
		t.Errorf("platform is %q, %t", got, ok)
	}
}
