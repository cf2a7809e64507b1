//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// engine measures a plan of a Docker Engine with so many images.
func (b *bench) engine(sb *sandbox.Sandbox, images int) error {
	if err := sb.StartEngine(b.ctx); err != nil {
		return err
	}
	file := filepath.Join(b.dir, "images.tar")
	if err := os.WriteFile(file, saved(images), 0o600); err != nil {
		return err
	}
	if _, err := sb.DockerAt(b.ctx, sb.Engine, b.dir, "load", "--quiet", "--input", file); err != nil {
		return err
	}
	c, _, err := b.prune("engine", []string{"DOCKER_HOST=" + sb.Engine}, "--all")
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "Docker Engine, %d images: %.2f s of wall (aim 2), %.2f s of CPU, %.0f MiB in memory\n", images, c.Wall.Seconds(), c.CPU.Seconds(), mebibytes(c.Memory))
	return nil
}

// saved is an archive as docker save writes it: images that share one layer and have
// each a configuration of its own.
func saved(images int) []byte {
	var layer, archive bytes.Buffer
	tar.NewWriter(&layer).Close()
	w := tar.NewWriter(&archive)
	add(w, "layer.tar", layer.Bytes())
	type entry struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	var list []entry
	for i := range images {
		config := encode(map[string]any{
			"os": "linux", "architecture": "amd64", "created": time.Now().Add(-time.Duration(i) * time.Hour),
			"config": map[string]any{"Labels": map[string]string{"number": fmt.Sprint(i)}},
			"rootfs": map[string]any{"type": "layers", "diff_ids": []string{sum(layer.String())}},
		})
		name := fmt.Sprintf("%d.json", i)
		add(w, name, config)
		list = append(list, entry{name, []string{fmt.Sprintf("team/app-%d:%d", i%50, i)}, []string{"layer.tar"}})
	}
	add(w, "manifest.json", encode(list))
	w.Close()
	return archive.Bytes()
}

func add(w *tar.Writer, name string, text []byte) {
	w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))})
	w.Write(text)
}
