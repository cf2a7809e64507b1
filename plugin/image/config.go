package image

import (
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// New describes an image by its configuration: its ID, its platform, and its
// layers, which have no files yet. It must be for the platform; "" is any.
func New(config []byte, platform string) (*Image, error) {
	i := &Image{RawConfig: config, ID: digest.FromBytes(config)}
	if err := json.Unmarshal(config, &i.Config); err != nil {
		return nil, fmt.Errorf("read the image's configuration: %w", err)
	}
	i.Platform = i.Config.Platform
	if err := fits(i.Platform, platform); err != nil {
		return nil, err
	}
	var steps []*ocispec.History
	for j := range i.Config.History {
		if !i.Config.History[j].EmptyLayer {
			steps = append(steps, &i.Config.History[j])
		}
	}
	for j, id := range i.Config.RootFS.DiffIDs {
		layer := &Layer{DiffID: id}
		if len(steps) == len(i.Config.RootFS.DiffIDs) {
			layer.History = steps[j]
		}
		i.Layers = append(i.Layers, layer)
	}
	return i, nil
}

// Fill puts tables into the layers, in order.
func (i *Image) Fill(tables []Table) error {
	if len(tables) != len(i.Layers) {
		return fmt.Errorf("the image has %d layers, and its configuration lists %d", len(tables), len(i.Layers))
	}
	for j, t := range tables {
		i.Layers[j].Table = t
	}
	return nil
}
