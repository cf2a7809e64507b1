package prune

import (
	"context"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// wordStore is a place with one repository, whose manifests are their digests' words.
type wordStore struct {
	tags      map[string]string
	manifests map[string]string
	referrers map[string][]string // by the referrers API

	unlisted   string // a tag that the listing lacks
	takesImage bool   // a tag that goes takes its image with it
	cascades   bool   // a manifest that goes takes its referrers and signatures with it
	hides      string // a manifest that is not there, for the first who asks
}

func (s *wordStore) Tags(context.Context, string) (map[string]string, error) {
	out := maps.Clone(s.tags)
	delete(out, s.unlisted)
	return out, nil
}

func (s *wordStore) Tag(_ context.Context, _, tag string) (string, error) {
	if s.tags[tag] == "" {
		return "", fs.ErrNotExist
	}
	return s.tags[tag], nil
}

func (s *wordStore) Manifest(_ context.Context, _, digest string) (string, []byte, error) {
	content, ok := s.manifests[digest]
	if !ok || s.hides == digest {
		s.hides = ""
		return "", nil, fs.ErrNotExist
	}
	return "", []byte(content), nil
}

func (s *wordStore) DeleteManifest(ctx context.Context, repository, digest string) error {
	delete(s.manifests, digest)
	if s.cascades && digest != "" {
		for _, d := range append(s.referrers[digest], s.tags[signature(digest)]) {
			if err := s.DeleteManifest(ctx, repository, d); err != nil {
				return err
			}
		}
	}
	maps.DeleteFunc(s.tags, func(_, d string) bool { return d == digest })
	return nil
}

func (s *wordStore) DeleteTag(ctx context.Context, repository, tag string) error {
	if s.takesImage {
		return s.DeleteManifest(ctx, repository, s.tags[tag])
	}
	delete(s.tags, tag)
	return nil
}

func (s *wordStore) Put(_ context.Context, _, reference, _ string, content []byte) error {
	if strings.HasPrefix(reference, "sha256:") {
		s.manifests[reference] = string(content)
	} else {
		s.tags[reference] = sha(content[0])
	}
	return nil
}

func (s *wordStore) Referrers(_ context.Context, _, digest string) ([]string, bool, error) {
	return s.referrers[digest], true, nil
}

// signature is cosign's tag.
func signature(digest string) string { return strings.Replace(digest, ":", "-", 1) + ".sig" }

func sha(c byte) string { return "sha256:" + strings.Repeat(string(c), 64) }

// What the plan couldn't know, or a place says wrongly, costs no image.
func TestNothingGoesByAWrongAnswer(t *testing.T) {
	removal := func(kind retention.Kind, ref string, c byte) retention.Removal {
		return retention.Removal{Kind: kind, Ref: ref, Digest: sha(c)}
	}
	image := []retention.Removal{removal(retention.KindTag, "app:old", 'a'), removal(retention.KindImage, "app@"+sha('a'), 'a')}
	for name, c := range map[string]struct {
		change func(*wordStore)
		remove []retention.Removal
		reason string // "" where all goes
	}{
		"all is well":           {func(*wordStore) {}, image, ""},
		"it goes, listed":       {func(s *wordStore) { s.referrers = map[string][]string{sha('a'): {sha('d')}} }, image, ""},
		"the list lacks it":     {func(s *wordStore) { s.unlisted = "old" }, image, "the list of tags lacks old"},
		"the list lacks others": {func(s *wordStore) { s.unlisted = "stays" }, image, "the list of tags lacks stays"},
		"signed, by the API":    {func(s *wordStore) { s.referrers = map[string][]string{sha('a'): {sha('c')}} }, image, "signed or described after the plan"},
		"part of what is new, which hides": {func(s *wordStore) {
			s.tags["new"], s.manifests[sha('e')] = sha('e'), `{"manifests":[{"digest":"`+sha('a')+`"}]}`
			s.hides = sha('e')
		}, image, "tag new came to it after the plan"},
		"a tag alone":             {func(*wordStore) {}, []retention.Removal{removal(retention.KindTag, "app:also", 'b')}, ""},
		"a tag takes all with it": {func(s *wordStore) { s.takesImage = true }, []retention.Removal{removal(retention.KindTag, "app:also", 'b')}, "which was given back"},
	} {
		s := &wordStore{
			tags:      map[string]string{"old": sha('a'), "stays": sha('b'), "also": sha('b')},
			manifests: map[string]string{sha('a'): "a", sha('b'): "b", sha('d'): "d"},
		}
		c.change(s)
		before := maps.Clone(s.manifests)
		plan := &retention.Plan{Version: retention.PlanVersion, Place: "registry://x", Taken: time.Unix(0, 0), Remove: c.remove,
			Keep: []retention.Kept{{Ref: "app:stays", Digest: sha('b')}, {Ref: "app:also", Digest: sha('b')}, {Ref: "app@" + sha('d'), Digest: sha('d')}}}
		journal, err := NewJournal(t.TempDir(), time.Unix(0, 0), plan)
		if err != nil {
			t.Fatal(err)
		}
		out, err := Execute(t.Context(), s, plan, journal, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := journal.Close(true); err != nil {
			t.Fatal(err)
		}
		said := ""
		for _, skip := range append(out.Skipped, out.Failed...) {
			said += skip.Reason
		}
		if c.reason == "" && (said != "" || len(out.Removed) == 0) || !strings.Contains(said, c.reason) {
			t.Errorf("%s: removed %v, and said %q, want %q", name, out.Removed, said, c.reason)
		}
		if c.reason != "" && !maps.Equal(s.manifests, before) {
			t.Errorf("%s: left are %v of %v", name, s.manifests, before)
		}
		if s.tags["stays"] == "" {
			t.Errorf("%s: a tag that was to stay is gone: %v", name, s.tags)
		}
	}
}

// What a registry deletes with its subject is in the journal, too, and comes back.
func TestWhatGoesWithItsSubjectComesBack(t *testing.T) {
	for _, cascades := range []bool{false, true} {
		sig := signature(sha('a'))
		s := &wordStore{
			cascades: cascades, referrers: map[string][]string{sha('a'): {sha('b')}, sha('b'): {sha('d')}},
			tags:      map[string]string{"old": sha('a'), "stays": sha('e'), sig: sha('c')},
			manifests: map[string]string{sha('a'): "a", sha('b'): "b", sha('c'): "c", sha('d'): "d", sha('e'): "e"},
		}
		tags, manifests := maps.Clone(s.tags), maps.Clone(s.manifests)
		plan := &retention.Plan{Version: retention.PlanVersion, Place: "registry://x", Taken: time.Unix(0, 0)}
		for _, r := range []retention.Removal{
			{Kind: retention.KindTag, Ref: "app:old", Digest: sha('a')}, {Kind: retention.KindImage, Ref: "app@" + sha('a'), Digest: sha('a')},
			{Kind: retention.KindArtifact, Ref: "app@" + sha('b'), Digest: sha('b')}, {Kind: retention.KindArtifact, Ref: "app@" + sha('d'), Digest: sha('d')},
			{Kind: retention.KindTag, Ref: "app:" + sig, Digest: sha('c')}, {Kind: retention.KindImage, Ref: "app@" + sha('c'), Digest: sha('c')},
		} {
			plan.Remove = append(plan.Remove, r)
		}
		journal, err := NewJournal(t.TempDir(), time.Unix(0, 0), plan)
		if err != nil {
			t.Fatal(err)
		}
		out, err := Execute(t.Context(), s, plan, journal, nil)
		if err != nil || len(out.Removed) != 4 || len(s.manifests) != 1 || len(s.tags) != 1 {
			t.Errorf("cascades %v: %+v, %v; left are %v, %v", cascades, out, err, s.tags, s.manifests)
		}
		if err := journal.Close(true); err != nil {
			t.Fatal(err)
		}
		_, entries, err := ReadJournal(journal.Dir)
		if err != nil || len(entries) != 4 {
			t.Errorf("cascades %v: the journal has %v, %v", cascades, entries, err)
		}
		back, err := Restore(t.Context(), s, entries, nil)
		if err != nil || len(back.Lost)+len(back.Left) > 0 || !maps.Equal(s.tags, tags) || !maps.Equal(s.manifests, manifests) {
			t.Errorf("cascades %v: given back are %v, %v; %+v, %v", cascades, s.tags, s.manifests, back, err)
		}
	}
}
