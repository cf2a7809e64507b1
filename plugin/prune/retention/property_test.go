package retention

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// random makes an inventory of a few repositories with everything that goes
// wrong in real ones: shared manifests, nested and broken indexes, circles,
// referrers of both kinds, orphans, missing dates, tags that lead nowhere.
func random(r *rand.Rand) *Inventory {
	inv := &Inventory{Version: 1, Place: "test:", Taken: now}
	for i := range 1 + r.IntN(3) {
		repo := Repository{Name: fmt.Sprintf("team/app%d", i)}
		if r.IntN(12) == 0 {
			repo.Incomplete = "the listing was cut short"
		}
		n := r.IntN(14)
		digest := func() string { return sha(string("0123456789abcdef"[r.IntN(n+2)])) } // a few lead nowhere
		for j := range n {
			repo.Manifests = append(repo.Manifests, manifest(r, sha(string("0123456789abcdef"[j])), digest))
		}
		for j := range r.IntN(10) {
			name := fmt.Sprintf("%s-%d", []string{"v1", "main", "feature"}[r.IntN(3)], j)
			switch r.IntN(8) {
			case 0:
				name = strings.Replace(digest(), ":", "-", 1)
			case 1:
				name = strings.Replace(digest(), ":", "-", 1) + []string{".sig", ".att", ".sbom"}[r.IntN(3)]
			}
			if !slices.ContainsFunc(repo.Tags, func(t Tag) bool { return t.Name == name }) {
				repo.Tags = append(repo.Tags, Tag{Name: name, Digest: digest()})
			}
		}
		inv.Repositories = append(inv.Repositories, repo)
	}
	if r.IntN(3) == 0 {
		inv.InUse = append(inv.InUse, Use{sha("3"), "pod"}, Use{"team/app0:main-1", "compose"})
	}
	return inv
}

func manifest(r *rand.Rand, digest string, other func() string) Manifest {
	m := Manifest{Digest: digest, Kind: KindImage, Bytes: 7, Labels: map[string]string{"environment": []string{"dev", "prod"}[r.IntN(2)]}}
	if r.IntN(8) > 0 {
		m.Created = days(r.Float64() * 60)
	}
	for _, at := range []*time.Time{&m.Pushed, &m.Pulled, &m.FirstSeen} {
		if r.IntN(3) == 0 {
			*at = days(r.Float64() * 60)
		}
	}
	m.Platform = []string{"linux/amd64", "linux/arm64", ""}[r.IntN(3)]
	switch r.IntN(6) {
	case 0, 1:
		m.Kind = KindIndex
		for range r.IntN(4) {
			m.Children = append(m.Children, Child{Digest: other(), Attestation: r.IntN(4) == 0})
		}
	case 2:
		m.Kind, m.Subject = KindArtifact, other()
	case 3:
		if r.IntN(3) == 0 {
			m.Kind = KindOpaque
		}
	}
	if m.Kind != KindIndex {
		m.Blobs = []Blob{{"config " + digest, 3}}
		for range r.IntN(4) {
			m.Blobs = append(m.Blobs, Blob{fmt.Sprint("layer ", r.IntN(9)), 10})
		}
	}
	if r.IntN(15) == 0 { // an image or an index that refers to another one
		m.Subject = other()
	}
	if r.IntN(20) == 0 {
		m.Pinned = "pinned"
	}
	if r.IntN(20) == 0 {
		m.Base = other()
	}
	if r.IntN(8) == 0 {
		m.Needs = []string{other(), other()}
	}
	return m
}

