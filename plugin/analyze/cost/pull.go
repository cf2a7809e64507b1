package cost

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// What the model of a pull assumes: usual bandwidths, and what one core of a
// current machine unpacks in a second.
var bandwidths = []int{10, 100, 1000} // megabits a second

const unpackRate = 200e6 // bytes of uncompressed layers a second

// pull models what pulling the image costs: layers are downloaded side by side
// over one line, and unpacked one after the other, each as soon as it is there.
//
//	seconds = max(Σ compressed / bandwidth, Σ uncompressed / 200 MB/s)
func Pull(img, from *image.Image) report.Pull {
	have := map[string]bool{}
	p := report.Pull{Churn: []report.ChurnCost{}}
	if from != nil {
		p.From = from.Name
		for _, l := range from.Layers {
			have[l.DiffID.String()] = true
		}
	}
	var unpacked int64
	for _, l := range img.Layers {
		if have[l.DiffID.String()] {
			continue
		}
		p.Layers++
		p.Bytes += wire(l)
		unpacked += l.Tar
	}
	for _, mbit := range bandwidths {
		download := float64(p.Bytes) * 8 / (float64(mbit) * 1e6)
		p.Times = append(p.Times, report.PullTime{MegabitsPerSecond: mbit, Seconds: max(download, float64(unpacked)/unpackRate)})
	}
	var above int64
	for i := len(img.Layers) - 1; i >= 0; i-- {
		above += wire(img.Layers[i])
		p.Churn = append(p.Churn, report.ChurnCost{Layer: i, Bytes: above})
	}
	return p
}

// wire is what a layer takes on its way; its tar where it isn't compressed.
func wire(l *image.Layer) int64 { return cmp.Or(l.Compressed, l.Tar) }

// App finds the layer that holds the application: of those that aren't the base
// image's, the one whose COPY or ADD brings most files, and from the build context
// rather than from another stage. Where neither a base image nor lines of the
// Dockerfile are known, it is nil: any COPY may be the base image's.
func App(layers []report.Layer, churn []report.ChurnCost) *report.ChurnCost {
	if !slices.ContainsFunc(layers, func(l report.Layer) bool { return l.Base || l.Line > 0 }) {
		return nil
	}
	best, entries := -1, 0
	for _, own := range []bool{true, false} {
		for _, l := range layers {
			word, rest, _ := strings.Cut(l.Instruction, " ")
			copies := strings.EqualFold(word, "COPY") || strings.EqualFold(word, "ADD")
			if !l.Base && copies && own != strings.Contains(rest, "--from=") && l.Entries > entries {
				best, entries = l.Index, l.Entries
			}
		}
		if best >= 0 {
			break
		}
	}
	i := slices.IndexFunc(churn, func(c report.ChurnCost) bool { return c.Layer == best })
	if i < 0 {
		return nil
	}
	return &churn[i]
}
