//go:build linux

package main

import (
	"archive/tar"
	"bufio"
	_ "crypto/sha256" // for digests
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/klauspost/compress/gzip"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
)

// layout writes an image as an OCI layout with gzip layers, and returns the paths
// of its layers.
func layout(dir string, s shape, p *pool) ([]string, error) {
	blobs := filepath.Join(dir, ocispec.ImageBlobsDir, "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return nil, err
	}
	manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest}
	var config ocispec.Image
	diffIDs, paths := make([]digest.Digest, s.layers), make([]string, s.layers)
	manifest.Layers = make([]ocispec.Descriptor, s.layers)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range s.layers {
		group.Go(func() (err error) {
			if manifest.Layers[i], diffIDs[i], err = compressed(blobs, s, i, p); err != nil {
				return fmt.Errorf("layer %d: %w", i, err)
			}
			paths[i] = filepath.Join(blobs, manifest.Layers[i].Digest.Encoded())
			return nil
		})
	}
	err := group.Wait()
	if err != nil {
		return nil, err
	}
	for i, id := range diffIDs {
		record(&config, i, id)
	}
	if manifest.Config, err = document(blobs, ocispec.MediaTypeImageConfig, config); err != nil {
		return nil, err
	}
	top, err := document(blobs, ocispec.MediaTypeImageManifest, manifest)
	if err != nil {
		return nil, err
	}
	index, err := json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{top}})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, ocispec.ImageIndexFile), index, 0o644); err != nil {
		return nil, err
	}
	return paths, os.WriteFile(filepath.Join(dir, ocispec.ImageLayoutFile), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644)
}

// The images of a layout, after tagBase.
const (
	baseTag = "base"
	appTag  = "app"
)

// tagBase adds the image without its last layer to a layout.
func tagBase(dir string) error {
	blobs := filepath.Join(dir, ocispec.ImageBlobsDir, "sha256")
	var index ocispec.Index
	var manifest ocispec.Manifest
	var config ocispec.Image
	if err := read(filepath.Join(dir, ocispec.ImageIndexFile), &index); err != nil {
		return err
	}
	app := index.Manifests[0]
	if err := read(filepath.Join(blobs, app.Digest.Encoded()), &manifest); err != nil {
		return err
	}
	if err := read(filepath.Join(blobs, manifest.Config.Digest.Encoded()), &config); err != nil {
		return err
	}
	n := len(manifest.Layers) - 1
	manifest.Layers, config.History, config.RootFS.DiffIDs = manifest.Layers[:n], config.History[:n], config.RootFS.DiffIDs[:n]
	var err error
	if manifest.Config, err = document(blobs, ocispec.MediaTypeImageConfig, config); err != nil {
		return err
	}
	base, err := document(blobs, ocispec.MediaTypeImageManifest, manifest)
	if err != nil {
		return err
	}
	base.Annotations = map[string]string{ocispec.AnnotationRefName: baseTag}
	app.Annotations = map[string]string{ocispec.AnnotationRefName: appTag}
	index.Manifests = []ocispec.Descriptor{base, app}
	raw, err := json.Marshal(index)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ocispec.ImageIndexFile), raw, 0o644)
}

func read(path string, into any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// record adds a layer to the configuration.
func record(config *ocispec.Image, i int, diffID digest.Digest) {
	config.OS, config.Architecture = "linux", "amd64"
	config.RootFS.Type = "layers"
	config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, diffID)
	config.History = append(config.History, ocispec.History{CreatedBy: fmt.Sprintf("RUN make-%d", i)})
}

// compressed writes one layer under its digest.
func compressed(blobs string, s shape, i int, p *pool) (_ ocispec.Descriptor, diffID digest.Digest, err error) {
	file, err := os.CreateTemp(blobs, "partial")
	if err != nil {
		return ocispec.Descriptor{}, "", err
	}
	defer file.Close()
	packed, plain := digest.SHA256.Digester(), digest.SHA256.Digester()
	buffered := bufio.NewWriterSize(io.MultiWriter(file, packed.Hash()), 1<<20)
	zip, err := gzip.NewWriterLevel(buffered, gzip.DefaultCompression)
	if err == nil {
		err = s.write(i, p, io.MultiWriter(zip, plain.Hash()))
	}
	if err == nil {
		err = zip.Close()
	}
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return ocispec.Descriptor{}, "", err
	}
	info, err := file.Stat()
	if err != nil {
		return ocispec.Descriptor{}, "", err
	}
	d := packed.Digest()
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: d, Size: info.Size()}, plain.Digest(),
		os.Rename(file.Name(), filepath.Join(blobs, d.Encoded()))
}

// document writes a JSON document under its digest.
func document(blobs, kind string, doc any) (ocispec.Descriptor, error) {
	raw, err := json.Marshal(doc)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	d := digest.FromBytes(raw)
	return ocispec.Descriptor{MediaType: kind, Digest: d, Size: int64(len(raw))}, os.WriteFile(filepath.Join(blobs, d.Encoded()), raw, 0o644)
}

// archive writes an image as docker save does with the classic store: plain
// layers. Each layer is made twice, as a tar says a file's size before the file.
func archive(path string, s shape, p *pool) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	buffered := bufio.NewWriterSize(file, 1<<20)
	w := tar.NewWriter(buffered)
	var config ocispec.Image
	var names []string
	for i := range s.layers {
		sum, size := digest.SHA256.Digester(), counter(0)
		if err := s.write(i, p, io.MultiWriter(sum.Hash(), &size)); err != nil {
			return err
		}
		names = append(names, fmt.Sprintf("%s/layer.tar", sum.Digest().Encoded()))
		record(&config, i, sum.Digest())
		if err := header(w, tar.TypeReg, names[i], int64(size)); err != nil {
			return err
		}
		if err := s.write(i, p, w); err != nil {
			return err
		}
	}
	for _, doc := range []struct {
		name string
		doc  any
	}{{"config.json", config}, {"manifest.json", []any{map[string]any{"Config": "config.json", "RepoTags": []string{"bench:1"}, "Layers": names}}}} {
		raw, err := json.Marshal(doc.doc)
		if err == nil {
			err = header(w, tar.TypeReg, doc.name, int64(len(raw)))
		}
		if err == nil {
			_, err = w.Write(raw)
		}
		if err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return buffered.Flush()
}

// counter counts what is written.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
