//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	pruned "github.com/imgmgr/imgmgr/plugin/prune/manifest"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// inventory measures a plan of a saved inventory with so many tags.
func (b *bench) inventory(tags int) error {
	now := time.Now().UTC()
	inv := retention.Inventory{Version: retention.InventoryVersion, Place: "registry://registry.example.com", Host: "registry.example.com", Taken: now}
	for i := range (tags + perRepository - 1) / perRepository {
		f := &facts{blobs: map[string][]byte{}, repository: retention.Repository{Name: repositoryName(i)}}
		newRepository(i, now, f).fill()
		inv.Repositories = append(inv.Repositories, f.repository)
	}
	file := filepath.Join(b.dir, "inventory.json")
	text, err := json.Marshal(inv)
	if err != nil {
		return err
	}
	inv = retention.Inventory{} // gives its memory back
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	defer os.Remove(file)
	size := len(text)
	text = nil
	c, _, err := b.prune("million", nil, "--policy", b.policy, "--inventory", file)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "saved inventory, %d tags, %.0f MB: %.1f s of wall (aim 10), %.1f s of CPU; %.0f MiB in memory (aim 1024)\n",
		tags, float64(size)/1e6, c.wall.Seconds(), c.cpu.Seconds(), mebibytes(c.memory))
	return nil
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
