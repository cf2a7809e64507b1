package frontend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/imgmgr/imgmgr/lint"
)

const twoSteps = "FROM debian:12\nCOPY . .\n# tools\nRUN npm \\\n  ci\n"

func runs(t *testing.T, d *daemon, rules ...*lint.Rule) *client.Result {
	t.Helper()
	res, err := run(context.Background(), d, rules)
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return res
}

// step finds the one definition that was built and its exec step.
func step(t *testing.T, d *daemon) (*pb.Definition, string, *pb.ExecOp) {
	t.Helper()
	built := d.built()
	if len(built) != 1 {
		t.Fatalf("%d definitions were built, not one", len(built))
	}
	for dgst := range built[0].Source.Locations {
		for i, op := range ops(built[0]) {
			if exec := op.GetExec(); exec != nil && dgst == digestOf(built[0].Def[i]) {
				return built[0], dgst, exec
			}
		}
	}
	t.Fatal("no RUN was built")
	return nil, "", nil
}

func lines(loc *pb.Locations) (out [][2]int32) {
	for _, l := range loc.GetLocations() {
		for _, r := range l.Ranges {
			out = append(out, [2]int32{r.Start.Line, r.End.Line})
		}
	}
	return out
}

func TestTheRewriteIsBuilt(t *testing.T) {
	d := newDaemon(twoSteps, nil)
	res := runs(t, d, mountRule())
	def, dgst, exec := step(t, d)

	if !slices.ContainsFunc(exec.Mounts, func(m *pb.Mount) bool { return m.Dest == "/planted" && m.MountType == pb.MountType_CACHE }) {
		t.Errorf("the cache mount did not reach the build: %v", exec.Mounts)
	}
	for _, info := range def.Source.Infos {
		if string(info.Data) != twoSteps {
			t.Errorf("the source is not the user's text: %q", info.Data)
		}
	}
	if got := lines(def.Source.Locations[dgst]); !slices.Equal(got, [][2]int32{{4, 4}, {5, 5}}) {
		t.Errorf("the RUN is at lines %v, not 4 to 5", got)
	}
	if got, want := def.Metadata[dgst].Description[customName], "[3/3] RUN npm   ci  [imgmgr: add a cache mount]"; got != want {
		t.Errorf("the step is named %q, not %q", got, want)
	}
	if _, ok := res.Ref.(*tree); !ok {
		t.Errorf("the result's reference is a %T, which is not the gateway's own", res.Ref)
	}
	requireNoWarnings(t, d)
}

func TestMovedLinesKeepTheirPlace(t *testing.T) {
	d := newDaemon(twoSteps, nil)
	runs(t, d, hoistRule(), mountRule())
	def, dgst, _ := step(t, d)

	if got := lines(def.Source.Locations[dgst]); !slices.Equal(got, [][2]int32{{4, 4}, {5, 5}}) {
		t.Errorf("the RUN is at lines %v, not 4 to 5", got)
	}
	want := "[2/3] RUN npm   ci  [imgmgr: move it above COPY; add a cache mount]"
	if got := def.Metadata[dgst].Description[customName]; got != want {
		t.Errorf("the step is named %q, not %q", got, want)
	}
	for other, loc := range def.Source.Locations {
		if name := def.Metadata[other].GetDescription()[customName]; strings.Contains(name, "COPY . .") {
			if got := lines(loc); !slices.Equal(got, [][2]int32{{2, 2}}) {
				t.Errorf("COPY is at lines %v, not 2", got)
			}
		}
	}
}

func TestAnAddedStageDoesNotRenameTheUsersStages(t *testing.T) {
	for _, tc := range []struct{ dockerfile, want string }{
		{"FROM debian:12\nRUN true\n", "[2/2] RUN true"},
		{"FROM debian:12 AS app\nRUN true\n", "[2/2] RUN true"},
		{"FROM debian:12 AS base\nFROM base\nRUN true\n", "[stage-1 1/1] RUN true"},
		{"FROM debian:12 AS base\nFROM base AS app\nRUN true\n", "[app 1/1] RUN true"},
	} {
		d := newDaemon(tc.dockerfile, nil)
		runs(t, d, stageRule())
		def, dgst, _ := step(t, d)
		if got := def.Metadata[dgst].Description[customName]; got != tc.want {
			t.Errorf("%q: the step is named %q, not %q", tc.dockerfile, got, tc.want)
		}
	}
}

func TestNothingToRewrite(t *testing.T) {
	d := newDaemon(twoSteps, nil)
	runs(t, d)
	_, _, exec := step(t, d)
	if len(exec.Mounts) != 1 {
		t.Errorf("mounts: %v", exec.Mounts)
	}
	requireNoWarnings(t, d)
}

// BuildKit's warnings are those of the text as written: each once, with its
// lines, and none that only a rewrite gives rise to.
func TestWarningsAreOfTheTextAsWritten(t *testing.T) {
	src := "from debian:12\ncopy . .\nrun true\ncmd echo $HOME\n"
	for _, rules := range [][]*lint.Rule{nil, {hoistRule()}, {hoistRule(), stageRule(), mountRule()}} {
		d := newDaemon(src, nil)
		runs(t, d, rules...)
		if len(d.warned) != 1 || !strings.HasPrefix(d.warned[0].message, "JSONArgsRecommended: ") || !strings.HasSuffix(d.warned[0].message, "(line 4)") {
			t.Fatalf("with %d rules, warned: %q", len(rules), d.messages())
		}
		w := d.warned[0].opts
		if string(w.SourceInfo.Data) != src || w.Range[0].Start.Line != 4 {
			t.Errorf("with %d rules, the warning is at %v of %q", len(rules), w.Range, w.SourceInfo.Data)
		}
	}
}

