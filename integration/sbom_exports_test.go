//go:build linux

package integration_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small is a project whose image holds one package, the stage build another, and
// the build context a third.
var small = map[string]string{
	"package.json":      `{"name": "small", "version": "1.0.0"}`,
	"package-lock.json": `{"name": "small", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "small", "version": "1.0.0"}, "node_modules/locked": {"version": "3.0.0"}}}`,
	"Dockerfile": `FROM scratch AS build
COPY <<EOF /opt/tool/package.json
{"name": "tool", "version": "2.0.0"}
EOF
FROM scratch
COPY --from=build /opt/tool/package.json /opt/text
COPY package.json package-lock.json /app/
`,
}

// TestSBOMOfEveryExport builds one image by each way out, as docs/sbom.md lists
// them.
func TestSBOMOfEveryExport(t *testing.T) {
	dir := folder(t, with(small, "all.Dockerfile", "ARG BUILDKIT_SBOM_SCAN_STAGE=true\nARG BUILDKIT_SBOM_SCAN_CONTEXT=true\n"+small["Dockerfile"]))
	none, attached := []string(nil), []string{"small"}
	for _, tc := range []struct {
		name   string
		args   []string
		output string // the exporter's settings; DEST stands for a path, REF for an image
		want   []string
		fails  string // what the build ends with, if it does
	}{
		{name: "push", output: "type=image,name=REF,push=true", want: attached},
		{name: "push - asked", args: []string{"--sbom=true"}, output: "type=image,name=REF,push=true", want: attached},
		{name: "push without provenance", args: []string{"--provenance=false"}, output: "type=image,name=REF,push=true", want: none},
		{name: "push without provenance - asked", args: []string{"--provenance=false", "--sbom=true"}, output: "type=image,name=REF,push=true", want: attached},
		{name: "push - switched off", args: []string{"--build-arg", "IMGMGR_SBOM=off"}, output: "type=image,name=REF,push=true", want: none},
		{name: "push - by a generator that is named", args: []string{"--attest", "type=sbom,generator=" + frontendRef}, output: "type=image,name=REF,push=true", want: attached},
		{name: "push for two platforms", args: []string{"--platform", "linux/amd64,linux/arm64"}, output: "type=image,name=REF,push=true", want: []string{"small", "small"}},
		{name: "push of Docker's media types", args: []string{"--provenance=false"}, output: "type=image,name=REF,push=true,oci-mediatypes=false", want: none},
		{name: "push of Docker's media types - asked", args: []string{"--provenance=false", "--sbom=true"}, output: "type=image,name=REF,push=true,oci-mediatypes=false", fails: `cannot export attestations with "oci-mediatypes=false"`},
		{name: "OCI layout", output: "type=oci,dest=DEST", want: none},
		{name: "OCI layout - asked", args: []string{"--sbom=true"}, output: "type=oci,dest=DEST", want: attached},
		{name: "archive for docker load", output: "type=docker,dest=DEST", want: none},
		{name: "archive for docker load - asked", args: []string{"--sbom=true"}, output: "type=docker,dest=DEST", fails: "docker exporter does not support exporting manifest lists"},
		{name: "folder", output: "type=local,dest=DEST", want: none},
		{name: "folder - asked", args: []string{"--sbom=true"}, output: "type=local,dest=DEST", want: attached},
		{name: "tar", output: "type=tar,dest=DEST", want: none},
		{name: "tar - asked", args: []string{"--sbom=true"}, output: "type=tar,dest=DEST", want: attached},
		{name: "stages and context", args: []string{"--sbom=true", "--file", "all.Dockerfile"}, output: "type=tar,dest=DEST", want: []string{"locked", "small", "small", "tool"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dest := filepath.Join(t.TempDir(), "out")
			ref := sb.Registry + "/exports:" + strings.Map(tagged, tc.name)
			output := strings.NewReplacer("DEST", dest, "REF", ref).Replace(tc.output)
			args := append([]string{"build", "--progress=plain", "--build-arg", "BUILDKIT_SYNTAX=" + frontendRef, "--output", output}, tc.args...)
			out, err := command(t, dir, "buildx", append(args, ".")...)
			if tc.fails != "" {
				if err == nil || !strings.Contains(out, tc.fails) {
					t.Errorf("%v\n%s", err, out)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var got []string
			if strings.HasPrefix(tc.output, "type=image") {
				got = named(t, documentsOf(t, ref))
			} else {
				got = named(t, documentsIn(t, dest))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("the SBOMs name %q, want %q\n%s", got, tc.want, out)
			}
		})
	}
}

func tagged(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return '-'
}

// TestSBOMAskedByBake asks for the SBOM in a bake file.
func TestSBOMAskedByBake(t *testing.T) {
	dir := folder(t, small)
	bake := `target "default" {
  args = { BUILDKIT_SYNTAX = "` + frontendRef + `" }
  attest = [{ type = "sbom" }]
  output = ["type=tar,dest=out.tar"]
}`
	if err := os.WriteFile(filepath.Join(dir, "docker-bake.hcl"), []byte(bake), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := command(t, dir, "buildx", "bake", "--progress=plain", "--allow=fs=*")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := named(t, documentsIn(t, filepath.Join(dir, "out.tar"))); !slices.Equal(got, []string{"small"}) {
		t.Errorf("the SBOMs name %q\n%s", got, out)
	}
}

// TestSBOMIntoAnOldEngine loads an image into a store that holds no attestations.
func TestSBOMIntoAnOldEngine(t *testing.T) {
	if err := sb.StartEngine(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := folder(t, small)
	build := func(args ...string) (string, error) {
		return command(t, dir, "buildx", append([]string{"build", "--progress=plain", "--build-arg", "BUILDKIT_SYNTAX=" + frontendRef, "."}, args...)...)
	}
	if out, err := build("--load", "--tag", "old:1"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := build("--load", "--tag", "old:2", "--sbom=true"); err == nil {
		t.Errorf("an engine without attestations took one\n%s", out)
	}
	if out, err := build("--builder", "default", "--tag", "old:3"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	out, err := build("--builder", "default", "--tag", "old:4", "--sbom=true")
	if err == nil || !strings.Contains(out, "Attestation is not supported") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSBOMIntoTheNewestEngine loads an image into a store that holds attestations,
// and has that engine build one.
func TestSBOMIntoTheNewestEngine(t *testing.T) {
	if err := sb.StartNewestEngine(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := folder(t, small)
	for _, tc := range []struct {
		name string
		args []string
		want []string
	}{
		{"loaded", []string{"--builder", "sandbox", "--load"}, nil},
		{"loaded-asked", []string{"--builder", "sandbox", "--load", "--sbom=true"}, []string{"small"}},
		{"built", nil, []string{"small"}},
		{"built-asked", []string{"--sbom=true"}, []string{"small"}},
		{"built-without-provenance", []string{"--provenance=false"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ref := "newest/" + tc.name + ":1"
			args := append([]string{"buildx", "build", "--network", "host", "--progress=plain", "--build-arg", "BUILDKIT_SYNTAX=" + frontendRef, "--tag", ref}, tc.args...)
			out, err := sb.DockerAt(t.Context(), sb.NewestEngine, dir, append(args, ".")...)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			saved := filepath.Join(t.TempDir(), "saved.tar")
			if _, err := sb.DockerAt(t.Context(), sb.NewestEngine, dir, "save", "--output", saved, ref); err != nil {
				t.Fatal(err)
			}
			if got := named(t, documentsIn(t, saved)); !slices.Equal(got, tc.want) {
				t.Errorf("the SBOMs name %q, want %q\n%s", got, tc.want, out)
			}
		})
	}
}

// statement is an SBOM as it is attached or exported.
type statement struct {
	Predicate *document `json:"predicate"`
	document
}

type document struct {
	SPDXVersion string `json:"spdxVersion"`
	Packages    []struct {
		Name         string `json:"name"`
		ExternalRefs []any  `json:"externalRefs"`
	} `json:"packages"`
}

// named are the packages of documents, sorted.
func named(t *testing.T, documents [][]byte) []string {
	t.Helper()
	var names []string
	for _, text := range documents {
		var s statement
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		doc := s.document
		if s.Predicate != nil {
			doc = *s.Predicate
		}
		if doc.SPDXVersion != "SPDX-2.3" {
			t.Errorf("a document is of version %q", doc.SPDXVersion)
		}
		for _, p := range doc.Packages {
			if len(p.ExternalRefs) > 0 {
				names = append(names, p.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// documentsOf are the SBOMs that are attached to an image, one a platform.
func documentsOf(t *testing.T, ref string) [][]byte {
	t.Helper()
	text, err := sb.Buildx(t.Context(), "", "imagetools", "inspect", "--format", "{{json .SBOM}}", ref)
	if err != nil {
		t.Fatal(err)
	}
	var one struct{ SPDX json.RawMessage }
	var many map[string]struct{ SPDX json.RawMessage }
	if err := json.Unmarshal([]byte(text), &one); err != nil {
		t.Fatal(err)
	}
	if one.SPDX != nil {
		return [][]byte{one.SPDX}
	}
	if err := json.Unmarshal([]byte(text), &many); err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, m := range many {
		all = append(all, m.SPDX)
	}
	return all
}

// documentsIn are the SBOMs in a folder, or in a tar: files of that name, and
// blobs that are statements.
func documentsIn(t *testing.T, dest string) [][]byte {
	t.Helper()
	var all [][]byte
	add := func(name string, text []byte) {
		if strings.HasSuffix(name, ".spdx.json") || bytes.Contains(text[:min(len(text), 300)], []byte(`"predicateType":"https://spdx.dev/Document"`)) {
			all = append(all, text)
		}
	}
	if info, err := os.Stat(dest); err != nil {
		t.Fatal(err)
	} else if info.IsDir() {
		files, err := filepath.Glob(dest + "/*.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			add(file, text)
		}
		return all
	}
	f, err := os.Open(dest)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		add(h.Name, text)
	}
}
