package lint

import (
	"maps"
	"testing"
)

func TestCommonKnowsWhatAllBuildsShare(t *testing.T) {
	a := build{context: "app", args: map[string]string{"A": "1"}, stage: "s", platform: "linux/amd64", named: map[string]string{"x": "dir", "y": "dir"}}
	b := a
	b.named = maps.Clone(a.named)
	if c := common([]build{a, b}); c.context != "app" || c.args["A"] != "1" || c.stage != "s" || c.platform != "linux/amd64" || c.named["x"] != "dir" || c.remote {
		t.Errorf("builds that are alike share all: %+v", c)
	}
	b = build{context: "other", args: map[string]string{}, named: map[string]string{"x": "dir", "z": "dir"}}
	c := common([]build{a, b})
	if c.context != "" || !c.remote || c.args != nil || c.stage != "" || c.platform != "" {
		t.Errorf("builds that differ share nothing: %+v", c)
	}
	if want := map[string]string{"x": "dir", "y": "", "z": ""}; !maps.Equal(c.named, want) {
		t.Errorf("named contexts are %v, want %v", c.named, want)
	}
	if len(a.named) != 2 {
		t.Error("a build was changed")
	}
}
