package base

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// memoryVersion is part of the folder's name. It changes with what is in it.
const memoryVersion = "base-1"

// memoryFiles is how many documents are kept: some thousand images, of some
// kilobytes each.
const memoryFiles = 10_000

// Memory is a folder of what registries said: documents by their digest, and what
// a reference named when. It may be used by several processes at a time. A nil
// Memory keeps nothing.
type Memory struct {
	dir string
	now func() time.Time
}

// OpenMemory makes a memory in a folder, which is made when there is something
// to keep.
func OpenMemory(dir string, now func() time.Time) *Memory {
	return &Memory{filepath.Join(dir, memoryVersion), now}
}

// named is what a reference named at a time.
type named struct {
	Ref  string             `json:"ref"`
	Root ocispec.Descriptor `json:"root"`
	When time.Time          `json:"when"`
}

func (m *Memory) path(kind string, d digest.Digest) string {
	return filepath.Join(m.dir, kind+"-"+d.Algorithm().String()+"-"+d.Encoded())
}

// blob is a document. One that is damaged isn't there.
func (m *Memory) blob(d digest.Digest) ([]byte, bool) {
	if m == nil || d.Validate() != nil {
		return nil, false
	}
	raw, err := os.ReadFile(m.path("blob", d))
	if err != nil || d.Algorithm().FromBytes(raw) != d {
		return nil, false
	}
	return raw, true
}

func (m *Memory) fetch(_ context.Context, d ocispec.Descriptor) ([]byte, error) {
	raw, ok := m.blob(d.Digest)
	if !ok {
		return nil, fmt.Errorf("%s is not kept: %w", d.Digest, fs.ErrNotExist)
	}
	return raw, nil
}

func (m *Memory) putBlob(d digest.Digest, raw []byte) {
	if m != nil && d.Validate() == nil && d.Algorithm().FromBytes(raw) == d {
		m.put(m.path("blob", d), raw)
	}
}

// name is what a reference named when it was asked for last. One with a digest
// names that, at any time.
func (m *Memory) name(ref string) (root ocispec.Descriptor, when time.Time, ok bool) {
	if m == nil {
		return root, when, false
	}
	raw, err := os.ReadFile(m.path("name", digest.FromString(ref)))
	if err != nil {
		return root, when, false
	}
	var n named
	if json.Unmarshal(raw, &n) != nil || n.Ref != ref {
		return root, when, false
	}
	return n.Root, n.When, true
}

func (m *Memory) putName(ref string, root ocispec.Descriptor) {
	if m == nil {
		return
	}
	raw, err := json.Marshal(named{ref, root, m.now()})
	if err == nil {
		m.put(m.path("name", digest.FromString(ref)), raw)
	}
}

// put writes a file if it can, whole or not at all.
func (m *Memory) put(path string, raw []byte) {
	if os.MkdirAll(m.dir, 0o700) != nil {
		return
	}
	file, err := os.CreateTemp(m.dir, "new-*")
	if err != nil {
		return
	}
	_, err = file.Write(raw)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // tidy finds it if it stays
		return
	}
	m.tidy()
}

// tidy removes the oldest files, where there are too many.
func (m *Memory) tidy() {
	entries, err := os.ReadDir(m.dir)
	if err != nil || len(entries) <= memoryFiles {
		return
	}
	var infos []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, info := range infos[:len(infos)/2] {
		_ = os.Remove(filepath.Join(m.dir, info.Name())) // another process may have been faster
	}
}
