// Package findings has the checks of an analysis: each gives findings with their
// bytes and a remedy. One file is one check.
package findings

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/imgmgr/imgmgr/plugin/analyze/cost"
	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// leastBytes is the least waste that is worth a finding.
const leastBytes = 100_000

// mostPaths is how many paths a finding names.
const mostPaths = 10

// Evidence is what checks look at.
type Evidence struct {
	Image   *image.Image
	Stacked *image.Stacked
	Layers  []report.Layer
	Costs   *cost.Costs
	Base    int // layers below are the base image's
	// Packages are those that are installed.
	Packages []report.Package
	// SBOM are in-toto statements with SPDX documents that are attached to the
	// image.
	SBOM [][]byte
}

// Visitors read what checks need of the files' contents as layers flow by.
func Visitors() []image.Visitor {
	return []image.Visitor{secretVisitor, accountVisitor, programVisitor, lockVisitor, coreVisitor}
}

// checks are all checks; each gives findings of its own kinds.
var checks = []func(*Evidence) []report.Finding{waste, duplicates, leftovers, secrets, permissions, accounts, configuration, entrypoint, system, unowned, development, honesty}

// All runs all checks: errors first, then by bytes.
func All(e *Evidence) []report.Finding {
	out := []report.Finding{}
	for _, check := range checks {
		out = append(out, check(e)...)
	}
	rank := map[string]int{report.Severe: 0, report.Warning: 1, report.Info: 2}
	slices.SortStableFunc(out, func(a, b report.Finding) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Layer, b.Layer))
	})
	return out
}

// layer names a layer in a sentence.
func (e *Evidence) layer(i int) string {
	text := e.Layers[i].Instruction
	if text == "" {
		return fmt.Sprintf("layer %d", i)
	}
	return fmt.Sprintf("layer %d (%s)", i, ui.Short(text, 40))
}

// place names a layer with its line, where that is known.
func (e *Evidence) place(i int) string {
	if l := e.Layers[i]; l.Line > 0 {
		return fmt.Sprintf("%s:%d (%s)", l.File, l.Line, ui.Short(l.Instruction, 40))
	}
	return e.layer(i)
}

// largest are the largest paths of some files, for a finding.
func largest(files []*image.File) []string {
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b *image.File) int { return cmp.Compare(b.Size, a.Size) })
	out := []string{}
	for _, f := range files[:min(mostPaths, len(files))] {
		out = append(out, f.Path)
	}
	return out
}
