package frontend

import (
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/attestations/sbom"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// scanOf is what BuildKit's frontend asks for: a scan of image.
func scanOf(t *testing.T, image llb.State, extras map[string]llb.State, params map[string]string, opts ...llb.ConstraintsOpt) *pb.Definition {
	t.Helper()
	d := newDaemon("", nil)
	d.images[self] = scanner
	platform := ocispec.Platform{OS: "linux", Architecture: "amd64"}
	scan, err := sbom.CreateSBOMScanner(t.Context(), d, self, platform, sourceresolver.Opt{}, params)
	if err != nil {
		t.Fatal(err)
	}
	a, err := scan(t.Context(), "linux/amd64", image, extras, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return marshal(t, *a.Ref)
}

func marshal(t *testing.T, st llb.State) *pb.Definition {
	t.Helper()
	def, err := st.Marshal(t.Context(), llb.LinuxAmd64, llb.LocalUniqueID("one"))
	if err != nil {
		t.Fatal(err)
	}
	return def.ToPB()
}

// inSteps takes a scan apart, with all stages that the image copies from.
func inSteps(t *testing.T, def *pb.Definition) *pb.Definition {
	t.Helper()
	g, err := readGraph(def)
	if err != nil {
		t.Fatal(err)
	}
	got, err := scanInSteps(def, g, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// aScan is one scanner's step as it is asked for.
type aScan struct {
	root, below, kept string // digests of what is scanned, and from what
	env               map[string]string
	meta              *pb.OpMetadata
}

// scansOf lists the scans of a definition in the order of their making. It
// fails where the definition doesn't hold together.
func scansOf(t *testing.T, def *pb.Definition) []aScan {
	t.Helper()
	seen := map[string]*pb.Op{}
	var found []aScan
	for _, data := range def.Def {
		op := &pb.Op{}
		if err := op.UnmarshalVT(data); err != nil {
			t.Fatal(err)
		}
		for _, in := range op.Inputs {
			if seen[in.Digest] == nil {
				t.Fatalf("an op stands before its input %s", in.Digest)
			}
		}
		dgst := digest.FromBytes(data).String()
		seen[dgst] = op
		exec := op.GetExec()
		if env(exec, envScanSource) == "" {
			continue
		}
		s := aScan{env: map[string]string{}, meta: def.Metadata[dgst]}
		for _, e := range exec.Meta.Env {
			k, v, _ := strings.Cut(e, "=")
			s.env[k] = v
		}
		input := func(dest string) string {
			m := mountAt(exec, dest)
			if m == nil || m.Input < 0 {
				return ""
			}
			if !m.Readonly {
				t.Errorf("%s can be written to", dest)
			}
			return op.Inputs[m.Input].Digest
		}
		s.root, s.below, s.kept = input(s.env[envScanSource]), input(scanBelow+"/root"), input(scanBelow+"/scan")
		if changed := input(scanChanged); changed != "" {
			diff := seen[changed]
			if diff.GetDiff() == nil || diff.Inputs[0].Digest != s.below || diff.Inputs[1].Digest != s.root {
				t.Errorf("%v is not what the root has more than what lies below it", diff)
			}
		}
		found = append(found, s)
	}
	return found
}

// head is the digest of a state's topmost op.
func head(t *testing.T, st llb.State) string {
	t.Helper()
	list := ops(marshal(t, st))
	return list[len(list)-1].Inputs[0].Digest
}

func TestScanInSteps(t *testing.T) {
	platform := llb.LinuxAmd64
	base := llb.Image("docker.io/library/node:20", platform)
	context := llb.Local("context", llb.SharedKeyHint("context"))
	run := func(st llb.State, command string, opts ...llb.RunOption) llb.State {
		return st.Run(append(opts, llb.Shlex(command), platform)...).Root()
	}
	copied := func(st, from llb.State, paths ...string) llb.State {
		for _, p := range paths {
			st = st.File(llb.Copy(from, p, "/app/"), platform)
		}
		return st
	}
	apt := run(base, "apt-get install curl")
	installed := run(copied(apt, context, "/package.json", "/package-lock.json"), "npm ci")
	compiled := run(copied(installed, context, "/src"), "npm run build")
	for _, tc := range []struct {
		name  string
		image llb.State
		kept  []llb.State // what is scanned and kept, the lowest first
	}{
		{"sources onto an installation", copied(installed, context, "/"), []llb.State{installed}},
		{"what runs behind the sources", run(copied(installed, context, "/"), "npm run build"), []llb.State{installed}},
		{"a context that is copied whole hides what comes behind", copied(run(copied(apt, context, "/"), "make"), context, "/etc/app.conf"), []llb.State{apt}},
		{"two folders, one above the other", copied(compiled, context, "/public"), []llb.State{installed, compiled}},
		{"two folders at a time", copied(installed, context, "/src", "/public"), []llb.State{installed}},
		{"one file alone", copied(apt, context, "/server.js"), []llb.State{apt}},
		{"what another stage made of the sources", copied(apt, run(copied(base, context, "/"), "make"), "/out"), []llb.State{apt}},
		{"sources in a mount", run(apt, "make install", llb.AddMount("/src", context, llb.Readonly)), []llb.State{apt}},
		{"with --link", llb.Merge([]llb.State{apt, copied(llb.Scratch(), context, "/")}), []llb.State{apt}},
		{"a git repository", copied(apt, llb.Git("https://example.com/app.git", "main"), "/"), []llb.State{apt}},
		{"no sources", apt, nil},
		{"another stage without sources", copied(apt, run(base, "make"), "/out"), nil},
		{"sources onto nothing", copied(llb.Scratch(), context, "/"), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			def := scanOf(t, tc.image, nil, nil)
			got := inSteps(t, def)
			if got == nil {
				t.Fatal("it was left whole")
			}
			scans := scansOf(t, got)
			if len(scans) != len(tc.kept)+1 {
				t.Fatalf("%d scans", len(scans))
			}
			below := ""
			for i, s := range scans {
				want, keep := tc.image, ""
				if i < len(tc.kept) {
					want, keep = tc.kept[i], "true"
				}
				if s.root != head(t, want) || s.below != below || s.env[envScanKeep] != keep || (s.kept == "") != (i == 0) {
					t.Errorf("scan %d is of %s, onto %s, with %v", i, s.root, s.below, s.env)
				}
				below = s.root
			}
		})
	}
}

// The kept scan must stay the same while only the sources change, and the last
// one must be what BuildKit's frontend asked for.
func TestScanInStepsKeeps(t *testing.T) {
	apt := llb.Image("docker.io/library/node:20", llb.LinuxAmd64).Run(llb.Shlex("apt-get install curl"), llb.LinuxAmd64).Root()
	context := llb.Local("context")
	extras := map[string]llb.State{"context": context}
	steps := func(image llb.State, epoch string) []aScan {
		def := scanOf(t, image, extras, map[string]string{"SOURCE_DATE_EPOCH": epoch, "depth": "2"}, llb.IgnoreCache)
		return scansOf(t, inSteps(t, def))
	}
	one := steps(apt.File(llb.Copy(context, "/", "/app/"), llb.LinuxAmd64), "7")
	two := steps(apt.File(llb.Copy(context, "/", "/srv/"), llb.LinuxAmd64), "8")
	kept, last := one[0], one[1]
	if last.kept != two[1].kept || last.kept == "" {
		t.Error("the scan that is kept depends on the sources, or on the time")
	}
	if kept.env["BUILDKIT_SCAN_depth"] != "2" || kept.env[envScanMayFail] != "true" || kept.env[envScanExtras] != "" {
		t.Errorf("the scan that is kept has %v", kept.env)
	}
	if last.env[envScanEpoch] != "7" || last.env[envScanExtras] == "" || last.env[envScanMayFail] != "" {
		t.Errorf("the last scan has %v", last.env)
	}
	if !kept.meta.IgnoreCache || !last.meta.IgnoreCache {
		t.Error("--no-cache is lost")
	}
	if name := last.meta.Description[customName]; !strings.HasPrefix(name, "[linux/amd64] generating sbom using ") {
		t.Errorf("the last scan is named %q", name)
	}
}

func TestOnlyScansAreTakenApart(t *testing.T) {
	for name, st := range map[string]llb.State{
		"scratch": llb.Scratch(),
		"a build": llb.Image("docker.io/library/node:20").Run(llb.Shlex("make")).Root(),
		"files":   llb.Scratch().File(llb.Mkdir("/x", 0o755)),
	} {
		if got := inSteps(t, marshal(t, st)); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
