package frontend

import (
	"context"
	"testing"

	"github.com/imgmgr/imgmgr/lint"
)

func TestSwitches(t *testing.T) {
	for _, tc := range []struct {
		name, dockerfile string
		opts             map[string]string
		rewrite          lint.RewriteMode
		sbom             lint.SBOMMode
		warning          []string
	}{
		{name: "default", dockerfile: twoSteps, rewrite: lint.RewriteAll},
		{name: "build argument", dockerfile: twoSteps, opts: map[string]string{"build-arg:IMGMGR_REWRITE": "off", "build-arg:IMGMGR_SBOM": "on"}, rewrite: lint.RewriteOff, sbom: lint.SBOMOn},
		{name: "empty build argument", dockerfile: twoSteps, opts: map[string]string{"build-arg:IMGMGR_REWRITE": ""}, rewrite: lint.RewriteAll},
		{name: "comment", dockerfile: "# imgmgr: rewrite=cache sbom=OFF # slow registry\n" + twoSteps, rewrite: lint.RewriteCache, sbom: lint.SBOMOff},
		{name: "comment inside an instruction", dockerfile: "FROM debian:12\nRUN true && \\\n  # imgmgr: rewrite=off\n  true\n", rewrite: lint.RewriteAll},
		{name: "comment above an instruction", dockerfile: "FROM debian:12\n# imgmgr: rewrite=off sbom=off\nRUN true\n", rewrite: lint.RewriteAll, sbom: lint.SBOMOff},
		{name: "comment of its own", dockerfile: "FROM debian:12\n# imgmgr: rewrite=off\n\nRUN true\n", rewrite: lint.RewriteOff},
		{name: "unknown value above an instruction", dockerfile: "FROM debian:12\n# imgmgr: rewrite=of\nRUN true\n", rewrite: lint.RewriteAll, warning: []string{"line 2", "rewrite=of"}},
		{name: "syntax line", dockerfile: twoSteps, opts: map[string]string{"cmdline": "imgmgr/frontend:1 rewrite=off sbom=off"}, rewrite: lint.RewriteOff, sbom: lint.SBOMOff},
		{
			name: "the build argument wins over the comment, the comment over the syntax line", dockerfile: "# imgmgr: rewrite=cache sbom=on\n" + twoSteps,
			opts:    map[string]string{"cmdline": "imgmgr/frontend rewrite=off sbom=off", "build-arg:IMGMGR_REWRITE": "all"},
			rewrite: lint.RewriteAll, sbom: lint.SBOMOn,
		},
		{name: "text of a heredoc", dockerfile: "FROM debian:12\nRUN <<EOF\n# imgmgr: rewrite=off\nEOF\n", rewrite: lint.RewriteAll},
		{name: "ignore comment", dockerfile: "# imgmgr: ignore=all # rewrite=off is not meant\n" + twoSteps, rewrite: lint.RewriteAll},
		{name: "unknown value of an argument", dockerfile: twoSteps, opts: map[string]string{"build-arg:IMGMGR_REWRITE": "of"}, rewrite: lint.RewriteAll, warning: []string{"IMGMGR_REWRITE", "rewrite=of", "all, cache, off"}},
		{name: "unknown value in a comment", dockerfile: "FROM debian:12\n# imgmgr: sbom=maybe\n", rewrite: lint.RewriteAll, warning: []string{"line 2", "sbom=maybe", "on, off"}},
		{name: "unknown name", dockerfile: "# imgmgr: speed=full\n" + twoSteps, rewrite: lint.RewriteAll, warning: []string{"line 1", "speed=full", "rewrite or sbom"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDaemon(tc.dockerfile, tc.opts)
			got := open(context.Background(), d, nil).on
			if got.Rewrite != tc.rewrite || got.SBOM != tc.sbom {
				t.Errorf("rewrite is %q, sbom is %q", got.Rewrite, got.SBOM)
			}
			switch {
			case tc.warning == nil:
				requireNoWarnings(t, d)
			case len(d.warned) != 1 || !hasMessage(d.messages(), tc.warning...):
				t.Errorf("warned: %q", d.messages())
			}
		})
	}
}

func TestRewritingIsSteered(t *testing.T) {
	hoist := hoistRule()
	hoist.Reorders = true
	for mode, mounts := range map[string]int{"all": 2, "cache": 2, "off": 1} {
		d := newDaemon(twoSteps, map[string]string{"build-arg:IMGMGR_REWRITE": mode})
		runs(t, d, hoist, mountRule())
		def, dgst, exec := step(t, d)
		if len(exec.Mounts) != mounts {
			t.Errorf("%s: mounts %v", mode, exec.Mounts)
		}
		hoisted := hasMessage([]string{def.Metadata[dgst].Description[customName]}, "move it")
		if hoisted != (mode == "all") {
			t.Errorf("%s: moved is %v", mode, hoisted)
		}
	}
}