func randomPolicy(t *testing.T, r *rand.Rand) *Policy {
	t.Helper()
	var rules strings.Builder
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	for i := range 1 + r.IntN(3) {
		fmt.Fprintf(&rules, "- {name: r%d, %s%s%s}\n", i,
			one("", "", "select: {tag: 'feature*'}, ", "select: {label: {environment: dev}}, ", "select: {untagged: true}, ", "select: {orphaned: true}, ",
				"select: {platform: linux/amd64}, ", "select: {larger_than: 20B}, ", "select: {repository: 'team/*0', tag: ['v*', main*]}, ",
				"select: {reference: '/.*:(main|v1)-.*/'}, group: [repository, capture], "),
			one("", "", "", "age: pushed, ", "age: pulled, ", "age: first-seen, "),
			one("max_age: 10d", "max_count: 1", "max_age: 20d, max_count: 2, when: any, keep_latest: 1", "remove: true", "keep_latest: 2", "max_age: 5d, max_count: 1", "keep: true"))
	}
	p, err := ParsePolicy("random.yaml", fmt.Appendf(nil, "version: 1\nage: %s\nkeep_bases: %v\nlimits: {share: %d%%, min_age: %dh, keep_last: %v}\nprotect: ['*/*:v1-3', 'team/app2']\nrules:\n%s",
		one("created", "created", "first-seen"), r.IntN(3) > 0, []int{50, 100, 100}[r.IntN(3)], 1+r.IntN(2)*47, r.IntN(2) == 0, rules.String()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestNothingKeptNeedsWhatIsRemoved holds random plans to what every plan promises.
func TestNothingKeptNeedsWhatIsRemoved(t *testing.T) {
	removals := 0
	for seed := range uint64(2500) {
		r := rand.New(rand.NewPCG(seed, 1))
		inv, policy := random(r), randomPolicy(t, r)
		p := Make(inv, policy)
		if len(p.Remove) > 0 {
			removals++
		}
		for _, complaint := range slices.Concat(complaints(inv, p), reached(inv, p), brakes(inv, policy, p)) {
			t.Errorf("seed %d: %s", seed, complaint)
		}
		if all := together(inv, policy); print(t, all) != print(t, p) {
			t.Errorf("seed %d: the plan of repositories one at a time is not that of all of them together", seed)
		}
		shuffle(r, inv)
		if again := Make(inv, policy); print(t, again) != print(t, p) {
			t.Errorf("seed %d: the plan depends on the order of the facts", seed)
		}
		if t.Failed() {
			t.Fatal(print(t, p))
		}
	}
	if removals < 500 {
		t.Errorf("only %d random plans removed anything", removals)
	}
}

// together plans as Make does for rules that count over several repositories: with all
// facts there until the rules have spoken.
func together(inv *Inventory, p *Policy) *Plan {
	planner := NewPlanner(inv, p)
	planner.together = true
	for i := range inv.Repositories {
		planner.Add(&inv.Repositories[i])
	}
	return planner.Plan()
}

func shuffle(r *rand.Rand, inv *Inventory) {
	r.Shuffle(len(inv.Repositories), func(i, j int) {
		inv.Repositories[i], inv.Repositories[j] = inv.Repositories[j], inv.Repositories[i]
	})
	for i := range inv.Repositories {
		repo := &inv.Repositories[i]
		r.Shuffle(len(repo.Tags), func(i, j int) { repo.Tags[i], repo.Tags[j] = repo.Tags[j], repo.Tags[i] })
		r.Shuffle(len(repo.Manifests), func(i, j int) { repo.Manifests[i], repo.Manifests[j] = repo.Manifests[j], repo.Manifests[i] })
	}
}

func print(t *testing.T, p *Plan) string {
	t.Helper()
	var b strings.Builder
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// complaints looks at a plan with other eyes than the planner's: it follows
// digests from what stays, over the inventory itself.
func complaints(inv *Inventory, p *Plan) (out []string) {
	gone, place := map[string]bool{}, map[string]int{} // by reference
	for i, r := range p.Remove {
		if gone[r.Ref] {
			out = append(out, r.Ref+" is removed twice")
		}
		gone[r.Ref], place[r.Ref] = true, i
	}
	said := map[string]bool{}
	for _, k := range slices.Concat(p.Keep, p.Unknown) {
		said[k.Ref] = true
		if k.Reason == "" || gone[k.Ref] {
			out = append(out, fmt.Sprintf("%s is kept for %q, removed: %v", k.Ref, k.Reason, gone[k.Ref]))
		}
	}
	kept := map[string]bool{} // blobs
	var freed int64
	sizes := map[string]int64{}
	for _, repo := range inv.Repositories {
		manifests := map[string]*Manifest{}
		for i, m := range repo.Manifests {
			manifests[m.Digest] = &repo.Manifests[i]
		}
		for _, tag := range repo.Tags {
			ref := repo.Name + ":" + tag.Name
			if !gone[ref] {
				kept[tag.Digest] = true
				if gone[repo.Name+"@"+tag.Digest] {
					out = append(out, fmt.Sprintf("%s stays and its image %s goes", ref, tag.Digest))
				}
			}
			if !gone[ref] && !said[ref] {
				out = append(out, "nothing is said of "+ref)
			}
			if gone[ref] && repo.Incomplete != "" {
				out = append(out, ref+" is removed from an incomplete repository")
			}
		}
		for digest, m := range manifests {
			ref := repo.Name + "@" + digest
			sizes[digest] = m.Bytes
			for _, b := range m.Blobs {
				sizes[b.Digest] = b.Bytes
			}
			for _, c := range m.Children {
				child := repo.Name + "@" + c.Digest
				if !gone[ref] && gone[child] {
					out = append(out, fmt.Sprintf("%s stays and its part %s goes", ref, child))
				}
				if gone[ref] && gone[child] && place[child] < place[ref] && !circle(repo.Tags, manifests, c.Digest, digest) {
					out = append(out, fmt.Sprintf("%s goes before %s, which has it", child, ref))
				}
			}
			for _, d := range m.Needs {
				needed := repo.Name + "@" + d
				if !gone[ref] && gone[needed] {
					out = append(out, fmt.Sprintf("%s stays and %s goes, which it needs", ref, needed))
				}
				if gone[ref] && gone[needed] && place[needed] < place[ref] && !circle(repo.Tags, manifests, d, digest) {
					out = append(out, fmt.Sprintf("%s goes before %s, which needs it", needed, ref))
				}
			}
			subject := repo.Name + "@" + m.Subject
			if manifests[m.Subject] != nil && m.Subject != digest && gone[subject] != gone[ref] && !gone[ref] {
				out = append(out, fmt.Sprintf("%s stays and its subject %s goes", ref, subject))
			}
			if !gone[ref] {
				kept[digest] = true
				for _, b := range m.Blobs {
					kept[b.Digest] = true
				}
			}
			if gone[ref] && len(inv.InUse) > 0 && digest == inv.InUse[0].Image {
				out = append(out, ref+" is in use and goes")
			}
		}
	}
	removedBlobs := map[string]bool{}
	for _, repo := range inv.Repositories {
		for _, m := range repo.Manifests {
			for _, d := range append([]Blob{{Digest: m.Digest}}, m.Blobs...) {
				if !kept[d.Digest] && !removedBlobs[d.Digest] {
					removedBlobs[d.Digest] = true
					freed += sizes[d.Digest]
				}
			}
		}
	}
	var sum int64
	for _, r := range p.Remove {
		sum += r.Bytes
	}
	if freed != p.FreesBytes || sum != freed {
		out = append(out, fmt.Sprintf("frees %d bytes, the removals say %d, by the blobs it is %d", p.FreesBytes, sum, freed))
	}
	return out
}

// reached follows all there is from what stays: parts of indexes, referrers by
// their subject and by tags as cosign's, subjects, needs. Nothing that it comes to
// may go.
func reached(inv *Inventory, p *Plan) (out []string) {
	gone := map[string]bool{}
	for _, r := range p.Remove {
		gone[r.Ref] = true
	}
	for _, repo := range inv.Repositories {
		next := map[string][]string{} // from a digest to what has to stay with it
		have := map[string]bool{}
		for _, m := range repo.Manifests {
			have[m.Digest] = true
		}
		for _, m := range repo.Manifests {
			next[m.Digest] = append(next[m.Digest], m.Needs...)
			for _, c := range m.Children {
				next[m.Digest] = append(next[m.Digest], c.Digest)
			}
			if have[m.Subject] {
				next[m.Digest] = append(next[m.Digest], m.Subject)
				next[m.Subject] = append(next[m.Subject], m.Digest)
			}
		}
		subjects := map[string]int{}
		for _, t := range repo.Tags {
			if TagSubject(t.Name) != "" {
				subjects[t.Digest]++
			}
		}
		var stay []string
		for _, t := range repo.Tags {
			i := slices.IndexFunc(repo.Manifests, func(m Manifest) bool { return m.Digest == t.Digest })
			if s := TagSubject(t.Name); have[s] && i >= 0 && repo.Manifests[i].Subject == "" && subjects[t.Digest] == 1 {
				next[s] = append(next[s], t.Digest) // a signature of one image
			}
			if !gone[repo.Name+":"+t.Name] {
				stay = append(stay, t.Digest)
			}
		}
		seen := map[string]bool{}
		for len(stay) > 0 {
			d := stay[len(stay)-1]
			stay = stay[:len(stay)-1]
			if seen[d] {
				continue
			}
			seen[d] = true
			if gone[repo.Name+"@"+d] {
				out = append(out, fmt.Sprintf("%s@%s is reached from what stays, and goes", repo.Name, d))
			}
			stay = append(stay, next[d]...)
		}
	}
	return out
}

// brakes looks for what is never removed: what is pinned, protected, in use or too
// young, the last image of a repository, and more than a share of it.
func brakes(inv *Inventory, policy *Policy, p *Plan) (out []string) {
	gone := map[string]bool{}
	for _, r := range p.Remove {
		gone[r.Ref] = true
	}
	for _, repo := range inv.Repositories {
		for _, m := range repo.Manifests {
			ref := repo.Name + "@" + m.Digest
			own := !slices.ContainsFunc(repo.Manifests, func(o Manifest) bool { // what goes along is as old as what takes it
				return slices.ContainsFunc(o.Children, func(c Child) bool { return c.Digest == m.Digest })
			}) && m.Subject == "" && m.Kind == KindImage
			switch {
			case gone[ref] && m.Pinned != "":
				out = append(out, ref+" is pinned and goes")
			case gone[ref] && own && !slices.ContainsFunc(repo.Tags, func(t Tag) bool { return t.Digest == m.Digest && TagSubject(t.Name) != "" }) &&
				!m.Created.IsZero() && inv.Taken.Sub(m.Created) < policy.Limits.MinAge:
				out = append(out, ref+" is too young and goes")
			}
		}
		images, left := map[string]bool{}, map[string]bool{}
		for _, t := range repo.Tags {
			ref := repo.Name + ":" + t.Name
			if gone[ref] && (t.Name == "v1-3" || strings.HasPrefix(ref, "team/app2:")) {
				out = append(out, ref+" is protected and goes")
			}
			for _, use := range inv.InUse {
				if gone[ref] && (use.Image == ref || use.Image == t.Digest) {
					out = append(out, ref+" is in use and goes")
				}
			}
			i := slices.IndexFunc(repo.Manifests, func(m Manifest) bool { return m.Digest == t.Digest })
			if s := TagSubject(t.Name); (s == "" || s == t.Digest) && (i < 0 || repo.Manifests[i].Subject == "" || repo.Manifests[i].Subject == t.Digest) {
				images[t.Digest] = true
				if !gone[ref] {
					left[t.Digest] = true
				}
			}
		}
		if policy.Limits.KeepLast && len(images) > 0 && len(left) == 0 {
			out = append(out, repo.Name+" loses its last image")
		}
		if lost := len(images) - len(left); policy.Limits.Share < 1 && float64(lost) > policy.Limits.Share*float64(len(images))+0.001 {
			out = append(out, fmt.Sprintf("%s loses %d of its %d images", repo.Name, lost, len(images)))
		}
	}
	return out
}

// circle reports that one digest leads back to another, which no real one does.
func circle(tags []Tag, manifests map[string]*Manifest, from, to string) bool {
	seen := map[string]bool{}
	var reach func(string) bool
	reach = func(d string) bool {
		if d == to {
			return true
		}
		if seen[d] {
			return false
		}
		seen[d] = true
		for other, m := range manifests {
			named := slices.ContainsFunc(tags, func(t Tag) bool {
				return t.Digest == other && strings.HasPrefix(t.Name, strings.Replace(d, ":", "-", 1))
			})
			if (named || m.Subject == d) && reach(other) {
				return true
			}
		}
		if manifests[d] == nil {
			return false
		}
		return slices.ContainsFunc(manifests[d].Needs, reach) || slices.ContainsFunc(manifests[d].Children, func(c Child) bool { return reach(c.Digest) })
	}
	return reach(from)
}

// TestTheCheckCanFail spoils good plans.
func TestTheCheckCanFail(t *testing.T) {
	inv := &Inventory{Taken: now, Repositories: []Repository{repo("app", map[string]string{"1": "i", "2": "b"}, index("i", "a"), image("a", 1), image("b", 90))}}
	good := Make(inv, policy(t, old30))
	if c := complaints(inv, good); len(c) > 0 {
		t.Fatalf("a good plan: %v", c)
	}
	for name, spoil := range map[string]func(*Plan){
		"child":  func(p *Plan) { p.Remove = append(p.Remove, Removal{Kind: KindImage, Ref: "app@a", Digest: "a"}) },
		"root":   func(p *Plan) { p.Remove = append(p.Remove, Removal{Kind: KindIndex, Ref: "app@i", Digest: "i"}) },
		"silent": func(p *Plan) { p.Keep = nil },
		"bytes":  func(p *Plan) { p.FreesBytes++ },
	} {
		bad := Make(inv, policy(t, old30))
		spoil(bad)
		if len(complaints(inv, bad)) == 0 {
			t.Errorf("%s: the spoilt plan passes", name)
		}
	}
}

func BenchmarkMake(b *testing.B) {
	inv := &Inventory{Version: 1, Taken: now}
	for i := range 50 {
		r := Repository{Name: fmt.Sprintf("team/app%d", i)}
		for j := range 200 {
			m := image(fmt.Sprintf("sha256:%060d%04d", i, j), 0)
			m.Created = now.Add(-time.Duration(j) * time.Hour * 9)
			r.Manifests = append(r.Manifests, m)
			r.Tags = append(r.Tags, Tag{Name: fmt.Sprintf("v1.0.%d", j), Digest: m.Digest})
		}
		inv.Repositories = append(inv.Repositories, r)
	}
	p, err := ParsePolicy("bench.yaml", []byte("version: 1\nlimits: {share: 100%}\nrules: [{name: r, max_age: 30d, max_count: 150, when: any}]"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if len(Make(inv, p).Remove) == 0 {
			b.Fatal("nothing is removed")
		}
	}
}
