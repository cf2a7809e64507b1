package origin

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/image"
)

const recorded = `FROM debian AS build
RUN make
RUN make install
FROM debian
COPY --from=build /app /app
RUN chmod 755 /app
`

// record is a provenance of the Dockerfile above: which line each step stands at,
// and the layers that it gave, by name.
func record(t *testing.T, lines map[string]int, layers map[string][]string) []byte {
	t.Helper()
	locations, chains := map[string]any{}, map[string]any{}
	for step, line := range lines {
		at := map[string]any{"start": map[string]int{"line": line}, "end": map[string]int{"line": line}}
		locations[step] = map[string]any{"locations": []any{map[string]any{"ranges": []any{at}}}}
	}
	for step, names := range layers {
		var chain []ocispec.Descriptor
		for _, name := range names {
			chain = append(chain, ocispec.Descriptor{Digest: digest.FromString(name)})
		}
		chains[step+":0"] = [][]ocispec.Descriptor{chain}
	}
	metadata := map[string]any{
		"source": map[string]any{"locations": locations, "infos": []any{map[string]any{"filename": "Dockerfile", "data": []byte(recorded)}}},
		"layers": chains,
	}
	raw, err := json.Marshal(map[string]any{"predicate": map[string]any{"metadata": map[string]any{"https://mobyproject.org/buildkit@v1#metadata": metadata}}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// built is an image of the Dockerfile above, with layers by name.
func built(names ...string) *image.Image {
	img := &image.Image{}
	for i, createdBy := range []string{"debian", "COPY /app /app # buildkit", "RUN /bin/sh -c chmod 755 /app # buildkit"} {
		img.Layers = append(img.Layers, &image.Layer{
			Digest: digest.FromString(names[i]), DiffID: digest.FromString("plain " + names[i]),
			History: &ocispec.History{CreatedBy: createdBy},
		})
	}
	return img
}

// The record's digests are those from before an exporter packed the layers anew.
func TestProvenanceOfLayersPackedAnew(t *testing.T) {
	lines := map[string]int{"step0": 1, "step1": 2, "step2": 3, "step3": 5, "step4": 6, "step5": 6}
	image3 := map[string][]string{"step0": {"base"}, "step3": {"base", "copy"}, "step4": {"base", "copy", "chmod"}}
	stage := map[string][]string{"step1": {"base", "make"}, "step2": {"base", "make", "install"}}
	both := map[string][]string{}
	for _, m := range []map[string][]string{image3, stage} {
		for step, chain := range m {
			both[step] = chain
		}
	}
	for _, c := range []struct {
		name   string
		layers []string // of the image
		record map[string][]string
		want   string // the layers' lines
	}{
		{"as recorded", []string{"base", "copy", "chmod"}, both, "[1 5 6]"},
		{"all packed anew", []string{"base2", "copy2", "chmod2"}, both, "[1 5 6]"},
		{"packed anew, but for the base", []string{"base", "copy2", "chmod2"}, both, "[1 5 6]"},
		{"another stage's layers alone", []string{"base2", "copy2", "chmod2"}, stage, "[0 0 0]"},
		{"too few layers", []string{"base2", "copy2", "chmod2"}, map[string][]string{"step3": {"base", "copy"}}, "[0 0 0]"},
		{"two that could be it", []string{"base2", "copy2", "chmod2"},
			map[string][]string{"step3": {"base", "copy"}, "step4": {"base", "copy", "chmod"}, "step5": {"other", "copy", "chmod"}}, "[0 0 0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			img := built(c.layers...)
			origins, how := Attribute(img, [][]byte{record(t, lines, c.record)}, nil, "")
			var got []int
			for _, o := range origins {
				got = append(got, o.Line)
			}
			if fmt.Sprint(got) != c.want {
				t.Errorf("lines %v by %s, want %s", got, how, c.want)
			}
		})
	}
}
