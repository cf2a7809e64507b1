package origin

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// buildkitMetadata is what BuildKit notes of a build with mode=max: which step
// stands at which lines, and which chain of layers it gave. See BuildKit's
// docs/attestations/slsa-definitions.md.
type buildkitMetadata struct {
	Source struct {
		Locations map[string]struct {
			Locations []struct {
				SourceIndex int `json:"sourceIndex"`
				Ranges      []struct {
					Start struct {
						Line int `json:"line"`
					} `json:"start"`
					End struct {
						Line int `json:"line"`
					} `json:"end"`
				} `json:"ranges"`
			} `json:"locations"`
		} `json:"locations"`
		Infos []struct {
			Filename string `json:"filename"`
			Data     []byte `json:"data"`
		} `json:"infos"`
	} `json:"source"`
	Layers map[string][][]ocispec.Descriptor `json:"layers"`
}

// statement is a provenance in either version of SLSA.
type statement struct {
	Predicate struct {
		Metadata struct {
			BuildKit *buildkitMetadata `json:"https://mobyproject.org/buildkit@v1#metadata"`
		} `json:"metadata"` // v0.2
		RunDetails struct {
			Metadata struct {
				BuildKit *buildkitMetadata `json:"buildkit_metadata"`
			} `json:"metadata"`
		} `json:"runDetails"` // v1
	} `json:"predicate"`
}

// byProvenance puts instructions and lines to the layers that a build's record
// knows. It reports whether it knew any.
func byProvenance(img *image.Image, raw []byte, origins []Origin) bool {
	var s statement
	if json.Unmarshal(raw, &s) != nil {
		return false
	}
	m := s.Predicate.Metadata.BuildKit
	if m == nil {
		m = s.Predicate.RunDetails.Metadata.BuildKit
	}
	if m == nil {
		return false
	}
	found := false
	for output, chains := range m.Layers {
		step, _, _ := strings.Cut(output, ":")
		for _, chain := range chains {
			if !isChain(img, chain) {
				continue
			}
			if o, ok := m.origin(step); ok {
				origins[len(chain)-1] = o
				found = true
			}
		}
	}
	return found
}

// isChain reports whether a step's layers are the lowest ones of the image.
func isChain(img *image.Image, chain []ocispec.Descriptor) bool {
	if len(chain) == 0 || len(chain) > len(img.Layers) {
		return false
	}
	for i, d := range chain {
		if d.Digest != img.Layers[i].Digest {
			return false
		}
	}
	return true
}

// origin is the place of a step.
func (m *buildkitMetadata) origin(step string) (Origin, bool) {
	where := m.Source.Locations[step].Locations
	if len(where) == 0 || len(where[0].Ranges) == 0 || where[0].SourceIndex >= len(m.Source.Infos) || where[0].SourceIndex < 0 {
		return Origin{}, false
	}
	info, at := m.Source.Infos[where[0].SourceIndex], where[0].Ranges[0]
	text := linesOf(string(info.Data), at.Start.Line, max(at.Start.Line, at.End.Line))
	if text == "" {
		text = fmt.Sprintf("line %d", at.Start.Line)
	}
	o := Origin{Text: text, File: path.Clean(info.Filename), Line: at.Start.Line}
	o.from = strings.HasPrefix(strings.ToUpper(text), "FROM ")
	o.own = !o.from
	return o, true
}

// linesOf are some lines of a text as one, continuations joined.
func linesOf(text string, first, last int) string {
	lines := strings.Split(text, "\n")
	if first < 1 || first > len(lines) {
		return ""
	}
	var out []string
	for _, line := range lines[first-1 : min(last, len(lines))] {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		out = append(out, strings.TrimSpace(strings.TrimSuffix(line, `\`)))
	}
	return strings.Join(out, " ")
}
