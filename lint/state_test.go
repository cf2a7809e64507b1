package lint_test

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/linttest"
)

// stateAt returns what is in force before the last instruction of src.
func stateAt(t *testing.T, src string, fc facts.Context) (s lint.State) {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	probe := &lint.Rule{Name: "Probe", Run: func(p *lint.Pass) error {
		s = p.State(f.Instructions[len(f.Instructions)-1])
		return nil
	}}
	if _, err := lint.Check(context.Background(), f, fc, []*lint.Rule{probe}); err != nil {
		t.Fatal(err)
	}
	return s
}

func world(config ocispec.ImageConfig) facts.Context {
	return facts.Context{
		Args:   map[string]string{"PASSED": "passed"},
		Images: linttest.Images{"base:1": {Digest: "sha256:1", Config: ocispec.Image{Config: config}}},
	}
}

func TestStateOfTheBaseImage(t *testing.T) {
	fc := world(ocispec.ImageConfig{User: "1000:1001", WorkingDir: "/srv", Env: []string{"HOME=/home/app", "A=1"}, Volumes: map[string]struct{}{"/data/": {}}})
	s := stateAt(t, "FROM base:1\nRUN x\n", fc)
	if s.UID != 1000 || s.GID != 1001 || !s.UIDKnown || !s.GIDKnown || s.Home != "/home/app" || !s.HomeKnown || s.Workdir != "/srv" || !s.EnvKnown {
		t.Errorf("got %+v", s)
	}
	if diff := cmp.Diff([]string{"/data"}, s.Volumes); diff != "" {
		t.Error(diff)
	}
}

