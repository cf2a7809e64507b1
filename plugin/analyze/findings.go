package analyze

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/docker/go-units"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// leastBytes is the least waste that is worth a finding.
const leastBytes = 100_000

// mostPaths is how many paths a finding names.
const mostPaths = 10

// Severities of findings.
const (
	severe  = "error"
	warning = "warning"
	info    = "info"
)

// evidence is what checks look at.
type evidence struct {
	image   *image.Image
	stacked *image.Stacked
	layers  []Layer
	costs   *costs
	base    int // layers below are the base image's
}

// checks are all checks; each gives findings of its own kinds.
var checks = []func(*evidence) []Finding{waste, duplicates, leftovers, secrets, permissions, accounts, configuration, entrypoint}

// findings runs all checks: errors first, then by bytes.
func findings(e *evidence) []Finding {
	out := []Finding{}
	for _, check := range checks {
		out = append(out, check(e)...)
	}
	rank := map[string]int{severe: 0, warning: 1, info: 2}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Layer, b.Layer))
	})
	return out
}

// layer names a layer in a sentence.
func (e *evidence) layer(i int) string {
	text := e.layers[i].Instruction
	if text == "" {
		return fmt.Sprintf("layer %d", i)
	}
	return fmt.Sprintf("layer %d (%s)", i, short(text, 40))
}

// place names a layer with its line, where that is known.
func (e *evidence) place(i int) string {
	if l := e.layers[i]; l.Line > 0 {
		return fmt.Sprintf("%s:%d (%s)", l.File, l.Line, short(l.Instruction, 40))
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

// size is a number of bytes for people.
func size(n int64) string { return units.HumanSizeWithPrecision(float64(n), 3) }

// count is a number of things for people.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// short cuts a text to a number of characters.
func short(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
