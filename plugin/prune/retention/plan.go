package retention

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// PlanVersion is the version of the plan's format.
const PlanVersion = 1

// Plan says of every tag and every image what becomes of it, and why.
type Plan struct {
	Version int       `json:"version"`
	Place   string    `json:"place"`
	Taken   time.Time `json:"taken"`
	Policy  string    `json:"policy"` // its name and the digest of its text
	// Remove is in the order in which it has to be done: an index before its
	// children, a subject before its referrers, so that a run that ends early
	// leaves nothing that lacks a part.
	Remove  []Removal `json:"remove"`
	Keep    []Kept    `json:"keep"`
	Unknown []Kept    `json:"unknown"` // kept, for too little is known of it
	// Stopped are the repositories that a brake or an incomplete listing spared.
	Stopped []Stop `json:"stopped,omitempty"`
	// FreesBytes is what is freed once all of Remove is gone and the place has
	// collected its garbage. AtMost says that repositories outside of the plan may
	// share some of it.
	FreesBytes int64 `json:"freesBytes"`
	AtMost     bool  `json:"atMost,omitempty"`
	// Final says that nothing of it can be given back.
	Final bool `json:"final,omitempty"`
}

// Removal is one tag or one manifest that goes.
type Removal struct {
	// Kind is "tag" for a name alone, else what the manifest is.
	Kind Kind `json:"kind"`
	// Ref is "HOST/REPOSITORY:TAG" for a tag and "HOST/REPOSITORY@DIGEST" for a
	// manifest.
	Ref    string `json:"ref"`
	Digest string `json:"digest"`
	// Bytes are freed by this removal after those before it.
	Bytes  int64  `json:"bytes"`
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
	Title  string `json:"title,omitempty"` // as in [Manifest]
}

// KindTag is the kind of a removal that takes a name away.
const KindTag Kind = "tag"

// Kept is one tag or manifest that stays. Fields are as in [Removal].
type Kept struct {
	Kind   Kind   `json:"kind"`
	Ref    string `json:"ref"`
	Digest string `json:"digest"`
	Reason string `json:"reason"`
}

// Stop is a repository from which nothing is removed.
type Stop struct {
	Repository string `json:"repository"`
	Reason     string `json:"reason"`
}

// Write prints the plan as JSON, entry by entry: a plan can have millions of them.
func (p *Plan) Write(w io.Writer) error {
	out := &printer{w: bufio.NewWriter(w)}
	out.nested("{", "}", func() {
		out.number("version", int64(p.Version))
		out.string("place", p.Place)
		out.string("taken", p.Taken.Format(time.RFC3339Nano))
		out.string("policy", p.Policy)
		printList(out, "remove", p.Remove, func(r *Removal) {
			out.string("kind", string(r.Kind))
			out.string("ref", r.Ref)
			out.string("digest", r.Digest)
			out.number("bytes", r.Bytes)
			out.string("rule", r.Rule)
			out.string("reason", r.Reason)
			if r.Title != "" {
				out.string("title", r.Title)
			}
		})
		kept := func(k *Kept) {
			out.string("kind", string(k.Kind))
			out.string("ref", k.Ref)
			out.string("digest", k.Digest)
			out.string("reason", k.Reason)
		}
		printList(out, "keep", p.Keep, kept)
		printList(out, "unknown", p.Unknown, kept)
		if len(p.Stopped) > 0 {
			printList(out, "stopped", p.Stopped, func(s *Stop) {
				out.string("repository", s.Repository)
				out.string("reason", s.Reason)
			})
		}
		out.number("freesBytes", p.FreesBytes)
		if p.AtMost {
			out.literal("atMost", "true")
		}
		if p.Final {
			out.literal("final", "true")
		}
	})
	out.w.WriteString("\n")
	return out.w.Flush()
}

// ReadPlan reads what Write wrote, and refuses what Write wouldn't write.
func ReadPlan(text []byte) (*Plan, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	p := &Plan{}
	if err := dec.Decode(p); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	if p.Version != PlanVersion {
		return nil, fmt.Errorf("read the plan: its version is %d, want %d: make it anew", p.Version, PlanVersion)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read the plan: there is more text behind its end")
	}
	for _, r := range p.Remove {
		if _, _, _, err := SplitRef(r.Ref); err != nil || r.Digest == "" {
			return nil, fmt.Errorf("read the plan: %q names nothing that can be removed", r.Ref)
		}
	}
	return p, nil
}

// SplitRef takes a plan's reference apart. Either tag or digest is "".
func SplitRef(ref string) (repository, tag, digest string, err error) {
	if repo, digest, ok := strings.Cut(ref, "@"); ok && repo != "" && digest != "" {
		return repo, "", digest, nil
	}
	colon := strings.LastIndexByte(ref, ':')
	if colon <= 0 || colon == len(ref)-1 || strings.Contains(ref[colon:], "/") {
		return "", "", "", fmt.Errorf("%q is no NAME:TAG and no NAME@DIGEST", ref)
	}
	return ref[:colon], ref[colon+1:], "", nil
}
