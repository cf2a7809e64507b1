// Package doctor is `docker imgmgr registry doctor`: it says what a registry can do,
// and what that means for prune and sync.
//
// probe.go asks the registry and gets [Answers]; [Diagnose] is pure and makes
// findings of them; command.go prints those.
package doctor

// Answer is what a probe has found.
type Answer string

const (
	Yes      Answer = "yes"
	No       Answer = "no"
	Unknown  Answer = "unknown"   // the registry's answer can be read in two ways
	NotTried Answer = "not tried" // it takes a write, or something to read that isn't there
)

// Answers are what all probes have found.
type Answers struct {
	Login   string // how it wants credentials: "none", "basic", "token"
	Catalog Answer // lists its repositories
	Pages   Answer // its lists have an end that can be told from a cut
	// PlainIndex says that an index is given to a client that accepts nothing
	// special. Distribution 2 refuses, and that is how it is known.
	PlainIndex     Answer
	Digests        Answer // HEAD of a tag says its digest
	Referrers      Answer // the referrers API
	Subjects       Answer // a pushed referrer is then found
	Range          Answer // a blob is read from the middle on
	Mount          Answer // a blob is taken from another repository without an upload
	DeleteTag      Answer // a tag goes and its image stays
	DeleteManifest Answer
	Undo           Answer // a deleted manifest is taken back
	Wrote          bool   // test images were written, and deleted
}

// Level says how bad a finding is.
type Level string

const (
	Good    Level = "ok"
	Limited Level = "limited" // it works, in another way or slower
	Danger  Level = "danger"  // something beside imgmgr would lose images
	Missing Level = "missing" // prune can't do its work
	Open    Level = "?"       // not known
)

// Finding is one row: what was looked at, what was found, and what it means.
type Finding struct {
	Check  string `json:"check"`
	Answer string `json:"answer"`
	Level  Level  `json:"level"`
	Means  string `json:"means"`
}

// Diagnose says what answers mean.
func Diagnose(a Answers) []Finding {
	rows := []struct {
		check  string
		answer Answer
		bad    Level // of No
		yes    string
		no     string
	}{
		{"list repositories", a.Catalog, Limited,
			"prune and sync can be given the whole registry", "name each repository: HOST/REPOSITORY"},
		{"pages of lists", a.Pages, Limited,
			"lists are read page by page to their end", "a list comes in one answer, whatever its length: imgmgr asks for 1,000 names, and for more where so many come"},
		{"digest of a tag", a.Digests, Limited,
			"one HEAD a tag", "each tag costs a GET of its manifest"},
		{"referrers API", a.Referrers, Limited,
			"signatures and SBOMs are asked for by their image", "signatures and SBOMs are found by their tags (sha256-…)"},
		{"referrers are kept", a.Subjects, Missing,
			"a pushed referrer is found by its image", "a pushed referrer was not found: it would not go with its image"},
		{"range requests", a.Range, Limited,
			"sync goes on in the middle of a layer", "sync reads a layer from its start after a cut"},
		{"mount of blobs", a.Mount, Limited,
			"sync sends no layer that another repository has", "sync sends each layer once for every repository"},
		{"delete a tag", a.DeleteTag, Limited,
			"a tag can go while other tags keep its image", "a tag of an image that stays can't go: prune leaves it, which costs no space"},
		{"delete a manifest", a.DeleteManifest, Missing,
			"prune can remove images", "prune can't remove anything: allow deletes (distribution: REGISTRY_STORAGE_DELETE_ENABLED=true), or use other credentials"},
		{"undo a delete", a.Undo, Missing,
			"prune undo gives images back, until garbage is collected", "what prune removes can't be given back"},
	}
	out := []Finding{login(a.Login)}
	for _, r := range rows {
		f := Finding{Check: r.check, Answer: string(r.answer), Level: Open, Means: "not known"}
		switch r.answer {
		case Yes:
			f.Level, f.Means = Good, r.yes
		case No:
			f.Level, f.Means = r.bad, r.no
		case NotTried:
			if r.check == "referrers are kept" && a.Referrers == No {
				continue // it is about the referrers API
			}
			f.Means = "run without --read-only to find out"
		}
		out = append(out, f)
	}
	return append(out, collection(a))
}

func login(kind string) Finding {
	f := Finding{Check: "login", Answer: kind, Level: Good, Means: "tokens are asked for and renewed"}
	switch kind {
	case "none":
		f.Level, f.Means = Danger, "anybody who reaches it can do what was done here"
	case "basic":
		f.Means = "name and password go with each request"
	}
	return f
}

// collection is about distribution's garbage collection. Versions 2 delete the
// platforms of an index that has a tag as soon as they are asked to delete what has
// none. Source: distribution issue 3178, fixed in 3.0.
func collection(a Answers) Finding {
	f := Finding{Check: "garbage collection", Answer: string(Unknown), Level: Open, Means: "imgmgr never starts it"}
	switch {
	case a.PlainIndex == No:
		f.Answer, f.Level = "distribution 2", Danger
		f.Means = "never run garbage-collect --delete-untagged (-m): it deletes the platforms of images that have a tag. Without that flag it is safe, as long as nobody pushes"
	case a.PlainIndex == Yes:
		f.Answer, f.Level = "not distribution 2", Good
		f.Means = "what prune frees comes back when the registry collects; undo works until then"
	}
	return f
}

// Fit reports that prune can work with such a registry.
func Fit(findings []Finding) bool {
	for _, f := range findings {
		if f.Level == Missing {
			return false
		}
	}
	return true
}
