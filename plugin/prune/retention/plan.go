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

// Write prints the plan as JSON, entry by entry: a plan can have a million of them.
func (p *Plan) Write(w io.Writer) error {
	out := &lines{w: bufio.NewWriter(w)}
	out.enc = json.NewEncoder(&out.text)
	out.enc.SetEscapeHTML(false)
	out.text.WriteString("{")
	out.field("version", p.Version)
	out.field("place", p.Place)
	out.field("taken", p.Taken)
	out.field("policy", p.Policy)
	printList(out, "remove", p.Remove)
	printList(out, "keep", p.Keep)
	printList(out, "unknown", p.Unknown)
	if len(p.Stopped) > 0 {
		printList(out, "stopped", p.Stopped)
	}
	out.field("freesBytes", p.FreesBytes)
	if p.AtMost {
		out.field("atMost", true)
	}
	if p.Final {
		out.field("final", true)
	}
	out.text.WriteString("\n}\n")
	out.flush()
	return errors.Join(out.err, out.w.Flush())
}

// lines prints an object, each entry of a list by itself.
type lines struct {
	w    *bufio.Writer
	text bytes.Buffer
	enc  *json.Encoder
	some bool // fields were printed
	err  error
}

func (l *lines) name(name string) {
	if l.some {
		l.text.WriteString(",")
	}
	l.some = true
	fmt.Fprintf(&l.text, "\n  %q: ", name)
}

func (l *lines) value(v any, indent string) {
	l.enc.SetIndent(indent, "  ")
	l.err = errors.Join(l.err, l.enc.Encode(v))
	l.text.Truncate(max(0, l.text.Len()-1)) // the end of the line
	l.flush()
}

func (l *lines) field(name string, v any) {
	l.name(name)
	l.value(v, "  ")
}

func printList[T any](l *lines, name string, all []T) {
	l.name(name)
	l.text.WriteString("[")
	for i, v := range all {
		if i > 0 {
			l.text.WriteString(",")
		}
		l.text.WriteString("\n    ")
		l.value(v, "    ")
	}
	if len(all) > 0 {
		l.text.WriteString("\n  ")
	}
	l.text.WriteString("]")
}

func (l *lines) flush() {
	_, err := l.text.WriteTo(l.w)
	l.err = errors.Join(l.err, err)
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
