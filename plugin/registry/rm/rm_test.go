package rm

import (
	"strings"
	"testing"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/registry/connect"
)

// digest is a digest by a letter.
func digest(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

// inventory is a repository with a signed image of two tags, an index, and an
// image without a date.
func inventory() *retention.Inventory {
	image := func(letter string) retention.Manifest {
		return retention.Manifest{Digest: digest(letter), Kind: retention.KindImage, Platform: "linux/amd64", Bytes: 100,
			Blobs: []retention.Blob{{Digest: digest(letter + "0")[:71], Bytes: 10}}}
	}
	sbom := image("5")
	sbom.Subject = digest("1")
	index := retention.Manifest{Digest: digest("3"), Kind: retention.KindIndex, Children: []retention.Child{{Digest: digest("4")}}}
	return &retention.Inventory{Version: 1, Place: "registry://host", Host: "host", Taken: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
		Repositories: []retention.Repository{{
			Name: "app",
			Tags: []retention.Tag{{Name: "a", Digest: digest("1")}, {Name: "b", Digest: digest("1")},
				{Name: "sha256-" + strings.Repeat("1", 64) + ".sig", Digest: digest("6")},
				{Name: "multi", Digest: digest("3")}, {Name: "lone", Digest: digest("2")}},
			Manifests: []retention.Manifest{image("1"), image("2"), index, image("4"), sbom, image("6")},
		}},
	}
}

func TestMake(t *testing.T) {
	tag := func(tag string) connect.Ref { return connect.Ref{Host: "host", Repository: "app", Tag: tag} }
	byDigest := func(letter string) connect.Ref {
		return connect.Ref{Host: "host", Repository: "app", Digest: digest(letter)}
	}
	for name, c := range map[string]struct {
		refs    []connect.Ref
		allTags bool
		goes    string // letters of digests and tags in the plan's order
		refused string
	}{
		"one tag of a signed image":  {[]connect.Ref{tag("a")}, false, ":a", ""},
		"all tags":                   {[]connect.Ref{tag("a"), tag("b")}, false, ":a :b 1 5 :sha256- 6", ""},
		"a digest with tags":         {[]connect.Ref{byDigest("1")}, false, "", "it also has the 2 tags a, b"},
		"a digest with one tag left": {[]connect.Ref{byDigest("1"), tag("a")}, false, ":a", "it also has the tag b"},
		"a digest with all its tags": {[]connect.Ref{byDigest("1"), tag("a"), tag("b")}, false, ":a :b 1 5 :sha256- 6", ""},
		"a digest and --all-tags":    {[]connect.Ref{byDigest("1")}, true, ":a :b 1 5 :sha256- 6", ""},
		"an index":                   {[]connect.Ref{tag("multi")}, false, ":multi 3 4", ""},
		"a part of an index":         {[]connect.Ref{byDigest("4")}, false, "", "part of app:multi"},
		"no such tag":                {[]connect.Ref{tag("none")}, false, "", "there is no such tag"},
		"no such manifest":           {[]connect.Ref{byDigest("9")}, false, "", "has no such manifest"},
		"no such repository":         {[]connect.Ref{{Host: "host", Repository: "other", Tag: "a"}}, false, "", "there is no such repository"},
	} {
		plan, refused := Make(inventory(), c.refs, c.allTags)
		var goes []string
		for _, r := range plan.Remove {
			_, tag, d, err := retention.SplitRef(r.Ref)
			if err != nil {
				t.Fatal(err)
			}
			if tag != "" {
				goes = append(goes, ":"+tag[:min(len(tag), 7)])
			} else {
				goes = append(goes, d[7:8])
			}
		}
		if got := strings.Join(goes, " "); got != c.goes {
			t.Errorf("%s: %s goes, want %s", name, got, c.goes)
		}
		var why []string
		for _, r := range refused {
			why = append(why, r.Reason)
		}
		if got := strings.Join(why, "; "); !strings.Contains(got, c.refused) || (got == "") != (c.refused == "") {
			t.Errorf("%s: refused %q, want %q", name, got, c.refused)
		}
	}
}

func TestARepositoryThatIsNotKnownWhole(t *testing.T) {
	inv := inventory()
	inv.Repositories[0].Incomplete = "cut short"
	plan, refused := Make(inv, []connect.Ref{{Host: "host", Repository: "app", Tag: "a"}}, false)
	if len(plan.Remove) > 0 || len(refused) != 1 || !strings.Contains(refused[0].Reason, "cut short") {
		t.Errorf("removes %v, refuses %v", plan.Remove, refused)
	}
}
