//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	pruned "github.com/imgmgr/imgmgr/plugin/prune/manifest"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// inventory measures a plan of a saved inventory with so many tags.
func (b *bench) inventory(tags int) error {
	file := filepath.Join(b.dir, "inventory.json")
	size, err := writeInventory(file, tags)
	if err != nil {
		return err
	}
	defer os.Remove(file)
	c, _, err := b.prune("million", nil, "--policy", b.policy, "--inventory", file)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "saved inventory, %d tags, %.0f MB: %.1f s of wall (aim 10), %.1f s of CPU; %.0f MiB in memory (aim 1024)\n",
		tags, float64(size)/1e6, c.Wall.Seconds(), c.CPU.Seconds(), mebibytes(c.Memory))
	return nil
}

// writeInventory writes one repository at a time, so that the garbage of it all isn't
// collected beside what is measured. It returns the length in bytes.
func writeInventory(path string, tags int) (size int64, err error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	now := time.Now().UTC()
	inv := retention.Inventory{Version: retention.InventoryVersion, Place: "registry://registry.example.com", Host: "registry.example.com", Taken: now, Repositories: []retention.Repository{}}
	out := bufio.NewWriter(file)
	out.Write(bytes.TrimSuffix(encode(inv), []byte("]}")))
	for i := range (tags + perRepository - 1) / perRepository {
		f := &facts{blobs: map[string][]byte{}, repository: retention.Repository{Name: repositoryName(i)}}
		newRepository(i, now, f).fill()
		if i > 0 {
			out.WriteString(",")
		}
		out.Write(encode(f.repository))
	}
	out.WriteString("]}")
	if err := out.Flush(); err != nil {
		return 0, err
	}
	return file.Seek(0, io.SeekCurrent)
}

// facts takes a repository for an inventory, as prune would have read it.
type facts struct {
	blobs      map[string][]byte
	repository retention.Repository
}

func (f *facts) blob(text []byte) string {
	digest := sum(string(text))
	f.blobs[digest] = text
	return digest
}

func (f *facts) manifest(text []byte) string {
	digest := sum(string(text))
	m, config := pruned.Parse(digest, text)
	if config != "" {
		pruned.Describe(&m, f.blobs[config])
	}
	f.repository.Manifests = append(f.repository.Manifests, m)
	return digest
}

func (f *facts) tag(name, digest string) {
	f.repository.Tags = append(f.repository.Tags, retention.Tag{Name: name, Digest: digest})
}
