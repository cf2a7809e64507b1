package budget

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// Hold holds a report, and the layers that it is about, to the budget.
func (b *Budget) Hold(r *report.Report, layers []*image.Layer) {
	for _, e := range b.Entries {
		gates := e.Limits.gates(r)
		for _, p := range e.Paths {
			gates = append(gates, p.gate(layers))
		}
		for _, p := range e.Packages {
			gates = append(gates, p.gates(r)...)
		}
		for _, g := range gates {
			g.Budget = b.Name
			r.Gates = append(r.Gates, g)
		}
	}
}

// gate counts what all layers ship at the paths, dead or live: both are pulled.
func (p Path) gate(layers []*image.Layer) report.Gate {
	pattern := strings.TrimPrefix(p.Path, "/")
	var t tally
	for i, l := range layers {
		for j := range l.Files {
			if doublestar.MatchUnvalidated(pattern, l.Files[j].Path) {
				t.add(i, l.Files[j].Size)
			}
		}
	}
	return gate("path /"+pattern, p.MaxSize, t.bytes, 0, t.layer())
}

// gates hold the packages' bytes and their number.
func (p Package) gates(r *report.Report) (out []report.Gate) {
	var t tally
	for _, pkg := range r.Packages {
		if (p.Type == "" || p.Type == pkg.Type) && (p.Name == "" || doublestar.MatchUnvalidated(p.Name, pkg.Name)) {
			t.add(pkg.Layer, pkg.Bytes)
		}
	}
	name := fmt.Sprintf("packages %s", p)
	if p.MaxSize != "" {
		out = append(out, gate(name, p.MaxSize, t.bytes, 0, t.layer()))
	}
	if p.MaxCount != nil {
		out = append(out, report.Gate{Name: name, Limit: "at most " + strconv.Itoa(*p.MaxCount), Value: strconv.Itoa(t.count), Layer: t.layer(), Passed: t.count <= *p.MaxCount})
	}
	return out
}

// tally adds up things by the layers that they come from.
type tally struct {
	bytes  int64
	count  int
	layers []int64 // bytes, and one for each thing, so that those without bytes count
}

func (t *tally) add(layer int, bytes int64) {
	for len(t.layers) <= layer {
		t.layers = append(t.layers, 0)
	}
	t.bytes += bytes
	t.count++
	t.layers[layer] += bytes + 1
}

// layer is the one that most comes from; -1 for none.
func (t *tally) layer() int {
	best := -1
	for i, n := range t.layers {
		if n > 0 && (best < 0 || n > t.layers[best]) {
			best = i
		}
	}
	return best
}
