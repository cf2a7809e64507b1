package retention

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"
)

// A plan is written entry by entry, and reads as if it were written at once.
func TestPlanIsWrittenAsJSON(t *testing.T) {
	full := &Plan{
		Version: PlanVersion, Place: "registry://registry.example.com", Taken: time.Unix(1_700_000_000, 5).UTC(), Policy: "p<>&@sha256:1",
		Remove:  []Removal{{KindTag, "a/b:1", "sha256:1", 0, "rule", "over 1 & <2>", ""}, {KindImage, "a/b@sha256:1", "sha256:1", 5, "r\"\\\n\x7f", "é\u2028", "title"}},
		Keep:    []Kept{{KindImage, "a/b:2", "sha256:2", "no rule"}},
		Unknown: []Kept{}, Stopped: []Stop{{"a/c", "a brake"}, {"a/d", "another"}}, FreesBytes: 5, AtMost: true, Final: true,
	}
	for _, p := range []*Plan{full, {Version: PlanVersion, Remove: []Removal{}, Keep: []Kept{}, Unknown: []Kept{}}} {
		var got, want bytes.Buffer
		if err := p.Write(&got); err != nil {
			t.Fatal(err)
		}
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(p); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Errorf("written as\n%swant\n%s", &got, &want)
		}
		if back, err := ReadPlan(got.Bytes()); err != nil || !reflect.DeepEqual(back, p) {
			t.Errorf("read as %+v, %v", back, err)
		}
	}
	if err := full.Write(fullDisk{}); err == nil {
		t.Error("a full disk is no error")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }
