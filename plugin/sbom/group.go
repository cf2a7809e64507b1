package sbom

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// Group is an instruction with the packages that it brought in.
type Group struct {
	From *Origin // nil for packages of which it isn't known
	// Layer is where they lie; nil for a base image, which may have several,
	// and where it isn't known.
	Layer    *image.Layer
	Packages []Package
}

// GroupByInstruction puts packages together that one instruction brought in, and
// that one instruction of another stage made, in the order of the image's
// layers. Those of unknown origin are last.
func GroupByInstruction(doc *Document, img *image.Image) []Group {
	type key struct {
		known        bool
		line, origin int
	}
	found := map[key]*Group{}
	var order []*Group
	for _, p := range doc.Packages {
		var k key
		if p.From != nil {
			k = key{known: true, line: p.From.Line}
			if p.From.Origin != nil {
				k.origin = p.From.Origin.Line
			}
		}
		g := found[k]
		if g == nil {
			g = &Group{From: p.From, Layer: layerOf(p.From, img)}
			found[k] = g
			order = append(order, g)
		}
		g.Packages = append(g.Packages, p)
	}
	slices.SortStableFunc(order, func(a, b *Group) int { return slices.Compare(a.place(), b.place()) })
	out := make([]Group, len(order))
	for i, g := range order {
		out[i] = *g
	}
	return out
}

// place orders groups.
func (g *Group) place() []int {
	if g.From == nil {
		return []int{1}
	}
	place := []int{0, 1 << 30, g.From.Line, 0}
	if g.From.History != nil {
		place[1] = *g.From.History
	}
	if g.From.Origin != nil {
		place[3] = g.From.Origin.Line
	}
	return place
}

// layerOf finds the layer of an instruction: that of the same number as its
// entry among those of the history that are not empty.
func layerOf(from *Origin, img *image.Image) *image.Layer {
	if from == nil || from.History == nil || from.Base != "" || img == nil {
		return nil
	}
	at, number := *from.History, 0
	history := img.Config.History
	if at < 0 || at >= len(history) || history[at].EmptyLayer {
		return nil
	}
	for i, h := range history {
		if !h.EmptyLayer && i < at {
			number++
		}
	}
	if number >= len(img.Layers) || img.Layers[number].History == nil {
		return nil
	}
	return img.Layers[number]
}

// title is what a group is called: the line and the instruction.
func (in Instruction) title() string {
	return cmp.Or(in.File, "Dockerfile") + ":" + itoa(in.Line) + "  " + strings.TrimSpace(in.Text)
}
