package origin

import (
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// byDockerfile matches the image's history with a Dockerfile's instructions, both
// from their ends, as far as they agree in their keywords. What is left of the
// history is the base image's. It reports whether anything matched.
func byDockerfile(img *image.Image, f *dockerfile.File, target string, origins []Origin) bool {
	stage := f.Final(target)
	if stage == nil {
		return false
	}
	var steps []*dockerfile.Instruction
	for _, s := range slices.Backward(stage.Lineage()) {
		steps = append(steps, s.Instructions...)
	}
	layer, found := len(img.Layers)-1, false
	past := img.Config.History
	for i, j := len(past)-1, len(steps)-1; i >= 0 && j >= 0; i, j = i-1, j-1 {
		text := instruction(past[i].CreatedBy)
		keyword, _, _ := strings.Cut(text, " ")
		if !strings.EqualFold(keyword, steps[j].Name) {
			break
		}
		if past[i].EmptyLayer {
			continue
		}
		if layer < 0 || img.Layers[layer].History == nil {
			break
		}
		origins[layer] = Origin{Text: text, File: f.Name, Line: steps[j].StartLine, own: true}
		layer, found = layer-1, true
	}
	return found
}
