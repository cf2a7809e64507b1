package linttest

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/imgmgr/imgmgr/lint/facts"
)

// Images resolves references from a table.
type Images map[string]*facts.Image

// Image returns the entry of ref for every platform.
func (m Images) Image(_ context.Context, ref, _ string) (*facts.Image, error) {
	return named(m, ref)
}

// named is the entry of a reference, which a Dockerfile may write in short.
func named[T any](table map[string]*T, ref string) (*T, error) {
	for _, name := range []string{ref, strings.TrimPrefix(ref, "docker.io/library/"), strings.TrimPrefix(ref, "docker.io/")} {
		if found, ok := table[name]; ok {
			return found, nil
		}
	}
	return nil, fmt.Errorf("image %s: %w", ref, facts.ErrUnknown)
}

// readImages reads images.json.
func readImages(t testing.TB, text string) Images {
	var list map[string]struct {
		facts.Image
		Files map[string]string
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("images.json: %v", err)
	}
	images := Images{}
	for ref, entry := range list {
		entry.Image.Files = rootOf(entry.Files)
		images[ref] = &entry.Image
	}
	return images
}

// rootOf is the root file system of an image; nil, which is unknown, where no
// files are given.
func rootOf(files map[string]string) fs.FS {
	if files == nil {
		return nil
	}
	root := fstest.MapFS{}
	for name, text := range files {
		mode := fs.FileMode(0o755)
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			text, mode = target, mode|fs.ModeSymlink
		}
		root[name] = &fstest.MapFile{Data: []byte(text), Mode: mode}
	}
	return root
}

// Registry answers from a table. What isn't in it, the registry hasn't got.
type Registry map[string]*facts.Manifest

// Manifest returns the entry of ref for every platform.
func (r Registry) Manifest(_ context.Context, ref, _ string) (*facts.Manifest, error) {
	m, err := named(r, ref)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return m, nil
}

// Group answers from a list.
type Group []facts.GroupBase

// Bases is facts.Group.
func (g Group) Bases(context.Context) ([]facts.GroupBase, error) { return g, nil }
