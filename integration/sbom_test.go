//go:build linux

package integration_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// TestRebuildsScanWhatChanged edits a source file: what lies below the sources
// is not scanned again, and the SBOM is that of a scan of the whole image.
func TestRebuildsScanWhatChanged(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, source string
		dockerfile   string // "" for the project's own
		whole        bool   // the changes are such that all is scanned
		kinds        []string
	}{
		{name: "node-api", source: "server.js", kinds: []string{"deb", "npm"}},
		{name: "go-service", source: "cmd/service/main.go", kinds: []string{"golang"}},
		{
			name: "node-api", source: "server.js", kinds: []string{"deb", "npm"},
			dockerfile: "FROM node:20-bookworm-slim\nWORKDIR /app\nCOPY . .\n" +
				"RUN mkdir -p node_modules/made && echo '{\"name\": \"made\", \"version\": \"1.2.3\"}' >node_modules/made/package.json\n" +
				"RUN rm -r /usr/local/lib/node_modules/npm/node_modules/semver\n",
		},
		{
			name: "node-api", source: "server.js", kinds: []string{"deb", "npm"}, whole: true,
			dockerfile: "FROM node:20-bookworm-slim\nCOPY . /app\nRUN dpkg --purge --force-all tzdata\n",
		},
	} {
		name := tc.name
		if tc.dockerfile != "" {
			name += " with " + tc.dockerfile[strings.LastIndex(tc.dockerfile, "RUN"):]
		}
		t.Run(name, func(t *testing.T) {
			req := sandbox.BuildRequest{Context: project(t, tc.name), Frontend: frontendRef, Push: sb.Registry + "/kept:1", Attests: sandbox.BuildxAttests()}
			if tc.dockerfile != "" {
				req.Dockerfile = []byte(tc.dockerfile)
			}
			build(t, req)
			path := filepath.Join(req.Context, tc.source)
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, append(src, "// edited for "+t.TempDir()+"\n"...), 0o644); err != nil {
				t.Fatal(err)
			}
			scans := scansOf(build(t, req))
			if len(scans) != 2 {
				t.Fatalf("%d scans", len(scans))
			}
			if !scans[0].Cached || scans[1].Cached {
				t.Errorf("cached: the scan below the sources %v, the last one %v", scans[0].Cached, scans[1].Cached)
			}
			if whole := strings.Contains(scans[1].Log, "all of the image is scanned"); whole != tc.whole {
				t.Errorf("all was scanned: %v; %s", whole, scans[1].Log)
			}
			got := packagesOf(t, req.Push, tc.kinds)

			// BuildKit's own way is one step, by a generator that is named.
			req.Attests = map[string]string{"sbom": "generator=" + frontendRef}
			req.Push = sb.Registry + "/whole:1"
			if scans := scansOf(build(t, req)); len(scans) != 1 {
				t.Fatalf("%d scans instead of one", len(scans))
			}
			want := packagesOf(t, req.Push, tc.kinds)
			if !slices.Equal(got, want) {
				t.Errorf("%d packages, a scan of the whole finds %d:\n%v\n%v", len(got), len(want), got, want)
			}
		})
	}
}

// scansOf are the steps that scan, that of the whole image last.
func scansOf(result *sandbox.BuildResult) []*sandbox.Vertex {
	var scans []*sandbox.Vertex
	for _, v := range result.Vertices {
		if strings.Contains(v.Name, "generating sbom") {
			scans = append(scans, v)
		}
	}
	slices.SortStableFunc(scans, func(a, b *sandbox.Vertex) int {
		onto := func(v *sandbox.Vertex) int {
			if strings.Contains(v.Name, "what the sources come onto") {
				return 0
			}
			return 1
		}
		return onto(a) - onto(b)
	})
	return scans
}

// packagesOf are the packages of an image's SBOM, which must be of these kinds.
func packagesOf(t *testing.T, ref string, kinds []string) []string {
	t.Helper()
	packages, err := sb.SBOM(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var list []string
	for _, p := range packages {
		seen[p.Kind] = true
		list = append(list, p.Kind+" "+p.Name+" "+p.Version)
	}
	for _, kind := range kinds {
		if !seen[kind] {
			t.Errorf("the SBOM of %s names no package of kind %s", ref, kind)
		}
	}
	slices.Sort(list)
	return list
}
