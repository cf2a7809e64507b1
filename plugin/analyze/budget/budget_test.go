package budget

import (
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

func TestHold(t *testing.T) {
	layers := []*image.Layer{
		{Table: image.Table{Files: []image.File{{Path: "usr/share/doc/a", Size: 90}}}},
		{Table: image.Table{Files: []image.File{{Path: "usr/share/doc/b/c", Size: 20}, {Path: "usr/bin/a", Size: 70}}}},
	}
	const doc = "paths: [{path: usr/share/doc/**, maxSize: "
	for _, c := range []struct {
		entry, name, value string
		layer              int
		passed             bool
	}{
		{doc + "110B}]", "path /usr/share/doc/**", "110B", 0, true},
		{doc + "109}]", "path /usr/share/doc/**", "110B", 0, false},
		{"packages: [{type: deb, maxSize: 30B}]", "packages deb", "30B", 1, true},
		{"packages: [{name: lib*, maxSize: 44B}]", "packages lib*", "45B", 1, false},
		{"packages: [{type: npm, name: '@types/*', maxCount: 0}]", "packages npm @types/*", "1", 0, false},
		{"packages: [{maxCount: 3}]", "packages of all kinds", "3", 1, true},
		{"total: {maxSize: 180B}", "max-size", "180B", 1, true},
		{"total: {maxWasted: 4%}", "max-wasted", "5.0%", 1, false},
		{"total: {minEfficiency: 96%}", "min-efficiency", "95.0%", 1, false},
	} {
		r := &report.Report{
			Totals: report.Totals{ShippedBytes: 180, DeadBytes: 9, Efficiency: 0.95},
			Layers: []report.Layer{{Bytes: 90, DeadBytes: 9, Base: true}, {Bytes: 90}},
			Packages: []report.Package{{Type: "deb", Name: "libc", Bytes: 30, Layer: 1}, {Type: "npm", Name: "@types/node", Layer: 0},
				{Type: "npm", Name: "lib", Bytes: 15, Layer: 0}},
		}
		b, err := Parse("budget", []byte("version: 1\nbudgets:\n- {"+c.entry+"}\n"), "")
		if err != nil {
			t.Errorf("%s: %v", c.entry, err)
			continue
		}
		b.Hold(r, layers)
		if len(r.Gates) != 1 {
			t.Errorf("%s: %d gates, want one", c.entry, len(r.Gates))
			continue
		}
		if g := r.Gates[0]; g.Name != c.name || g.Value != c.value || g.Layer != c.layer || g.Passed != c.passed || g.Budget != "budget" {
			t.Errorf("%s: %+v, want %s, %s of layer %d, passed %v", c.entry, g, c.name, c.value, c.layer, c.passed)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"":                          "version: 1",
		"version: 2":                "version: 1",
		"version: 1\nlimits: []":    "there is no limits",
		"version: 1\nbudgets: {}":   "line 2: cannot unmarshal",
		"version: 1\nbudgets: [{}]": "budget 1: it limits nothing",
		"version: 1\nbudgets: [{total: {maxSize: big}}]":                      `max-size "big"`,
		"version: 1\nbudgets: [{total: {maxGrowth: 5%}}]":                     "--max-growth",
		"version: 1\nbudgets: [{paths: [{path: 'a[', maxSize: 1}]}]":          "is no pattern",
		"version: 1\nbudgets: [{paths: [{path: a}]}]":                         `maxSize ""`,
		"version: 1\nbudgets: [{packages: [{type: deb}]}]":                    "packages deb: set maxSize",
		"version: 1\nbudgets: [{packages: [{maxCount: -1}]}]":                 "packages of all kinds",
		"version: 1\nbudgets: [{stage: a, total: {maxSize: 1}}]":              `none for "b"`,
		"version: 1\nbudgets: [{total: {maxSize: 1}}, {totals: {maxSize: 1}]": "read budget: ",
	} {
		if _, err := Parse("budget", []byte(text), "b"); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want one line with %q", text, err, says)
		}
	}
}

func TestStages(t *testing.T) {
	b, err := Parse("budget", []byte("version: 1\nbudgets: [{stage: Slim, total: {maxSize: 1}}, {total: {maxSize: 2}}, {stage: full, total: {maxSize: 3}}]"), "slim")
	if err != nil || len(b.Entries) != 2 || b.Entries[0].Limits.MaxSize != "1" || b.Entries[1].Limits.MaxSize != "2" {
		t.Errorf("%+v, %v", b, err)
	}
}
