package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

// Layer is a layer by its diff ID, and the bytes that it takes in the engine.
type Layer struct {
	DiffID string
	Bytes  int64
}

// Layers gives an image's layers their bytes. The history has them, newest first and
// with steps that made no layer between; a step of no bytes may have made one or
// not. Where that can't be told, the whole image's bytes are the last layer's.
//
// An engine with containerd's store keeps layers compressed, too, and says only what
// that comes to for the whole image: each layer gets its share of what is missing.
func Layers(diffIDs []string, history []image.HistoryResponseItem, total int64) []Layer {
	var sizes []int64
	for _, step := range slices.Backward(history) {
		if step.Size > 0 {
			sizes = append(sizes, step.Size)
		}
	}
	layers := make([]Layer, len(diffIDs))
	for i, id := range diffIDs {
		layers[i].DiffID = id
		if len(sizes) == len(diffIDs) {
			layers[i].Bytes = sizes[i]
		}
	}
	if len(layers) == 0 {
		return layers
	}
	last := &layers[len(layers)-1]
	if len(sizes) != len(diffIDs) {
		last.Bytes = total
		return layers
	}
	var unpacked int64
	for _, size := range sizes {
		unpacked += size
	}
	rest := max(0, total-unpacked)
	for i, size := range sizes[:len(sizes)-1] {
		share := int64(float64(rest) * float64(size) / float64(unpacked))
		layers[i].Bytes += share
		total -= layers[i].Bytes
	}
	last.Bytes = max(last.Bytes, total)
	return layers
}

// Lister is what listing needs of an engine's client.
type Lister interface {
	ImageList(ctx context.Context, options client.ImageListOptions) (client.ImageListResult, error)
	ImageInspect(ctx context.Context, ref string, opts ...client.ImageInspectOption) (client.ImageInspectResult, error)
	ImageHistory(ctx context.Context, ref string, opts ...client.ImageHistoryOption) (client.ImageHistoryResult, error)
}

// Listed is an image of an engine. Its shortest name comes first, which is the one that
// people know it by; without a name, its ID is its name.
type Listed struct {
	Names []string
	ID    string
}

// List lists an engine's images.
func List(ctx context.Context, engine Lister) ([]Listed, error) {
	list, err := engine.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the images of the Docker Engine: %w", err)
	}
	var out []Listed
	for _, item := range list.Items {
		names := slices.DeleteFunc(slices.Clone(item.RepoTags), func(name string) bool { return strings.HasPrefix(name, "<none>") })
		slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
		if len(names) == 0 {
			names = []string{item.ID}
		}
		out = append(out, Listed{names, item.ID})
	}
	return out, nil
}

// LayersOf asks an engine for the layers of an image.
func LayersOf(ctx context.Context, engine Lister, id string) ([]Layer, error) {
	inspect, err := engine.ImageInspect(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("inspect image %s: %w", id, err)
	}
	history, err := engine.ImageHistory(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read the history of image %s: %w", id, err)
	}
	return Layers(inspect.RootFS.Layers, history.Items, inspect.Size), nil
}
