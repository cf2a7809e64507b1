package analyze

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

// read makes an image of layers, as if it had been read from somewhere.
func read(t testing.TB, c imagetest.Case) *image.Image {
	t.Helper()
	raw, err := c.Image(t).RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.New(raw, "")
	if err != nil {
		t.Fatal(err)
	}
	var blobs []image.Blob
	for _, layer := range c.Layers {
		tar := imagetest.Tar(t, layer)
		blobs = append(blobs, image.Blob{Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(tar)), nil }})
	}
	tables, err := Walker(nil, false).Start().Layers(t.Context(), blobs)
	if err == nil {
		err = img.Fill(tables)
	}
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Every case of the correctness suite, by the totals and by the layers.
func TestAccounting(t *testing.T) {
	for _, c := range imagetest.Cases(t) {
		r := Analyze(read(t, c), Facts{})
		got := imagetest.Truth{Shipped: r.Totals.ShippedBytes, Live: r.Totals.LiveBytes, Overwritten: r.Totals.OverwrittenBytes, Deleted: r.Totals.DeletedBytes}
		if got.Shipped != c.Truth.Shipped || got.Live != c.Truth.Live || got.Overwritten != c.Truth.Overwritten || got.Deleted != c.Truth.Deleted {
			t.Errorf("%s: %+v, want %+v", c.Name, got, c.Truth)
		}
		var bytes, dead, buried int64
		for _, l := range r.Layers {
			bytes, dead, buried = bytes+l.Bytes, dead+l.DeadBytes, buried+l.BuriedBytes
		}
		if bytes != got.Shipped || dead != r.Totals.DeadBytes || buried != r.Totals.DeadBytes {
			t.Errorf("%s: the layers have %d bytes, %d dead, %d buried; want %d, %d, %d", c.Name, bytes, dead, buried, got.Shipped, r.Totals.DeadBytes, r.Totals.DeadBytes)
		}
		if r.Totals.Files != len(c.Truth.Tree) {
			t.Errorf("%s: %d paths, want %d", c.Name, r.Totals.Files, len(c.Truth.Tree))
		}
	}
}

func file(path string, size int64) imagetest.Entry {
	return imagetest.Entry{Kind: "file", Path: path, Size: size, Mode: 0o644}
}

func gone(path string) imagetest.Entry { return imagetest.Entry{Kind: "whiteout", Path: path} }

func folder(path string) imagetest.Entry { return imagetest.Entry{Kind: "dir", Path: path} }

// The cases that tell dive's figures from the truth, as they were measured with
// dive on images of 20 MB; here in thousands.
func TestDive(t *testing.T) {
	const mb = 1000
	for _, c := range []struct {
		name       string
		layers     []imagetest.Layer
		efficiency float64
		wasted     int64
		dead       int64 // the truth
	}{
		{"two files deleted one by one", []imagetest.Layer{{folder("d"), file("d/a", 10*mb), file("d/b", 10*mb)}, {gone("d/a"), gone("d/b")}}, 0, 20 * mb, 20 * mb},
		{"a folder deleted", []imagetest.Layer{{folder("d"), file("d/a", 10*mb), file("d/b", 10*mb)}, {gone("d")}}, 1, 0, 20 * mb},
		{"an opaque folder", []imagetest.Layer{{folder("d"), file("d/a", 10*mb), file("d/b", 10*mb)}, {folder("d"), {Kind: "opaque", Path: "d"}}}, 1, 0, 20 * mb},
		{"chmod", []imagetest.Layer{{file("a", 10*mb), file("b", 10*mb)}, {file("a", 10*mb), file("b", 10*mb)}}, 0.5, 40 * mb, 20 * mb},
		{"two names", []imagetest.Layer{{file("a", 10*mb), file("b", 10*mb)}}, 1, 0, 0},
		{"large, small, large", []imagetest.Layer{{file("a", 10*mb)}, {file("a", 1)}, {file("a", 10*mb)}}, 0.00005, 20*mb + 1, 10*mb + 1},
	} {
		r := Analyze(read(t, imagetest.Case{Layers: c.layers}), Facts{})
		if math.Abs(r.Dive.Efficiency-c.efficiency) > 0.0001 || r.Dive.WastedBytes != c.wasted || r.Totals.DeadBytes != c.dead {
			t.Errorf("%s: dive has %.4f and %d, and %d bytes are dead; want %.4f, %d, %d", c.name, r.Dive.Efficiency, r.Dive.WastedBytes, r.Totals.DeadBytes, c.efficiency, c.wasted, c.dead)
		}
	}
}

// kinds are the findings of an image, "kind layer files bytes".
func kinds(r *report.Report) map[string]report.Finding {
	out := map[string]report.Finding{}
	for _, f := range r.Findings {
		out[fmt.Sprintf("%s %d", f.Kind, f.Layer)] = f
	}
	return out
}

