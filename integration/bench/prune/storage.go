//go:build linux

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// seed writes repositories as distribution keeps them on a file system, which takes a
// tenth of the time of pushing them. Layers are named and not there: a plan reads none.
func seed(root string, repositories int) error {
	now := time.Now()
	var errs []error
	for i := range repositories {
		s := &storage{root: filepath.Join(root, "docker", "registry", "v2"), name: repositoryName(i)}
		newRepository(i, now, s).fill()
		errs = append(errs, s.err)
	}
	return errors.Join(errs...)
}

// storage is one repository in a registry's folder. Source: distribution's
// registry/storage/paths.go.
type storage struct {
	root, name string
	err        error // the first one; nothing is written after it
}

func (s *storage) blob(text []byte) string {
	digest := s.data(text)
	s.link(digest, "_layers", "sha256", hexOf(digest))
	return digest
}

func (s *storage) manifest(text []byte) string {
	digest := s.data(text)
	s.link(digest, "_manifests", "revisions", "sha256", hexOf(digest))
	return digest
}

func (s *storage) tag(name, digest string) {
	s.link(digest, "_manifests", "tags", name, "current")
	s.link(digest, "_manifests", "tags", name, "index", "sha256", hexOf(digest))
}

func (s *storage) data(text []byte) string {
	digest := sum(string(text))
	s.write(string(text), s.root, "blobs", "sha256", hexOf(digest)[:2], hexOf(digest), "data")
	return digest
}

func (s *storage) link(digest string, folder ...string) {
	s.write(digest, append(append([]string{s.root, "repositories", s.name}, folder...), "link")...)
}

func (s *storage) write(text string, path ...string) {
	file := filepath.Join(path...)
	if s.err == nil {
		s.err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if s.err == nil {
		s.err = os.WriteFile(file, []byte(text), 0o644)
	}
}

func hexOf(digest string) string { return strings.TrimPrefix(digest, "sha256:") }
