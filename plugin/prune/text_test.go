package prune

import (
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// What is given back is counted as what was removed, and so is what stays.
func TestCountsAgree(t *testing.T) {
	plan := &retention.Plan{
		Remove: []retention.Removal{
			{Kind: retention.KindTag, Ref: "r.example/app:old", Digest: "sha256:aa"},
			{Kind: retention.KindTag, Ref: "r.example/app:older", Digest: "sha256:aa"},
			{Kind: retention.KindImage, Ref: "r.example/app@sha256:aa", Digest: "sha256:aa"},
			{Kind: retention.KindTag, Ref: "r.example/app:alias", Digest: "sha256:bb"},
			{Kind: retention.KindImage, Ref: "r.example/app@sha256:cc", Digest: "sha256:cc"},
		},
		Keep: []retention.Kept{
			{Kind: retention.KindTag, Ref: "r.example/app:latest", Digest: "sha256:bb"},
			{Kind: retention.KindTag, Ref: "r.example/app:1.0", Digest: "sha256:bb"},
			{Kind: retention.KindImage, Ref: "r.example/other@sha256:bb", Digest: "sha256:bb"},
		},
		Unknown: []retention.Kept{
			{Kind: retention.KindImage, Ref: "r.example/app:undated", Digest: "sha256:dd", Reason: "when it was built is not known"},
		},
	}
	entries := []Entry{
		{Repository: "r.example/app", Digest: "sha256:aa", Tags: []string{"old", "older"}},
		{Repository: "r.example/app", Digest: "sha256:bb", Tags: []string{"alias"}},
	}
	var out strings.Builder
	printRestored(&out, &Restored{Back: entries}, plan)
	printOutcome(ui.Output{Writer: &out}, &Outcome{Removed: plan.Remove[:4]}, "", "J")
	if err := printPlan(ui.Output{Writer: &out}, plan); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Gave back 1 manifest and 1 tag to ", "Removed 1 manifest and 1 tag, ", "2 manifests and 1 tag go, which frees 0B; 3 stay, 1 of them because too little is known.\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}
