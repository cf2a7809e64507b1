package retention

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func days(n float64) time.Time { return now.Add(-time.Duration(n * 24 * float64(time.Hour))) }

// policy reads rules for a test. The share is unlimited, so that few images do.
func policy(t *testing.T, rules string) *Policy {
	t.Helper()
	text := "version: 1\nlimits: {share: 100%}\n" + rules
	p, err := ParsePolicy("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// repo is a repository in few words: tags lead to digests, manifests follow.
func repo(name string, tags map[string]string, manifests ...Manifest) Repository {
	r := Repository{Name: name, Manifests: manifests}
	for tag, digest := range tags {
		r.Tags = append(r.Tags, Tag{Name: tag, Digest: digest})
	}
	return r
}

func image(digest string, old float64) Manifest {
	return Manifest{Digest: digest, Kind: KindImage, Created: days(old), Bytes: 1, Platform: "linux/amd64",
		Blobs: []Blob{{"config of " + digest, 10}, {"base layer", 1000}, {"layer of " + digest, 100}}}
}

func index(digest string, children ...string) Manifest {
	m := Manifest{Digest: digest, Kind: KindIndex, Bytes: 1}
	for _, c := range children {
		m.Children = append(m.Children, Child{Digest: c, Attestation: strings.HasPrefix(c, "attestation")})
	}
	return m
}

func artifact(digest, subject string) Manifest {
	return Manifest{Digest: digest, Kind: KindArtifact, Subject: subject, Bytes: 1, Blobs: []Blob{{"blob of " + digest, 5}}}
}

// sha is a digest that a system tag can name.
func sha(c string) string { return "sha256:" + strings.Repeat(c, 64) }

func plan(p *Policy, repos ...Repository) *Plan {
	return Make(&Inventory{Version: 1, Taken: now, Repositories: repos}, p)
}

// removed is what a plan removes, as "kind ref".
func removed(p *Plan) []string {
	out := []string{}
	for _, r := range p.Remove {
		out = append(out, string(r.Kind)+" "+r.Ref)
	}
	return out
}

func expect(t *testing.T, p *Plan, want ...string) {
	t.Helper()
	got := removed(p)
	if !slices.Equal(got, want) {
		t.Errorf("removed\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// reason is why a plan keeps a reference.
func reason(t *testing.T, p *Plan, ref string) string {
	t.Helper()
	for _, k := range slices.Concat(p.Keep, p.Unknown) {
		if k.Ref == ref {
			return k.Reason
		}
	}
	t.Errorf("the plan does not say that %s is kept", ref)
	return ""
}

const old30 = "rules: [{name: old, max_age: 30d}]"

func TestAgeAndItsBoundary(t *testing.T) {
	p := plan(policy(t, old30), repo("app", map[string]string{"new": "n", "old": "o", "edge": "e"}, image("n", 1), image("o", 31), image("e", 30)))
	expect(t, p, "tag app:old", "image app@o")
	if p.FreesBytes != 111 {
		t.Errorf("frees %d bytes, want 111: manifest, configuration and own layer, not the shared one", p.FreesBytes)
	}
}

func TestImplausibleDatesAreUnknown(t *testing.T) {
	for name, created := range map[string]time.Time{
		"none": {}, "1970": time.Unix(0, 0), "1980": time.Date(1980, 1, 1, 0, 0, 1, 0, time.UTC), "future": now.Add(48 * time.Hour),
	} {
		m := image("x", 0)
		m.Created = created
		p := plan(policy(t, "rules: [{name: a, max_age: 1d}, {name: b, max_count: 0}, {name: c, remove: true}]"), repo("app", map[string]string{"1": "x", "2": "n"}, m, image("n", 90)))
		expect(t, p, "tag app:2", "image app@n")
		if len(p.Unknown) != 1 || p.Unknown[0].Ref != "app:1" {
			t.Errorf("created %s: unknown is %v", name, p.Unknown)
		}
	}
}

func TestAllAndAny(t *testing.T) {
	images := repo("app", map[string]string{"1": "a", "2": "b", "3": "c", "4": "d"}, image("a", 1), image("b", 2), image("c", 40), image("d", 50))
	expect(t, plan(policy(t, "rules: [{name: r, max_age: 30d, max_count: 3}]"), images), "tag app:4", "image app@d")
	expect(t, plan(policy(t, "rules: [{name: r, max_age: 30d, max_count: 1, when: any}]"), images),
		"tag app:2", "image app@b", "tag app:3", "image app@c", "tag app:4", "image app@d")
}

func TestDistinctDigestsAreCounted(t *testing.T) {
	p := plan(policy(t, "rules: [{name: r, max_count: 2}]"),
		repo("app", map[string]string{"3": "a", "latest": "a", "stable": "a", "2": "b", "1": "c"}, image("a", 1), image("b", 2), image("c", 3)))
	expect(t, p, "tag app:1", "image app@c")
}

func TestTiesAreStable(t *testing.T) {
	p := plan(policy(t, "rules: [{name: r, max_count: 1}]"),
		repo("app", map[string]string{"v1.9": "z", "v1.10": "a", "v1.2": "m"}, image("z", 5), image("a", 5), image("m", 5)))
	expect(t, p, "tag app:v1.2", "image app@m", "tag app:v1.9", "image app@z")
}

func TestKeepBeatsRemove(t *testing.T) {
	images := repo("app", map[string]string{"v1": "a", "v2": "b", "f1": "c", "both": "c", "f2": "d"}, image("a", 90), image("b", 80), image("c", 70), image("d", 60))
	p := plan(policy(t, `rules:
- {name: old, max_age: 30d}
- {name: releases, select: {tag: "v*"}, keep: true}
- {name: latest feature, select: {tag: "f*"}, keep_latest: 1}
`), images)
	// f1 and both are tags of one image, and go together.
	expect(t, p, "tag app:both", "tag app:f1", "image app@c")
}

func TestOneTagOfAnImageGoesAlone(t *testing.T) {
	p := plan(policy(t, `rules: [{name: features, select: {tag: "f*"}, max_age: 1d}]`), repo("app", map[string]string{"f1": "a", "v1": "a"}, image("a", 90)))
	expect(t, p, "tag app:f1")
	if p.FreesBytes != 0 {
		t.Errorf("a name frees %d bytes", p.FreesBytes)
	}
}

func TestGroups(t *testing.T) {
	m := func(digest, env string, old float64) Manifest {
		i := image(digest, old)
		i.Labels = map[string]string{"environment": env}
		return i
	}
	a := repo("a", map[string]string{"pr-1-x": "1", "pr-1-y": "2", "pr-2-x": "3"}, m("1", "dev", 3), m("2", "dev", 2), m("3", "prod", 1))
	b := repo("b", map[string]string{"pr-1-z": "4"}, m("4", "dev", 4))
	for group, want := range map[string][]string{
		"repository":                      {"tag a:pr-1-x", "tag a:pr-1-y"},
		"[]":                              {"tag a:pr-1-x", "tag a:pr-1-y", "tag b:pr-1-z"},
		"label:environment":               {"tag a:pr-1-x", "tag b:pr-1-z"},
		"[repository, label:environment]": {"tag a:pr-1-x"},
		"capture":                         {"tag a:pr-1-x", "tag b:pr-1-z"},
	} {
		p := policy(t, fmt.Sprintf(`rules: [{name: r, select: {tag: '/pr-(\d+)-.*/'}, group: %s, max_count: 1}]`, group))
		p.Limits.KeepLast = false
		got := slices.DeleteFunc(removed(plan(p, a, b)), func(s string) bool { return !strings.HasPrefix(s, "tag") })
		if !slices.Equal(got, want) {
			t.Errorf("group %s removes %v, want %v", group, got, want)
		}
	}
}

func TestIndexIsAsYoungAsItsYoungestChild(t *testing.T) {
	r := repo("app", map[string]string{"mixed": "i1", "old": "i2", "undated": "i3"},
		index("i1", "a", "b"), index("i2", "b", "c", "attestation"), index("i3", "c", "d"),
		image("a", 1), image("b", 90), image("c", 80), Manifest{Digest: "d", Kind: KindImage}, artifact("attestation", ""))
	p := plan(policy(t, old30), r)
	expect(t, p, "tag app:old", "index app@i2", "artifact app@attestation")
	if why := reason(t, p, "app:undated"); !strings.Contains(why, "not known") {
		t.Errorf("an index with an undated child: %s", why)
	}
	if why := reason(t, p, "app@c"); why != "part of app:undated" {
		t.Errorf("a child of a kept index is kept for %q", why)
	}
}

func TestReferrersLiveAndDieWithTheirSubject(t *testing.T) {
	young, old := sha("a"), sha("b")
	tags := map[string]string{
		"new": young, "old": old,
		strings.Replace(young, ":", "-", 1):          "f1", // the fallback tag of the referrers
		strings.Replace(old, ":", "-", 1):            "f2",
		strings.Replace(old, ":", "-", 1) + ".sig":   "sig2",
		strings.Replace(young, ":", "-", 1) + ".sig": "sig1",
	}
	sig := func(digest string) Manifest { m := image(digest, 0); m.Created = time.Time{}; return m }
	p := plan(policy(t, "rules: [{name: r, max_count: 1}]"), repo("app", tags, image(young, 1), image(old, 90),
		index("f1", "r1"), index("f2", "r2"), artifact("r1", young), artifact("r2", old), sig("sig1"), sig("sig2")))
	expect(t, p, "tag app:old", "image app@"+old,
		"tag app:sha256-"+strings.Repeat("b", 64), "index app@f2", "artifact app@r2",
		"tag app:sha256-"+strings.Repeat("b", 64)+".sig", "image app@sig2")
}

func TestOrphansGoOnlyWhenAsked(t *testing.T) {
	lost := artifact("r", "gone")
	lost.FirstSeen = days(3)
	r := repo("app", map[string]string{"1": "a", "sha256-" + strings.Repeat("c", 64) + ".sig": "s"}, image("a", 90), image("b", 91), image("s", 92), lost)
	expect(t, plan(policy(t, "rules: [{name: all, max_age: 1d}]"), r), "image app@b")
	expect(t, plan(policy(t, "rules: [{name: lost, select: {orphaned: true}, remove: true}]"), r),
		"tag app:sha256-"+strings.Repeat("c", 64)+".sig", "image app@s", "artifact app@r")
}

func TestWhatIsNeverRemoved(t *testing.T) {
	all := "rules: [{name: all, remove: true}]"
	two := func(m Manifest) Repository {
		return repo("app", map[string]string{"spare": "spare", "it": m.Digest}, image("spare", 100), m)
	}
	pinned := image("x", 50)
	pinned.Pinned = "pinned by the engine"
	for name, c := range map[string]struct {
		rules string
		inv   Inventory
		why   string
	}{
		"young":                   {all, Inventory{Repositories: []Repository{two(image("x", 0.01))}}, "only 14 minutes old"},
		"used by digest":          {all, Inventory{Repositories: []Repository{two(image("sha256:x", 9))}, InUse: []Use{{"sha256:x", "pod web"}}}, "in use by pod web"},
		"used by image ID":        {all, Inventory{Repositories: []Repository{two(image("sha256:x", 9))}, InUse: []Use{{"sha256:y", "no one"}, {"any@config of sha256:x", "container web"}}}, "in use by container web"},
		"used by name":            {all, Inventory{Repositories: []Repository{two(image("x", 9))}, InUse: []Use{{"app:it", "compose.yaml"}}}, "in use by compose.yaml"},
		"used by name, with host": {all, Inventory{Host: "reg.example.com", Repositories: []Repository{two(image("x", 9))}, InUse: []Use{{"reg.example.com/app:it", "compose.yaml"}}}, "in use by compose.yaml"},
		"protected":               {"protect: ['app:i*']\n" + all, Inventory{Repositories: []Repository{two(image("x", 9))}}, "protected by app:i*"},
		"pinned":                  {all, Inventory{Repositories: []Repository{two(pinned)}}, "pinned by the engine"},
		"last":                    {all, Inventory{Repositories: []Repository{two(image("x", 9))}}, "the last image of app"},
		"opaque":                  {all, Inventory{Repositories: []Repository{two(Manifest{Digest: "x", Kind: KindOpaque, Created: days(9)})}}, "can't be read"},
		"lacks a part":            {all, Inventory{Repositories: []Repository{two(index("x", "gone"))}}, "is missing"},
		"listing cut short":       {all, Inventory{Repositories: []Repository{{Name: "app", Incomplete: "page 2: 502", Tags: []Tag{{Name: "it", Digest: "x"}}, Manifests: []Manifest{image("x", 9)}}}}, "page 2: 502"},
	} {
		c.inv.Taken = now
		p := Make(&c.inv, policy(t, c.rules))
		ref := "app:it"
		if c.inv.Host != "" {
			ref = c.inv.Host + "/" + ref
		}
		if why := reason(t, p, ref); !strings.Contains(why, c.why) {
			t.Errorf("%s: kept for %q, want %q", name, why, c.why)
		}
		if name != "listing cut short" && len(p.Remove) == 0 {
			t.Errorf("%s: nothing is removed, so the test shows nothing", name)
		}
	}
}

func TestImageUsedByDigestKeepsItsIndex(t *testing.T) {
	r := repo("app", map[string]string{"old": "i", "spare": "s"}, index("i", "sha256:c"), image("sha256:c", 90), image("s", 1))
	p := Make(&Inventory{Taken: now, Repositories: []Repository{r}, InUse: []Use{{"sha256:c", "pod"}}}, policy(t, old30))
	expect(t, p)
}

func TestBasesOfKeptImagesStay(t *testing.T) {
	base := image("base", 300)
	base.Blobs = base.Blobs[:2]
	named := image("named", 300)
	named.Blobs[1].Digest = "another layer"
	app := image("app", 1)
	app.Base = "named"
	repos := []Repository{repo("base", map[string]string{"1": "base", "2": "named", "3": "x"}, base, named, image("x", 300)), repo("app", map[string]string{"1": "app"}, app)}
	expect(t, plan(policy(t, old30), repos...), "tag base:3", "image base@x")
	without := policy(t, "keep_bases: false\n"+old30)
	without.Limits.KeepLast = false
	if n := len(plan(without, repos...).Remove); n != 6 {
		t.Errorf("keep_bases: false removes %d tags and images, want 6", n)
	}
}

func TestBrakeStopsARepository(t *testing.T) {
	p := policy(t, old30)
	p.Limits.Share = 0.5
	half := repo("half", map[string]string{"1": "a", "2": "b"}, image("a", 1), image("b", 90))
	most := repo("most", map[string]string{"1": "a", "2": "b", "3": "c"}, image("a", 1), image("b", 90), image("c", 91))
	got := plan(p, half, most)
	expect(t, got, "tag half:2", "image half@b")
	if len(got.Stopped) != 1 || got.Stopped[0].Repository != "most" || got.Stopped[0].Reason != "2 of its 3 images would go, more than 50%" {
		t.Errorf("stopped: %v", got.Stopped)
	}
	// What is kept elsewhere still holds on to the shared layer.
	if got.FreesBytes != 111-100-10-1 && got.FreesBytes != 0 {
		t.Errorf("frees %d bytes, but the other repository has all of them", got.FreesBytes)
	}
}

// An image that stays for an index alone which no tag leads to counts as one that goes.
func TestBrakeCountsWhatNobodyFinds(t *testing.T) {
	p := policy(t, "rules: [{name: old, select: {tag: '?'}, max_age: 30d}]")
	p.Limits.Share = 0.5
	images := []Manifest{image("a", 1), image("b", 90), image("c", 91), index("list", "b", "c")}
	tags := map[string]string{"1": "a", "2": "b", "3": "c"}
	got := plan(p, repo("lost", tags, images...))
	expect(t, got)
	if len(got.Stopped) != 1 || got.Stopped[0].Reason != "2 of its 3 images would go, more than 50%" {
		t.Errorf("stopped: %v", got.Stopped)
	}
	tags["list"] = "list"
	expect(t, plan(p, repo("found", tags, images...)), "tag found:2", "tag found:3")
}

func TestSharedBytesAreCountedOnceAndLast(t *testing.T) {
	p := policy(t, old30)
	p.Limits.KeepLast = false
	got := plan(p, repo("app", map[string]string{"1": "a", "2": "b"}, image("a", 90), image("b", 91)))
	if got.FreesBytes != 2*111+1000 {
		t.Errorf("frees %d bytes", got.FreesBytes)
	}
	var bytes []int64
	for _, r := range got.Remove {
		bytes = append(bytes, r.Bytes)
	}
	if !slices.Equal(bytes, []int64{0, 111, 0, 1111}) {
		t.Errorf("bytes of the removals: %v; the layer of both is freed with the last", bytes)
	}
}

func TestPlanReadsBack(t *testing.T) {
	p := plan(policy(t, old30), repo("app", map[string]string{"new": "n", "old": "o"}, image("n", 1), image("o", 31)))
	var first, second strings.Builder
	if err := p.Write(&first); err != nil {
		t.Fatal(err)
	}
	again, err := ReadPlan([]byte(first.String()))
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Write(&second); err != nil || first.String() != second.String() {
		t.Errorf("a plan that was read differs from the one written (%v):\n%s", err, second.String())
	}
	for _, bad := range []string{"", "{}", `{"version":2}`, first.String() + "{}", strings.Replace(first.String(), "app:old", "app", 1), strings.Replace(first.String(), `"kind"`, `"sort"`, 1)} {
		if _, err := ReadPlan([]byte(bad)); err == nil {
			t.Errorf("a bad plan was read: %.80q", bad)
		}
	}
}
