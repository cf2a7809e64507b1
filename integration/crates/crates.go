//go:build linux

// Package crates is a registry of Rust crates on loopback, in the place of
// crates.io, for tests that build with a real cargo. It offers letters, which
// has a build script, shout, which depends on it, counted, a procedural macro,
// and greet, a program.
//
// It speaks the sparse protocol (The Cargo Book, "Registry Index").
package crates

import (
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"

	"github.com/BurntSushi/toml"

	"github.com/imgmgr/imgmgr/integration/pack"
)

//go:embed all:testdata
var sources embed.FS

// Registry is a running registry.
type Registry struct {
	// URL is what cargo takes as a registry of a replaced source.
	URL string

	server *httptest.Server
	crates map[string][]byte // by file name
	lines  map[string][]byte // of the index, by path
}

// Start makes a registry of the crates below testdata. Who starts it closes it.
func Start() (*Registry, error) {
	r := &Registry{crates: map[string][]byte{}, lines: map[string][]byte{}}
	folders, err := sources.ReadDir("testdata")
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		if err := r.add(folder.Name()); err != nil {
			return nil, fmt.Errorf("make the crate %s: %w", folder.Name(), err)
		}
	}
	r.server = httptest.NewServer(http.HandlerFunc(r.answer))
	r.URL = "sparse+" + r.server.URL + "/index/"
	return r, nil
}

// Close stops the server.
func (r *Registry) Close() { r.server.Close() }

// answer serves an index with ETags, which cargo keeps beside what it has read,
// and crates that never change.
func (r *Registry) answer(w http.ResponseWriter, req *http.Request) {
	content, ok := r.lines[req.URL.Path]
	if !ok {
		content, ok = r.crates[req.URL.Path]
	}
	if req.URL.Path == "/index/config.json" {
		content, ok = fmt.Appendf(nil, `{"dl": "%s/crates/{crate}-{version}.crate"}`, r.server.URL), true
	}
	if !ok {
		http.NotFound(w, req)
		return
	}
	tag := fmt.Sprintf("\"%x\"", sha256.Sum256(content))
	w.Header().Set("ETag", tag)
	if req.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Write(content)
}

// manifest is what the index says of a Cargo.toml.
type manifest struct {
	Package struct {
		Name    string `toml:"name"`
		Version string `toml:"version"`
	} `toml:"package"`
	Dependencies map[string]string `toml:"dependencies"`
}

// dependency is one of a line of the index.
type dependency struct {
	Name     string   `json:"name"`
	Req      string   `json:"req"`
	Features []string `json:"features"`
	Optional bool     `json:"optional"`
	Defaults bool     `json:"default_features"`
	Target   *string  `json:"target"`
	Kind     string   `json:"kind"`
}

// add packs one of the folders below testdata and writes its line of the index.
func (r *Registry) add(folder string) error {
	root := path.Join("testdata", folder)
	var m manifest
	if _, err := toml.DecodeFS(sources, path.Join(root, "Cargo.toml"), &m); err != nil {
		return err
	}
	name, version := m.Package.Name, m.Package.Version
	archive, err := pack.TarGz(sources, root, name+"-"+version, nil)
	if err != nil {
		return err
	}
	needs := []dependency{}
	for other, req := range m.Dependencies {
		needs = append(needs, dependency{Name: other, Req: "^" + req, Features: []string{}, Defaults: true, Kind: "normal"})
	}
	line, err := json.Marshal(map[string]any{
		"name": name, "vers": version, "deps": needs, "cksum": fmt.Sprintf("%x", sha256.Sum256(archive)), "features": map[string][]string{}, "yanked": false,
	})
	if err != nil {
		return err
	}
	r.crates["/crates/"+name+"-"+version+".crate"] = archive
	// Names of at least four letters lie in folders of their first letters.
	r.lines["/index/"+name[:2]+"/"+name[2:4]+"/"+name] = append(line, '\n')
	return nil
}
