// Package retention decides which images go and which stay.
//
// It is the pure half of `docker imgmgr prune`: an [Inventory] of facts, the
// time among them, and a [Policy] make a [Plan], and nothing here can list,
// fetch or delete anything. The same facts and the same policy give the same
// plan, byte for byte.
//
//	inventory ─┐
//	           ├─ Make ─> Plan ─> printed, saved, reviewed, applied (plugin/prune)
//	policy ────┘
//
// [Make] hands a [Planner] repository after repository, and so can others, from a file
// (read.go) or a registry, without all of them in memory. What decides, in the order in
// which the planner asks:
//
//  1. graph.go: tags, manifests, indexes and referrers become a graph, and digests
//     numbers (digests.go).
//  2. verdict.go: rules give each tag a verdict. Keeping beats removing, and
//     what isn't known is kept.
//  3. protect.go: what is used, protected, too young, or the last of its
//     repository is kept, whatever the rules say.
//  4. closure.go: what a kept image needs is kept.
//  5. bytes.go: what the rest frees, from blobs that nothing kept needs.
package retention

import "time"

// Inventory is what is known of the images of one place at one time.
type Inventory struct {
	Version int `json:"version"`
	// Place says where the images are, as the command line names it:
	// "registry://HOST/PREFIX", "layout:DIR", "buildkit:BUILDER", "engine:".
	Place string `json:"place"`
	// Host goes before repository names to make references; "" for places whose
	// names are whole already.
	Host string `json:"host,omitempty"`
	// Taken is the time that ages count from.
	Taken time.Time `json:"taken"`
	// Partial says that the place has repositories that aren't listed here, so
	// that blobs may be shared with what nobody counted.
	Partial bool `json:"partial,omitempty"`
	// Final says that the place can't take back what it deleted.
	Final bool  `json:"final,omitempty"`
	InUse []Use `json:"inUse,omitempty"`
	// Repositories come last: who reads them one at a time knows the rest by then.
	Repositories []Repository `json:"repositories"`
}

// InventoryVersion is the version of the inventory's format.
const InventoryVersion = 1

// Repository is the images that share a name. Digests are its own: the same
// manifest in two repositories is there twice, and is deleted from one alone.
type Repository struct {
	Name string `json:"name"`
	// Incomplete says why not all of the repository is known; nothing is removed
	// from it then.
	Incomplete string     `json:"incomplete,omitempty"`
	Tags       []Tag      `json:"tags"`
	Manifests  []Manifest `json:"manifests"`
}

// Tag is a name for a manifest.
type Tag struct {
	Name   string    `json:"name"`
	Digest string    `json:"digest"`
	Pushed time.Time `json:"pushed,omitzero"` // when the tag came to this manifest
}

// Manifest is a manifest of any kind, or an image of an engine.
type Manifest struct {
	Digest string `json:"digest"`
	Kind   Kind   `json:"kind"`
	Bytes  int64  `json:"bytes,omitempty"` // of the manifest itself
	Title  string `json:"title,omitempty"` // what people know it by, where a digest is all of its name

	Children []Child `json:"children,omitempty"` // of an index
	Subject  string  `json:"subject,omitempty"`  // the digest that a referrer refers to
	Base     string  `json:"base,omitempty"`     // the digest of the image that it is built on, if it says so
	// Needs are others of the repository that must be there as long as this is. They
	// don't go with it, as children do.
	Needs []string `json:"needs,omitempty"`
	Blobs []Blob   `json:"blobs,omitempty"` // the configuration, then the layers in order

	// Times are zero where they aren't known.
	Created   time.Time `json:"created,omitzero"`
	Pushed    time.Time `json:"pushed,omitzero"`
	Pulled    time.Time `json:"pulled,omitzero"`
	FirstSeen time.Time `json:"firstSeen,omitzero"`

	Labels   map[string]string `json:"labels,omitempty"`
	Platform string            `json:"platform,omitempty"` // "linux/arm64"
	Pinned   string            `json:"pinned,omitempty"`   // why the place itself holds on to it
}

// Kind is what a manifest is.
type Kind string

const (
	KindImage    Kind = "image"
	KindIndex    Kind = "index"
	KindArtifact Kind = "artifact" // a referrer, a signature, a chart
	KindRecord   Kind = "record"   // of a build cache
	KindBlob     Kind = "blob"     // in a layout, where nothing leads to it
	KindOpaque   Kind = "opaque"   // of a type that isn't known, or unreadable: it may need anything
)

// Child is an entry of an index.
type Child struct {
	Digest string `json:"digest"`
	// Attestation says that the entry describes another one, and is no image.
	Attestation bool `json:"attestation,omitempty"`
}

// Blob is a configuration or a layer.
type Blob struct {
	Digest string `json:"digest"`
	Bytes  int64  `json:"bytes"`
}

// Use is something outside that needs an image.
type Use struct {
	// Image is a digest or a reference ("registry.example.com/app:1", or with
	// "@sha256:…").
	Image string `json:"image"`
	By    string `json:"by"` // "container web (exited)"
}
