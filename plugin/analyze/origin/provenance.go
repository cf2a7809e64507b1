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
	whole := m.chain(img)
	found := false
	for output, chains := range m.Layers {
		step, _, _ := strings.Cut(output, ":")
		for _, chain := range chains {
			if !isChain(img, chain) && !lowest(chain, whole) {
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
		if !isLayer(d, img.Layers[i]) {
			return false
		}
	}
	return true
}

// isLayer reports whether BuildKit noted a layer of the image, as the image has it
// or as a plain tar.
func isLayer(d ocispec.Descriptor, l *image.Layer) bool {
	return d.Digest == l.Digest || d.Digest == l.DiffID
}

// lowest reports whether a chain is the lower end of another, which is noted
// with the same digests.
func lowest(chain, whole []ocispec.Descriptor) bool {
	if len(chain) == 0 || len(chain) > len(whole) {
		return false
	}
	for i, d := range chain {
		if d.Digest != whole[i].Digest {
			return false
		}
	}
	return true
}

// chain is what BuildKit noted of all the image's layers. An exporter that packs
// layers anew (force-compression) leaves the record with the digests from before,
// which lead to no layer; so the order has to tell: it is the only chain that is as
// long as the image and whose steps say what the image's history says. Nil where
// there is none, or another one that could be it as well.
func (m *buildkitMetadata) chain(img *image.Image) []ocispec.Descriptor {
	var whole []ocispec.Descriptor
	best := -1
	for _, chains := range m.Layers {
		for _, chain := range chains {
			if len(chain) != len(img.Layers) || !m.retells(img, chain) {
				continue
			}
			known := 0
			for i, d := range chain {
				if isLayer(d, img.Layers[i]) {
					known++
				}
			}
			switch {
			case known > best:
				whole, best = chain, known
			case known == best && !lowest(chain, whole):
				whole = nil
			}
		}
	}
	return whole
}

// retells reports whether the steps that made a chain say the same as the image's
// history, layer by layer, as far as both are known.
func (m *buildkitMetadata) retells(img *image.Image, whole []ocispec.Descriptor) bool {
	told := false
	for output, chains := range m.Layers {
		step, _, _ := strings.Cut(output, ":")
		for _, chain := range chains {
			if !lowest(chain, whole) {
				continue
			}
			o, ok := m.origin(step)
			history := img.Layers[len(chain)-1].History
			if !ok || o.from || history == nil {
				continue
			}
			said, _, _ := strings.Cut(instruction(history.CreatedBy), " ")
			if word, _, _ := strings.Cut(o.Text, " "); !strings.EqualFold(word, said) {
				return false
			}
			told = true
		}
	}
	return told
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
