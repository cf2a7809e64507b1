package frontend

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
)

// imageDaemon runs the frontend from an image, as a real one does.
type imageDaemon struct {
	*daemon
	self string
}

func (d imageDaemon) CurrentFrontend() (*llb.State, error) {
	if d.self == "" {
		return nil, nil
	}
	st := llb.Image(d.self)
	if strings.HasPrefix(d.self, "local://") {
		st = llb.Local(strings.TrimPrefix(d.self, "local://"))
	}
	return &st, nil
}

const (
	self     = "registry.example/imgmgr@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	syft     = "docker.io/docker/buildkit-syft-scanner:stable-1"
	scanner  = `{"architecture":"amd64","os":"linux","config":{"Entrypoint":["/scan"]},"rootfs":{"type":"layers","diff_ids":["sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]}}`
	noScan   = `{"architecture":"amd64","os":"linux","config":{}}`
	fallback = "registry.example/imgmgr:1"
)

// provenance are the options of a build by buildx, with one more.
func provenance(more ...string) map[string]string {
	opts := map[string]string{"attest:provenance": "mode=min,inline-only=true"}
	for i := 0; i+1 < len(more); i += 2 {
		opts[more[i]] = more[i+1]
	}
	return opts
}

func TestSBOM(t *testing.T) {
	for _, tc := range []struct {
		name      string
		opts      map[string]string
		self      string
		images    map[string]string
		noCaps    bool
		generator string // "" for no SBOM
		inline    bool
		params    []string
		warning   []string
	}{
		{name: "by default", self: self, opts: provenance(), generator: self, inline: true, params: []string{"BUILDKIT_SCAN_OPTIONAL=true"}},
		{name: "without provenance", self: self},
		{name: "with provenance by BuildKit's own argument", self: self, opts: map[string]string{"build-arg:BUILDKIT_ATTEST_PROVENANCE": "mode=max"}, generator: self, inline: true},
		{name: "of a reproducible build", self: self, opts: provenance("build-arg:SOURCE_DATE_EPOCH", "7"), generator: self, inline: true, params: []string{"BUILDKIT_SCAN_SOURCE_DATE_EPOCH=7"}},
		{name: "off", self: self, opts: provenance("build-arg:IMGMGR_SBOM", "off")},
		{name: "on", self: self, opts: map[string]string{"build-arg:IMGMGR_SBOM": "on"}, generator: self},
		{name: "--sbom=true", self: self, opts: map[string]string{"attest:sbom": ""}, generator: self},
		{name: "--sbom=true wins over off", self: self, opts: map[string]string{"attest:sbom": "", "build-arg:IMGMGR_SBOM": "off"}, generator: self},
		{name: "by BuildKit's own argument", self: self, opts: map[string]string{"build-arg:BUILDKIT_ATTEST_SBOM": ""}, generator: self},
		{name: "with parameters", self: self, opts: map[string]string{"attest:sbom": "depth=2"}, generator: self, params: []string{"BUILDKIT_SCAN_depth=2"}},
		{name: "with a generator", self: self, opts: map[string]string{"attest:sbom": "generator=" + syft}, generator: syft},
		{name: "an old daemon doesn't tell the digest", opts: provenance("source", fallback), generator: fallback, inline: true},
		{name: "from a local folder", self: "local://frontend", opts: provenance()},
		{name: "the daemon holds no attestations", self: self, opts: provenance(), noCaps: true},
		{name: "asked, but the daemon holds none", self: self, noCaps: true, opts: map[string]string{"attest:sbom": ""}, warning: []string{"cannot hold attestations"}},
		{name: "the image is gone", self: self, opts: provenance(), images: map[string]string{self: "gone"}, warning: []string{"no SBOM", "not found"}},
		{name: "the image does not run", self: self, opts: provenance(), images: map[string]string{self: noScan}, warning: []string{"no SBOM", "entrypoint"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDaemon(twoSteps, tc.opts)
			for _, ref := range []string{self, syft, fallback} {
				d.images[ref] = scanner
			}
			for ref, config := range tc.images {
				if d.images[ref] = config; config == "gone" {
					delete(d.images, ref)
				}
			}
			if tc.noCaps {
				all := pb.Caps.All()
				caps := pb.Caps.CapSet(all[:0:0])
				for i := range all {
					if all[i].ID == string(pb.CapAttestations) {
						all = append(all[:i:i], all[i+1:]...)
						caps = pb.Caps.CapSet(all)
						break
					}
				}
				d.caps = &caps
			}
			res, err := run(t.Context(), imageDaemon{d, tc.self}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !tc.noCaps {
				checkSBOM(t, d, res, tc.generator, tc.inline, tc.params)
			}
			if len(d.warned) > 0 && tc.warning == nil || !hasMessage(append(d.messages(), ""), tc.warning...) {
				t.Errorf("warned: %q", d.messages())
			}
		})
	}
}

func checkSBOM(t *testing.T, d *daemon, res *client.Result, generator string, inline bool, params []string) {
	t.Helper()
	var found []string
	for _, list := range res.Attestations {
		for _, a := range list {
			found = append(found, string(a.Metadata["inline-only"]))
			if _, ok := a.Ref.(*tree); !ok {
				t.Errorf("the SBOM's reference is a %T", a.Ref)
			}
		}
	}
	if generator == "" {
		if len(found) != 0 {
			t.Errorf("%d SBOMs were made", len(found))
		}
		return
	}
	want := ""
	if inline {
		want = "true"
	}
	if !slices.Equal(found, []string{want}) {
		t.Fatalf("SBOMs and whether they are inline only: %q, not %q", found, want)
	}
	for _, def := range d.built() {
		for _, op := range ops(def) {
			if !slices.Contains(op.GetExec().GetMeta().GetArgs(), "/scan") {
				continue
			}
			if slices.Contains(op.GetExec().Meta.Env, envScanKeep+"=true") {
				continue // see TestScanInStepsKeeps
			}
			for _, p := range params {
				if !slices.Contains(op.GetExec().Meta.Env, p) {
					t.Errorf("the scanner has %q, without %s", op.GetExec().Meta.Env, p)
				}
			}
		}
		for _, op := range ops(def) {
			if op.GetSource().GetIdentifier() == "docker-image://"+generator {
				return
			}
		}
	}
	t.Errorf("no step runs %s", generator)
}
