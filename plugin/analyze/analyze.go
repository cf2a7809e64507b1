// Package analyze is `docker imgmgr analyze`: what an image costs, which
// instruction shipped it and which one buried it, and what to do about it.
//
// [Analyze] is pure: it takes an image whose layers were read with [Walker], and
// what else is known of it, and gives a [Report]. The printers take a report.
// Only run.go opens images and files. docs/analyze.md explains each figure.
package analyze

import (
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// Version is that of the report's JSON. It changes when a name goes or means
// something else.
const Version = 1

// Facts are what is known of an image beside the image. Nil is unknown.
type Facts struct {
	Source string // where it came from: "engine:app:1"
	// Dockerfile is the one that the image was built from, and Target the stage.
	Dockerfile *dockerfile.File
	Target     string
	// Provenance are in-toto statements that are attached to the image.
	Provenance [][]byte
	// Base is the image that this one was built on. Its layers need no files.
	Base *image.Image
	// From is the image that a machine has, for an update to this one. Its
	// layers need no files.
	From *image.Image
	// Paths is a pattern of paths to list with their fates, "usr/lib/**"; "" lists
	// none.
	Paths string
}

// Report is what Analyze finds. All sizes are in bytes.
type Report struct {
	Version    int         `json:"version"`
	Image      Image       `json:"image"`
	Totals     Totals      `json:"totals"`
	Dive       Dive        `json:"dive"`
	Layers     []Layer     `json:"layers"`
	Findings   []Finding   `json:"findings"`
	Packages   []Package   `json:"packages"`
	Pull       Pull        `json:"pull"`
	Paths      []PathEntry `json:"paths,omitempty"`
	Comparison *Comparison `json:"comparison,omitempty"`
	Gates      []Gate      `json:"gates,omitempty"`
}

// Image says which image it is.
type Image struct {
	Name     string `json:"name,omitempty"`
	Source   string `json:"source"`
	Digest   string `json:"digest,omitempty"` // of the manifest
	ID       string `json:"id"`               // of the configuration
	Platform string `json:"platform"`
	// Attribution is how layers were led back to instructions: "provenance",
	// "dockerfile", "history", or "none".
	Attribution string `json:"attribution"`
}

// Totals are about the image as a whole. Shipped = live + overwritten + deleted.
type Totals struct {
	ShippedBytes     int64 `json:"shippedBytes"`
	LiveBytes        int64 `json:"liveBytes"`
	DeadBytes        int64 `json:"deadBytes"`
	OverwrittenBytes int64 `json:"overwrittenBytes"`
	DeletedBytes     int64 `json:"deletedBytes"`
	// MetadataOnlyBytes are the part of OverwrittenBytes whose content came
	// again unchanged: chmod, chown, touch.
	MetadataOnlyBytes int64 `json:"metadataOnlyBytes"`
	// DuplicateBytes are live contents that are there already under another path.
	DuplicateBytes int64 `json:"duplicateBytes"`
	// CompressedBytes are what the layers take in a registry; 0 where the
	// source holds them uncompressed.
	CompressedBytes int64   `json:"compressedBytes"`
	BaseBytes       int64   `json:"baseBytes"` // shipped by layers of the base image
	Efficiency      float64 `json:"efficiency"`
	Files           int     `json:"files"` // live paths, folders included
}

// Dive are the three figures of dive, by its formulas.
type Dive struct {
	Efficiency        float64 `json:"efficiency"`
	WastedBytes       int64   `json:"wastedBytes"`
	UserWastedPercent float64 `json:"userWastedPercent"` // a fraction, as in dive's own rules
}

// Layer is one layer's share.
type Layer struct {
	Index       int    `json:"index"`
	Digest      string `json:"digest,omitempty"`
	DiffID      string `json:"diffID"`
	Instruction string `json:"instruction"`
	File        string `json:"file,omitempty"` // the Dockerfile
	Line        int    `json:"line,omitempty"` // from 1
	Base        bool   `json:"base"`
	// Bytes are what the layer ships, DeadBytes the part of them that later
	// layers buried, BuriedBytes what this layer buried, of lower layers and its own.
	Bytes             int64 `json:"bytes"`
	CompressedBytes   int64 `json:"compressedBytes"`
	DeadBytes         int64 `json:"deadBytes"`
	BuriedBytes       int64 `json:"buriedBytes"`
	MetadataOnlyBytes int64 `json:"metadataOnlyBytes"` // that it ships again unchanged
	Entries           int   `json:"entries"`
}

// Finding is something to do.
type Finding struct {
	Kind     string   `json:"kind"`
	Severity string   `json:"severity"` // "error", "warning", "info"
	Rule     string   `json:"rule,omitempty"`
	Layer    int      `json:"layer"` // -1 for the configuration
	Paths    []string `json:"paths"` // the largest first, at most ten
	Files    int      `json:"files"` // how many there are
	Bytes    int64    `json:"bytes"`
	Message  string   `json:"message"`
	Remedy   string   `json:"remedy"`
}

// Package is an installed package.
type Package struct {
	Type    string `json:"type"` // as in a package URL: "deb", "apk", "npm", "pypi"
	Name    string `json:"name"`
	Version string `json:"version"`
	// Layer is where this version came in first; Base says that it is one of
	// the base image.
	Layer int  `json:"layer"`
	Base  bool `json:"base"`
	// Bytes are what the package's own records say that it takes; 0 if they don't.
	Bytes int64 `json:"bytes"`
}

// Pull is what pulling the image costs.
type Pull struct {
	Bytes int64 `json:"bytes"` // compressed, where that is known
	// From is the image that the machine has, where one was given; then only
	// layers that it lacks count.
	From   string      `json:"from,omitempty"`
	Layers int         `json:"layers"` // to pull
	Times  []PullTime  `json:"times"`
	Churn  []ChurnCost `json:"churn"`
}

// PullTime is a model, not a measurement.
type PullTime struct {
	MegabitsPerSecond int     `json:"megabitsPerSecond"`
	Seconds           float64 `json:"seconds"`
}

// ChurnCost is what re-ships when a layer changes: it and all above it.
type ChurnCost struct {
	Layer int   `json:"layer"`
	Bytes int64 `json:"bytes"`
}

// Gate is a policy and whether the image meets it.
type Gate struct {
	Name   string `json:"name"` // as the flag: "max-size"
	Limit  string `json:"limit"`
	Value  string `json:"value"`
	Passed bool   `json:"passed"`
}

// Analyze reports on an image whose layers were read with Walker. It doesn't
// depend on the clock or the machine.
func Analyze(img *image.Image, f Facts) *Report {
	stacked := image.Stack(img.Layers)
	costs := account(img.Layers, stacked)
	places, how := attribute(img, f)
	based := base(img, f, places)
	r := &Report{
		Version: Version,
		Image: Image{
			Name: img.Name, Source: f.Source, Digest: img.Digest.String(), ID: img.ID.String(),
			Platform: platform(img), Attribution: how,
		},
		Totals: costs.totals, Dive: dive(img.Layers),
	}
	for i, l := range img.Layers {
		layer := costs.layers[i]
		layer.Digest, layer.DiffID = l.Digest.String(), l.DiffID.String()
		layer.Instruction, layer.File, layer.Line = places[i].text, places[i].file, places[i].line
		layer.Base = i < based
		if layer.Base {
			r.Totals.BaseBytes += layer.Bytes
		}
		r.Layers = append(r.Layers, layer)
	}
	r.Packages = packages(img.Layers, stacked, based)
	r.Pull = pull(img, f)
	if f.Paths != "" {
		r.Paths = paths(img.Layers, stacked, f.Paths)
	}
	r.Findings = findings(&evidence{image: img, stacked: stacked, layers: r.Layers, costs: costs, base: based})
	return r
}

// platform is the image's platform as it is written.
func platform(img *image.Image) string {
	p := img.Platform.OS + "/" + img.Platform.Architecture
	if img.Platform.Variant != "" {
		p += "/" + img.Platform.Variant
	}
	return p
}
