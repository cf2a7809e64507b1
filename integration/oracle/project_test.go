package oracle_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/frontend"
	"github.com/imgmgr/imgmgr/integration/oracle"
)

func TestUnexpected(t *testing.T) {
	plan := frontend.Explanation{
		Applied: []frontend.AppliedFix{{Rule: "CacheMountMissing", Fix: "Add a cache mount for npm"}},
		Left:    []frontend.LeftFinding{{Rule: "DependenciesAfterSource", Message: "npm ci runs again", Doubt: "a postinstall script"}},
	}
	for name, test := range map[string]struct {
		applied, left []string
		met           bool
	}{
		"as it is":        {[]string{"CacheMountMissing: for npm"}, []string{"DependenciesAfterSource: postinstall"}, true},
		"one too few":     {nil, nil, false},
		"one too many":    {[]string{"CacheMountMissing: for npm", "CacheMountMissing: for apt"}, nil, false},
		"another rule":    {[]string{"LatestTag: for npm"}, nil, false},
		"other words":     {[]string{"CacheMountMissing: for apt"}, nil, false},
		"not left":        {[]string{"CacheMountMissing: for npm"}, []string{"DependenciesAfterSource: workspaces"}, false},
		"left by another": {[]string{"CacheMountMissing: for npm"}, []string{"CacheMountMissing: postinstall"}, false},
	} {
		if got := (oracle.Project{Applied: test.applied, Left: test.left}).Unexpected(plan); (len(got) == 0) != test.met {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// A page written after some projects were built keeps the rows of the others.
func TestReportKeepsWhatWasNotBuilt(t *testing.T) {
	plan := frontend.Explanation{Applied: []frontend.AppliedFix{{Rule: "R", Fix: "Add"}}}
	one, other := oracle.Project{Name: "one", About: "1"}, oracle.Project{Name: "other", About: "2"}
	report := func(old, buildkit string, proofs ...oracle.Proof) (string, error) {
		var page strings.Builder
		err := oracle.Report(&page, old, buildkit, "", []oracle.Project{one, other}, proofs)
		return page.String(), err
	}
	all, err := report("", "v1", oracle.Proof{Project: one}, oracle.Proof{Project: other, Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	again, err := report(all, "v1", oracle.Proof{Project: one})
	if err != nil || again != all {
		t.Errorf("%v: it became\n%s\nnot\n%s", err, again, all)
	}
	if _, err := report(all, "v2", oracle.Proof{Project: one}); err == nil {
		t.Error("rows of another BuildKit passed")
	}
}

// TestProofListsEveryProject holds docs/proof.md to the projects that there
// are: run "make proof" after adding one.
func TestProofListsEveryProject(t *testing.T) {
	projects, err := oracle.Projects("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/proof.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, p := range projects {
		want = append(want, p.Name)
	}
	for _, m := range regexp.MustCompile(`(?m)^\| \*\*([^*]+)\*\*: `).FindAllStringSubmatch(string(page), -1) {
		got = append(got, m[1])
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("docs/proof.md lists\n\t%s\nand testdata has\n\t%s\nrun make proof", strings.Join(got, " "), strings.Join(want, " "))
	}
	if strings.Contains(string(page), " differences") {
		t.Error("docs/proof.md has images that differ")
	}
}
