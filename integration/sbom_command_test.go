//go:build linux

package integration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// TestSBOMCommand reads what a build attached, and has the user's builder make an
// SBOM of an image that has none.
func TestSBOMCommand(t *testing.T) {
	plugin := t.TempDir() + "/docker-imgmgr"
	if out, err := command(t, "..", "go", "build", "-o", plugin, "./cmd/docker-imgmgr"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := folder(t, small)
	with, without, layout := sb.Registry+"/sbom-with:1", sb.Registry+"/sbom-without:1", filepath.Join(t.TempDir(), "layout")
	build(t, sandbox.BuildRequest{Context: dir, Frontend: frontendRef, Push: with, Attests: sandbox.BuildxAttests()})
	build(t, sandbox.BuildRequest{Context: dir, Push: without})
	if out, err := command(t, dir, "buildx", "build", "--provenance=false", "--output", "type=oci,tar=false,dest="+layout, "."); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, tc := range []struct {
		name  string
		args  []string
		want  string
		fails bool
	}{
		{"attached", []string{"registry:" + with}, "npm   small  1.0.0    -        Dockerfile:7", false},
		{"attached, by instruction", []string{"--by", "instruction", with}, "Dockerfile:7  COPY package.json package-lock.json /app/\n  1 package, in layer sha256:", false},
		{"made of an image in a registry", []string{"--scanner", frontendRef, "registry:" + without}, "npm   small  1.0.0    -        -", false},
		{"made of a layout", []string{"--scanner", frontendRef, "oci:" + layout}, "npm   small  1.0.0    -        -", false},
		{"none attached", []string{"--attached", "registry:" + without}, "no SBOM is attached to it", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, err := command(t, dir, plugin, append([]string{"sbom"}, tc.args...)...)
			if (err != nil) != tc.fails || !strings.Contains(out, tc.want) {
				t.Errorf("%v: want %q in\n%s", err, tc.want, out)
			}
		})
	}
	saved := filepath.Join(dir, "app.spdx.json")
	if out, err := command(t, dir, plugin, "sbom", "--format", "spdx", "--output", saved, "registry:"+with); err != nil || out != "" {
		t.Errorf("%v\n%s", err, out)
	}
	if text, err := os.ReadFile(saved); err != nil || !strings.Contains(string(text), `"name": "small"`) {
		t.Errorf("%v: the SBOM that was saved is\n%s", err, text)
	}
}
