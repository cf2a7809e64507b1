package frontend

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/frontend/trail"
)

const (
	historyConfig = `{"architecture":"amd64","os":"linux","config":{},"history":[{"created_by":"a"},{"created_by":"b","empty_layer":true}],` +
		`"rootfs":{"type":"layers","diff_ids":["sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]}}`
	twoStages = `FROM debian:12 AS build
RUN make \
    # a comment
    install

FROM debian:12 AS base
ENV A=b
RUN apt-get install curl
FROM base
WORKDIR /app
COPY --from=build /out/app /bin/
COPY <<EOT /text
EOT
COPY . .
`
)

// trailsOf are the trails that the scans of a build are told, the kept ones
// first, as text too.
func trailsOf(t *testing.T, dockerfile string, opts ...string) (trails []*trail.Trail, texts []string) {
	t.Helper()
	d := newDaemon(dockerfile, provenance(opts...))
	d.images[self], d.images["docker.io/library/debian:12"] = scanner, historyConfig
	if _, err := run(t.Context(), imageDaemon{d, self}, nil); err != nil {
		t.Fatal(err)
	}
	if len(d.warned) > 0 {
		t.Fatal(d.messages())
	}
	for _, def := range d.built() {
		for _, s := range scansOf(t, def) {
			way, err := trail.Parse(s.env[trail.Env])
			if err != nil || way == nil {
				t.Fatal(way, err)
			}
			trails, texts = append(trails, way), append(texts, s.env[trail.Env])
		}
	}
	if len(trails) != 2 {
		t.Fatalf("%d scans", len(trails))
	}
	return trails, texts
}

func TestTrail(t *testing.T) {
	trails, _ := trailsOf(t, twoStages)
	var got []string
	for _, s := range trails[1].Steps {
		at := "-"
		if s.Instruction.History != nil {
			at = fmt.Sprint(*s.Instruction.History)
		}
		line := fmt.Sprintf("%s on %s: %d-%d %s: %s; history %s", s.ID, cmp.Or(s.Below, "nothing"), s.Instruction.Line, s.Instruction.EndLine, s.Instruction.Stage, s.Instruction.Text, at)
		for _, c := range s.Copies {
			line += fmt.Sprintf("; %s of %s to %s", c.Source, c.From, c.Dest)
		}
		got = append(got, line)
	}
	want := []string{
		"0 on nothing: 6-0 base: FROM debian:12 AS base; history 1",
		"1 on 0: 8-0 base: RUN apt-get install curl; history 3",
		"2 on 1: 10-0 2: WORKDIR /app; history 4",
		"3.0.0 on nothing: 1-0 build: FROM debian:12 AS build; history -",
		"3.0.1 on 3.0.0: 2-4 build: RUN make install; history -",
		"3 on 2: 11-0 2: COPY --from=build /out/app /bin/; history 5; /out/app of 3.0.1 to /bin/",
		"4 on 3: 12-13 2: COPY <<EOT /text; history 6",
		"5 on 4: 14-0 2: COPY . .; history 7",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if base := trails[1].Steps[0].Instruction.Base; !strings.HasPrefix(base, "docker.io/library/debian:12@sha256:") {
		t.Errorf("the base image is %q", base)
	}
	var dirs []string
	for _, s := range append(trails[0].Steps, trails[1].Steps...) {
		if s.Dir != "" {
			dirs = append(dirs, s.ID)
		}
	}
	if want := []string{"0", "1", "3.0.0", "3.0.1", "3"}; trails[0].Top != "4" || trails[1].Top != "5" || !slices.Equal(dirs, want) {
		t.Errorf("from %s to %s, the scans look into %v, want %v", trails[0].Top, trails[1].Top, dirs, want)
	}
}

// A scan that is kept is told nothing that an edit elsewhere changes.
func TestTrailOfKeptScans(t *testing.T) {
	_, before := trailsOf(t, twoStages)
	_, after := trailsOf(t, "# a comment\n\n"+strings.Replace(twoStages, "COPY . .", "COPY . . # more", 1))
	if before[0] != after[0] {
		t.Errorf("it was told\n%s\nand then\n%s", before[0], after[0])
	}
	if before[1] == after[1] {
		t.Error("the last scan is told the same lines")
	}
}

// To look into a stage may build it, where the build takes its results from an
// imported cache.
func TestTrailWithImportedCache(t *testing.T) {
	for key, value := range map[string]string{"cache-imports": `[{"Type":"registry","Attrs":{"ref":"example.com/cache"}}]`, "cache-from": "example.com/cache"} {
		trails, _ := trailsOf(t, twoStages, key, value)
		for _, s := range append(trails[0].Steps, trails[1].Steps...) {
			if len(s.Copies) > 0 || strings.Contains(s.ID, ".") {
				t.Errorf("with %s, a scan looks into another stage: %+v", key, s)
			}
		}
	}
}
