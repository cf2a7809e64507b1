package retention

import (
	"time"
)

// Policy says what is kept and what is removed. It is written as YAML; parse.go
// reads it.
type Policy struct {
	Name   string // the file, or what the command line asked for
	Digest string // of the text, "sha256:…"

	Age     Basis
	Protect []Pattern
	Limits  Limits
	// RemoveBases gives up images that kept ones are built on.
	RemoveBases bool
	Rules       []Rule
	Tests       []Case
}

// Basis is what an image's age counts from.
type Basis string

const (
	Created   Basis = "created"    // when it was built, as its configuration says
	Pushed    Basis = "pushed"     // when its tag came there
	Pulled    Basis = "pulled"     // when it was last fetched
	Used      Basis = "used"       // when it was last used; the same to most places
	FirstSeen Basis = "first-seen" // when imgmgr listed it for the first time
)

// Limits are the brakes. They hold whatever the rules say.
type Limits struct {
	// Share is the part of a repository's images, 0 to 1, above which nothing of
	// it is removed.
	Share float64
	// MinAge spares what is younger: it may be part of a push that isn't over.
	MinAge time.Duration
	// KeepLast spares the newest image of a repository that would be emptied.
	KeepLast bool
}

// DefaultLimits hold where a policy says nothing else.
func DefaultLimits() Limits { return Limits{Share: 0.5, MinAge: time.Hour, KeepLast: true} }

// Rule selects images, and says which of them go or stay. An image that no rule
// selects stays.
type Rule struct {
	Name   string
	Select Selector
	Group  []Key // ranks are counted in each group by itself; default: repository
	Age    Basis // in place of the policy's

	Keep       bool // all that is selected stays
	KeepLatest int  // the newest of each group stay
	Remove     bool // all that is selected goes
	// Reason is why, in plans, where Remove is not of a policy that was written.
	Reason string

	MaxAge   time.Duration // 0: no bound
	MaxCount int           // images of each group; -1: no bound
	Any      bool          // one exceeded bound is enough; else all of them must be
}

// Selector says which images a rule is about. All of its parts must hold; in a
// part with several patterns, one of them. In a rule that removes, all platforms
// of an index must have the labels and platforms; in one that keeps, one.
type Selector struct {
	Repository []Pattern
	Tag        []Pattern
	Reference  []Pattern // repository:tag
	Label      []LabelPattern
	Platform   []Pattern
	Digest     string // only this manifest; for policies that aren't written as YAML
	LargerThan int64  // bytes of all blobs; 0: any
	Untagged   bool   // only images without a tag
	Orphaned   bool   // only referrers whose subject is gone
}

// LabelPattern selects by a label of the image's configuration.
type LabelPattern struct {
	Name  string
	Value []Pattern // none: any value
}

// Key is what images of one group have in common.
type Key struct {
	By    KeyKind
	Label string // with ByLabel
}

// KeyKind is the kind of a Key.
type KeyKind string

const (
	ByRepository KeyKind = "repository"
	ByLabel      KeyKind = "label"
	ByCapture    KeyKind = "capture" // what the groups of the selector's regular expressions hold
)

// Case is a test of a policy: given these images, it removes those.
type Case struct {
	Name    string
	Line    int
	Taken   time.Time
	Given   []Given
	Removed []string // references
}

// Given is an image of a test.
type Given struct {
	Ref     string
	Same    string        // images with the same word are one image with several tags
	Age     time.Duration // before the test's time, if HasAge
	HasAge  bool
	Created time.Time
	Labels  map[string]string
	Bytes   int64
	InUse   string
}