// A file whose checks are errors fails by its own text only.
func TestChecksAsErrors(t *testing.T) {
	clean := newDaemon("#check=error=true\nfrom debian:12\nrun true\n", nil)
	runs(t, clean, stageRule()) // adds an upper case FROM
	requireNoWarnings(t, clean)

	d := newDaemon("#check=error=true\nFROM debian:12\nCOPY . .\nRUN true\nCMD echo $HOME\n", nil)
	if _, err := run(context.Background(), d, []*lint.Rule{hoistRule()}); err == nil || !strings.Contains(err.Error(), "lint violation") {
		t.Errorf("a file with a violation was built: %v", err)
	}
}

func TestErrorsNameTheUsersLines(t *testing.T) {
	for _, tc := range []struct {
		name, src string
		line      int32
	}{
		{"refused while lowering", "FROM debian:12\nCOPY . .\nRUN true\nADD --chmod=nonsense a b\nRUN true\n", 4},
		{"refused by the parser", "FROM debian:12\nCOPY . .\nRUN true\nNONSENSE\n", 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDaemon(tc.src, nil)
			_, err := run(context.Background(), d, []*lint.Rule{hoistRule(), stageRule()})
			sources := errdefs.Sources(err)
			if len(sources) != 1 {
				t.Fatalf("the error has %d sources: %v", len(sources), err)
			}
			if got := sources[0]; string(got.Info.Data) != tc.src || got.Ranges[0].Start.Line != tc.line {
				t.Errorf("the error is at %v of %q", got.Ranges, got.Info.Data)
			}
			requireNoWarnings(t, d)
		})
	}
}

// Whatever fails here, the user's text is built, and one warning says so.
func TestFailuresBuildTheTextAsWritten(t *testing.T) {
	for _, tc := range []struct {
		name    string
		rule    *lint.Rule
		warning string
	}{
		{"a rule panics", panicRule(), "panic: planted"},
		{"a rule fails", failingRule(), "planted failure"},
		{"BuildKit refuses the rewritten text", brokenRule(), "no-such-image"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDaemon(twoSteps, nil)
			runs(t, d, mountRule(), tc.rule)
			_, _, exec := step(t, d)
			if len(exec.Mounts) != 1 {
				t.Errorf("a rewrite was built: %v", exec.Mounts)
			}
			if len(d.warned) != 1 || !hasMessage(d.messages(), "imgmgr:", "as written", tc.warning) {
				t.Errorf("warned: %q", d.messages())
			}
		})
	}
}

// A step that fails isn't run again as written.
func TestAFailedStepIsNotRetried(t *testing.T) {
	d := newDaemon(twoSteps, nil)
	d.fail = func(def *pb.Definition) error {
		if len(def.GetSource().GetInfos()) > 0 {
			return errdefs.WrapVertex(errors.New("exit code: 1"), "sha256:of-the-step")
		}
		return nil
	}
	if _, err := run(context.Background(), d, []*lint.Rule{mountRule()}); err == nil {
		t.Fatal("the build succeeded")
	}
	if n := len(d.built()); n != 1 {
		t.Errorf("%d definitions were built, not one", n)
	}
	requireNoWarnings(t, d)
}

func TestSeveralPlatforms(t *testing.T) {
	d := newDaemon(twoSteps, map[string]string{"platform": "linux/amd64,linux/arm64"})
	res := runs(t, d, mountRule())
	if len(res.Refs) != 2 {
		t.Fatalf("the result has %d images", len(res.Refs))
	}
	built := d.built()
	if len(built) != 2 {
		t.Fatalf("%d definitions were built", len(built))
	}
	for _, def := range built {
		if !slices.ContainsFunc(ops(def), func(op *pb.Op) bool {
			return slices.ContainsFunc(op.GetExec().GetMounts(), func(m *pb.Mount) bool { return m.Dest == "/planted" })
		}) {
			t.Error("a platform was built without the rewrite")
		}
	}
	for _, ref := range res.Refs {
		if _, ok := ref.(*tree); !ok {
			t.Errorf("the result's reference is a %T", ref)
		}
	}
}

func TestASyntaxLineHandsTheBuildOn(t *testing.T) {
	for name, d := range map[string]*daemon{
		"by the Dockerfile":       newDaemon("# syntax=docker/dockerfile:1\nFROM debian:12\nRUN true\n", nil),
		"by the build's argument": newDaemon(twoSteps, map[string]string{"build-arg:BUILDKIT_SYNTAX": "docker/dockerfile:1"}),
	} {
		delete(d.opts, "cmdline")
		res := runs(t, d, mountRule(), panicRule())
		if string(res.Metadata["frontend"]) != "gateway.v0" {
			t.Errorf("%s: the build was not handed on", name)
		}
		requireNoWarnings(t, d)
	}
	d := newDaemon(twoSteps, nil) // without a syntax line there is nobody to hand it to
	delete(d.opts, "cmdline")
	runs(t, d, mountRule())
	if _, _, exec := step(t, d); len(exec.Mounts) != 2 {
		t.Error("a build that names this frontend directly was not rewritten")
	}
}

// The same bytes and the same facts give the same build.
func TestDeterminism(t *testing.T) {
	var first *pb.Definition
	for range 20 {
		d := newDaemon(twoSteps, nil)
		runs(t, d, hoistRule(), stageRule(), mountRule())
		def, _, _ := step(t, d)
		if first == nil {
			first = def
		} else if !def.EqualVT(first) {
			t.Fatal("two builds of the same text differ")
		}
	}
}