func TestWaste(t *testing.T) {
	const lists = 300_000
	img := read(t, imagetest.Case{Layers: []imagetest.Layer{
		{file("var/lib/apt/lists/a", lists), file("app", 200_000), file("both", 150_000), file("model", 400_000)},
		{gone("var/lib/apt/lists"), {Kind: "file", Path: "app", Size: 200_000, Mode: 0o755}, file("both", 160_000)},
		{{Kind: "file", Path: "copy", Size: 400_000, Mode: 0o644}, file("home/me/.cache/pip/http/x", 500_000), file("tmp/left", 99_999)},
	}})
	got := kinds(Analyze(img, Facts{}))
	for kind, want := range map[string]struct {
		bytes int64
		rule  string
	}{
		"deleted-later 0": {lists, "AptListsLeft"}, "metadata-only 1": {200_000, ""}, "overwritten 0": {150_000, ""},
		"pip-cache 2": {500_000, "CacheMountMissing"},
	} {
		if f := got[kind]; f.Bytes != want.bytes || f.Rule != want.rule {
			t.Errorf("%s: %d bytes, rule %q; want %d, %q", kind, f.Bytes, f.Rule, want.bytes, want.rule)
		}
	}
	if f, ok := got["temporary 2"]; ok {
		t.Errorf("too small for a finding: %+v", f)
	}
	if r := Analyze(img, Facts{}); r.Layers[1].MetadataOnlyBytes != 200_000 || r.Layers[0].DeadBytes != lists+200_000+150_000 || r.Layers[1].BuriedBytes != lists+200_000+150_000 {
		t.Errorf("layers: %+v", r.Layers)
	}
}

// history gives an image another history than imagetest's.
func history(img *image.Image, steps ...string) {
	img.Config.History = nil
	layer := 0
	for _, s := range steps {
		text, empty := strings.CutSuffix(s, " (empty)")
		img.Config.History = append(img.Config.History, ocispec.History{CreatedBy: text, EmptyLayer: empty})
		if !empty {
			img.Layers[layer].History = &img.Config.History[len(img.Config.History)-1]
			layer++
		}
	}
}

func TestAttributionByDockerfile(t *testing.T) {
	img := read(t, imagetest.Case{Layers: []imagetest.Layer{{file("a", 1)}, {file("b", 1)}, {file("c", 1)}}})
	history(img, "/bin/sh -c #(nop) ADD file:1 in / ", "ENV A=1 (empty)", "WORKDIR /app", "RUN /bin/sh -c make # buildkit", `CMD ["app"] (empty)`)
	f, err := dockerfile.Parse("Dockerfile", []byte("FROM golang AS build\nRUN go build\n\nFROM debian AS lower\nENV A=1\nWORKDIR /app\nFROM lower\nRUN \\\n  make\nCMD [\"app\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := Analyze(img, Facts{Dockerfile: f})
	if r.Image.Attribution != "dockerfile" {
		t.Errorf("attribution by %s", r.Image.Attribution)
	}
	for i, want := range []struct {
		line int
		base bool
	}{{0, true}, {6, false}, {8, false}} {
		if l := r.Layers[i]; l.Line != want.line || l.Base != want.base {
			t.Errorf("layer %d (%s): line %d, base %v; want %d, %v", i, l.Instruction, l.Line, l.Base, want.line, want.base)
		}
	}
	other, err := dockerfile.Parse("Dockerfile", []byte("FROM debian\nCOPY . .\n"))
	if err != nil {
		t.Fatal(err)
	}
	if r := Analyze(img, Facts{Dockerfile: other}); r.Image.Attribution != "history" || r.Layers[2].Line != 0 {
		t.Errorf("another Dockerfile gave lines: %+v", r.Layers)
	}
}

func TestBaseByItsLayers(t *testing.T) {
	lower := imagetest.Layer{file("a", 10)}
	base := read(t, imagetest.Case{Layers: []imagetest.Layer{lower}})
	img := read(t, imagetest.Case{Layers: []imagetest.Layer{lower, {file("b", 5)}}})
	r := Analyze(img, Facts{Base: base, From: base})
	if !r.Layers[0].Base || r.Layers[1].Base || r.Totals.BaseBytes != 10 {
		t.Errorf("base layers: %+v, %d bytes", r.Layers, r.Totals.BaseBytes)
	}
	if r.Pull.Layers != 1 || r.Pull.Bytes != img.Layers[1].Tar {
		t.Errorf("an update pulls %d bytes in %d layers, want those of layer 1: %d", r.Pull.Bytes, r.Pull.Layers, img.Layers[1].Tar)
	}
}

// The same image gives the same bytes.
func TestReportIsDeterministic(t *testing.T) {
	var first []byte
	for range 5 {
		r := Analyze(read(t, imagetest.Cases(t)[5]), Facts{Source: "test"})
		out, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = out
		}
		if !bytes.Equal(first, out) {
			t.Fatalf("%s\n%s", first, out)
		}
	}
	if strings.Contains(string(first), "null") {
		t.Errorf("a list that isn't there: %s", first)
	}
}