func TestStateFollowsInstructions(t *testing.T) {
	src := `FROM base:1 AS first
ARG LOST=lost
ENV KEPT=$LOST-$PASSED A=2
WORKDIR /a
WORKDIR b
USER app
FROM first
ARG PASSED
WORKDIR $PASSED
SHELL ["/bin/bash", "-c"]
RUN x
`
	s := stateAt(t, src, world(ocispec.ImageConfig{Env: []string{"A=1"}}))
	want := map[string]string{"LOST": "lost", "KEPT": "lost-", "A": "2", "PASSED": "passed"}
	if diff := cmp.Diff(want, s.Env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if s.Workdir != "/a/b/passed" || !s.WorkdirKnown {
		t.Errorf("working directory %q", s.Workdir)
	}
	if s.User != "app" || s.UIDKnown || s.HomeKnown {
		t.Errorf("a named user's number and home are not known without its passwd: %+v", s)
	}
	if diff := cmp.Diff([]string{"/bin/bash", "-c"}, s.Shell); diff != "" {
		t.Error(diff)
	}
}

// TestStateAgreesWithBuildKit compares variables with those that BuildKit's
// converter gives to a RUN: the later of ARG and ENV wins within a stage, the
// next stage gets ARGs, and the image's own variables again.
func TestStateAgreesWithBuildKit(t *testing.T) {
	fc := world(ocispec.ImageConfig{Env: []string{"PATH=/bin", "A=image", "B=image", "C=image"}})
	src := `ARG GLOBAL=global
FROM base:1 AS first
ARG A=arg
ARG D=arg PASSED=default
ENV B=env D=env E=env
ARG B=arg
ARG E
ARG GLOBAL
RUN first
FROM first
ENV F=$B$GLOBAL
ARG C=arg
RUN second
`
	for stage, text := range map[string]string{"one": src[:strings.Index(src, "FROM first")], "two": src} {
		low, err := linttest.Lower(t.Context(), []byte(text), fc)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for name, value := range stateAt(t, text, fc).Env {
			got = append(got, name+"="+value)
		}
		slices.Sort(got)
		if diff := cmp.Diff(low.Top.Env, got); diff != "" {
			t.Errorf("%s: environment (-BuildKit +ours):\n%s", stage, diff)
		}
	}
}

func TestStateKnowsRootsHome(t *testing.T) {
	for _, user := range []string{"", "root", "0", "0:0"} {
		s := stateAt(t, "FROM base:1\nRUN x\n", world(ocispec.ImageConfig{User: user}))
		if s.Home != "/root" || !s.HomeKnown || s.UID != 0 || !s.UIDKnown {
			t.Errorf("user %q: %+v", user, s)
		}
	}
}

func TestStateOfTheUnknown(t *testing.T) {
	for name, fc := range map[string]facts.Context{
		"no facts":         {},
		"no such image":    {Args: map[string]string{}, Images: linttest.Images{}},
		"replaced by name": {Args: map[string]string{}, Images: linttest.Images{"base:1": {}}, Named: map[string]fs.FS{"base:1": nil}},
	} {
		s := stateAt(t, "FROM base:1\nRUN x\n", fc)
		if s.EnvKnown || s.HomeKnown || s.UIDKnown || s.WorkdirKnown || s.ShellKnown {
			t.Errorf("%s: claims to know %+v", name, s)
		}
		s = stateAt(t, "FROM base:1\nWORKDIR /w\nUSER 5\nENV HOME=/h\nRUN x\n", fc)
		if s.Workdir != "/w" || !s.WorkdirKnown || s.UID != 5 || s.Home != "/h" || !s.HomeKnown {
			t.Errorf("%s: what the Dockerfile says is known: %+v", name, s)
		}
	}
}

func TestStateOfAnotherBuild(t *testing.T) {
	other := `FROM base:1 AS first
ARG EARLY=1
FROM first
ARG OWN=2
ARG KEPT=changed
ENV MADE=$OWN
SHELL ["bash", "-c"]
VOLUME /v
WORKDIR /w
USER 5
FROM scratch AS last
`
	lower := world(ocispec.ImageConfig{Env: []string{"KEPT=image"}})
	lowest := lower
	lower.Target = "1"
	fc := facts.Context{
		Args: map[string]string{}, Named: map[string]fs.FS{"app": nil, "empty": nil, "both": nil},
		Bases: map[string][]*facts.Build{
			"app":   {{Path: "other", Source: []byte(other), Facts: lower}},
			"empty": {{Path: "other", Source: []byte(other), Facts: facts.Context{}}},
			"both": {
				{Path: "other", Source: []byte(other), Facts: lower},
				{Path: "another", Source: []byte("FROM base:1\nENV MADE=3 MORE=1\nSHELL [\"bash\", \"-c\"]\nVOLUME /u\nWORKDIR /w\nUSER 6\n"), Facts: lowest},
			},
		},
	}
	s := stateAt(t, "FROM docker.io/library/app:latest\nRUN x\n", fc)
	if s.UID != 5 || !s.UIDKnown || s.Workdir != "/w" || !s.EnvKnown || !slices.Equal(s.Shell, []string{"bash", "-c"}) || !slices.Equal(s.Volumes, []string{"/v"}) {
		t.Errorf("got %+v", s)
	}
	if diff := cmp.Diff(map[string]string{"KEPT": "image", "MADE": "2"}, s.Env); diff != "" {
		t.Errorf("an image has no ARGs (-want +got):\n%s", diff)
	}
	if s.Image != nil {
		t.Error("what is known of the image below isn't true of the one on top")
	}
	if s = stateAt(t, "FROM empty\nRUN x\n", fc); s.Scratch || !s.UIDKnown || s.UID != 0 {
		t.Errorf("what is made from scratch isn't scratch: %+v", s)
	}
	s = stateAt(t, "FROM both\nRUN x\n", fc)
	if s.UIDKnown || s.User != "5 or 6" || s.Workdir != "/w" || !s.WorkdirKnown || !s.ShellKnown || !slices.Equal(s.Volumes, []string{"/u", "/v"}) {
		t.Errorf("of two, what both have is known: %+v", s)
	}
	for name, want := range map[string]bool{"KEPT": true, "MADE": false, "MORE": false, "NONE": true} {
		if _, _, known := s.Lookup(name); known != want {
			t.Errorf("of two, %s is known: %v", name, known)
		}
	}
	if s = stateAt(t, "FROM other AS app\nRUN x\n", fc); s.UIDKnown {
		t.Errorf("a context that stands for a stage: %+v", s)
	}
	if s = stateAt(t, "FROM base:1 AS a\nFROM app:2\nRUN x\n", fc); s.UIDKnown {
		t.Errorf("another tag is another image: %+v", s)
	}
}

func TestStateOfPlatformArguments(t *testing.T) {
	src := "FROM base:1\nARG TARGETARCH\nENV ARCH=$TARGETARCH\nENV HOME=/home/$TARGETARCH\nRUN x\n"
	s := stateAt(t, src, world(ocispec.ImageConfig{Env: []string{"A=1"}}))
	if _, set, known := s.Lookup("ARCH"); !set || known {
		t.Errorf("ARCH is set (%v) to what nobody knows (%v)", set, known)
	}
	if s.HomeKnown {
		t.Errorf("home %q rests on an unknown value", s.Home)
	}
	if v, set, known := s.Lookup("A"); v != "1" || !set || !known {
		t.Error("the base image's own variable is known")
	}
	if _, set, known := s.Lookup("B"); set || !known {
		t.Error("a variable that nobody sets is known to be unset")
	}
}
