// Package analyze is `docker imgmgr analyze`: what an image costs, which
// instruction shipped it and which one buried it, and what to do about it.
//
// [Analyze] is pure: it takes an image whose layers were read with [Walker], and
// what else is known of it, and gives a report. origin says where layers come
// from, cost what they cost, packages what is installed, findings what to do, and
// format prints it. Only run.go opens images and files.
package analyze

import (
	"slices"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/plugin/analyze/cost"
	"github.com/imgmgr/imgmgr/plugin/analyze/findings"
	"github.com/imgmgr/imgmgr/plugin/analyze/origin"
	"github.com/imgmgr/imgmgr/plugin/analyze/packages"
	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// Facts are what is known of an image beside the image. Nil is unknown.
type Facts struct {
	Source string // where it came from: "engine:app:1"
	// Dockerfile is the one that the image was built from, and Target the stage.
	Dockerfile *dockerfile.File
	Target     string
	// Provenance are in-toto statements that are attached to the image.
	Provenance [][]byte
	// SBOM are in-toto statements with SPDX documents that are attached to the image.
	SBOM [][]byte
	// Base is the image that this one was built on. Its layers need no files.
	Base *image.Image
	// From is the image that a machine has, for an update to this one. Its
	// layers need no files.
	From *image.Image
	// Paths is a pattern of paths to list with their fates, "usr/lib/**"; "" lists
	// none.
	Paths string
	// Files lists the largest entries of all layers instead.
	Files bool
}

// Analyze reports on an image whose layers were read with Walker. It doesn't
// depend on the clock or the machine.
func Analyze(img *image.Image, f Facts) *report.Report {
	dive := cost.Dive(img.Layers) // first: what it needs and what the stack needs aren't in memory at a time
	stacked := image.Stack(img.Layers)
	costs := cost.Account(img.Layers, stacked)
	places, how := origin.Attribute(img, f.Provenance, f.Dockerfile, f.Target)
	based := origin.Base(img, f.Base, places)
	r := &report.Report{
		Version: report.Version,
		Image: report.Image{
			Name: img.Name, Source: f.Source, Digest: img.Digest.String(), ID: img.ID.String(),
			Platform: platform(img), Attribution: how, Contents: hashed(img.Layers),
		},
		Totals: costs.Totals, Dive: dive,
	}
	if f.Base != nil && based > 0 {
		r.Image.Base = f.Base.Name
	}
	for i, l := range img.Layers {
		layer := costs.Layers[i]
		layer.Digest, layer.DiffID = l.Digest.String(), l.DiffID.String()
		layer.Instruction, layer.File, layer.Line = places[i].Text, places[i].File, places[i].Line
		layer.Base = i < based
		if layer.Base {
			r.Totals.BaseBytes += layer.Bytes
		}
		r.Layers = append(r.Layers, layer)
	}
	r.Packages = packages.List(img.Layers, stacked, based)
	r.Pull = cost.Pull(img, f.From)
	r.Pull.App = cost.App(r.Layers, r.Pull.Churn)
	if f.Paths != "" {
		r.Paths = paths(img.Layers, stacked, f.Paths)
	} else if f.Files {
		r.Paths = largest(paths(img.Layers, stacked, "**"))
	}
	r.Findings = findings.All(&findings.Evidence{Image: img, Stacked: stacked, Layers: r.Layers, Costs: costs, Base: based, Packages: r.Packages, SBOM: f.SBOM})
	return r
}

// hashed reports whether the contents of all layers were looked at.
func hashed(layers []*image.Layer) bool {
	return !slices.ContainsFunc(layers, func(l *image.Layer) bool { return !l.Hashed })
}

// platform is the image's platform as it is written.
func platform(img *image.Image) string {
	p := img.Platform.OS + "/" + img.Platform.Architecture
	if img.Platform.Variant != "" {
		p += "/" + img.Platform.Variant
	}
	return p
}
