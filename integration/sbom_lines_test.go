//go:build linux

package integration_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"

	"github.com/imgmgr/imgmgr/frontend/trail"
	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// documentOf is the SBOM that is attached to an image.
func documentOf(t *testing.T, ref string) *spdx.Document {
	t.Helper()
	text, err := sb.Buildx(t.Context(), "", "imagetools", "inspect", "--format", "{{json .SBOM.SPDX}}", ref)
	if err != nil {
		t.Fatal(err)
	}
	doc := &spdx.Document{}
	if err := spdxjson.ReadInto(bytes.NewReader([]byte(text)), doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// originsOf are the instructions that brought the packages of an SBOM in, by the
// packages' names.
func originsOf(t *testing.T, doc *spdx.Document) map[string]*trail.Origin {
	t.Helper()
	found := map[string]*trail.Origin{}
	for _, p := range doc.Packages {
		for _, a := range p.Annotations {
			told := trail.Annotation{}
			if err := json.Unmarshal([]byte(a.AnnotationComment), &told); err != nil || told.BroughtInBy == nil {
				t.Fatalf("%s is annotated with %q: %v", p.PackageName, a.AnnotationComment, err)
			}
			found[p.PackageName] = told.BroughtInBy
		}
	}
	return found
}

// createdBy is what an image's history says of the step at an index.
func createdBy(t *testing.T, ref string, at int) string {
	t.Helper()
	parsed, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(parsed)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if at >= len(config.History) {
		t.Fatalf("%s has %d entries in its history, and none of number %d", ref, len(config.History), at)
	}
	return config.History[at].CreatedBy
}

// brought is where a package should come from.
type brought struct {
	name    string
	line    int
	history string // a part of what the image's history says of that step
	base    bool
	origin  int // the line in another stage; 0 for none
}

// TestPackagesNameTheirInstruction looks up where packages came from, by what
// the user wrote, though steps were moved.
func TestPackagesNameTheirInstruction(t *testing.T) {
	t.Parallel()
	dir := project(t, "node-api")
	for file, text := range map[string]string{
		"tool/package.json": `{"name": "tool", "version": "1.0.0"}`,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name, dockerfile string
		want             []brought
	}{
		{"one stage, rewritten", `# A comment
FROM node:20-bookworm-slim

# The next step has several lines.
RUN apt-get update && \
    apt-get install -y --no-install-recommends tini
WORKDIR /app
COPY . .
RUN npm ci
ENV NODE_ENV=production
RUN apt-get update && apt-get install -y --no-install-recommends jq && rm -r tool
`, []brought{
			{name: "libc6", line: 2, base: true},
			{name: "npm", line: 2, base: true},
			{name: "tini", line: 5, history: "install -y --no-install-recommends tini"},
			{name: "node-api", line: 8, history: "COPY package.json package-lock.json ./"},
			{name: "express", line: 9, history: "RUN /bin/sh -c npm ci"},
			{name: "jq", line: 11, history: "install -y --no-install-recommends jq"},
			{name: "libjq1", line: 11, history: "install -y --no-install-recommends jq"},
		}},
		{"several stages", `FROM node:20-bookworm-slim AS deps
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
RUN echo done >/done

FROM node:20-bookworm-slim AS tool
COPY tool /opt/tool
RUN mkdir -p /opt/gone && echo '{"name": "gone", "version": "1.0.0"}' >/opt/gone/package.json

FROM debian:bookworm-slim AS common
RUN apt-get update && apt-get install -y --no-install-recommends tini

FROM common
COPY --from=node:20-bookworm-slim /usr/local/lib/node_modules /usr/lib/node_modules
COPY --from=deps /app/node_modules /srv/node_modules
COPY --link --from=tool /opt/* /opt/
RUN rm -r /opt/package.json && mkdir /opt/gone && echo '{"name": "gone", "version": "1.0.0"}' >/opt/gone/package.json
COPY tool/package.json /srv/tool/
`, []brought{
			{name: "libc6", line: 11, base: true},
			{name: "tini", line: 12, history: "RUN /bin/sh -c apt-get"},
			{name: "npm", line: 15, history: "COPY /usr/local/lib/node_modules", origin: 15},
			{name: "express", line: 16, history: "COPY /app/node_modules", origin: 4},
			{name: "gone", line: 18, history: "mkdir /opt/gone"},
			{name: "tool", line: 19, history: "COPY tool/package.json"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := sandbox.BuildRequest{Context: dir, Frontend: frontendRef, Push: sb.Registry + "/lines:1", Dockerfile: []byte(tc.dockerfile), Attests: sandbox.BuildxAttests()}
			result := build(t, req)
			for _, v := range scansOf(result) {
				if strings.Contains(v.Log, "says of no package") {
					t.Errorf("%s: %s", v.Name, v.Log)
				}
			}
			found := originsOf(t, documentOf(t, req.Push))
			for _, want := range tc.want {
				got := found[want.name]
				if got == nil {
					t.Errorf("%s is not there, or comes from nowhere, in %v", want.name, slices.Sorted(maps.Keys(found)))
					continue
				}
				if got.Line != want.line || got.File != "Dockerfile" || (got.Base != "") != want.base {
					t.Errorf("%s comes from %+v", want.name, got)
				}
				line := strings.Split(tc.dockerfile, "\n")[want.line-1]
				if word := strings.Fields(line)[0]; !strings.HasPrefix(got.Text, word+" ") {
					t.Errorf("%s comes from %q, and line %d is %q", want.name, got.Text, want.line, line)
				}
				if got.History == nil {
					t.Errorf("%s lies in a layer that is not known", want.name)
				} else if entry := createdBy(t, req.Push, *got.History); !strings.Contains(entry, want.history) {
					t.Errorf("%s lies in the layer of %q, not of %q", want.name, entry, want.history)
				}
				if origin := 0; got.Origin != nil {
					origin = got.Origin.Line
					if origin != want.origin {
						t.Errorf("%s was made by %+v", want.name, got.Origin)
					}
				} else if want.origin != origin {
					t.Errorf("%s is said to come from no other stage", want.name)
				}
			}
		})
	}
}
