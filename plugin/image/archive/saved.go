package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// saved is one image in the manifest.json of docker save.
type saved struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// readSaved reads an image of an archive that is no OCI layout.
func readSaved(ctx context.Context, m members, ref, platform string, w *image.Walk) (*image.Image, error) {
	raw, err := document(m, manifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the archive holds no image: it has neither index.json nor manifest.json; make it with docker save, or with docker build --output type=oci")
	}
	if err != nil {
		return nil, err
	}
	var images []saved
	if err := json.Unmarshal(raw, &images); err != nil {
		return nil, fmt.Errorf("read %s in the archive: %w", manifestFile, err)
	}
	names := make([][]string, len(images))
	for i, s := range images {
		names[i] = s.RepoTags
	}
	i, err := image.Select(names, ref)
	if err != nil {
		return nil, err
	}
	config, err := document(m, path.Clean(images[i].Config))
	if err != nil {
		return nil, err
	}
	img, err := image.New(config, platform)
	if err != nil {
		return nil, err
	}
	if len(images[i].RepoTags) > 0 {
		img.Name = images[i].RepoTags[0]
	}
	layers := make([]layerFile, len(images[i].Layers))
	for j, name := range images[i].Layers {
		layers[j].name = path.Clean(name)
	}
	if w == nil {
		return img, nil
	}
	tables, err := m.tables(ctx, w, layers)
	if err != nil {
		return nil, err
	}
	return img, img.Fill(tables)
}
