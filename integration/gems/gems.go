//go:build linux

// Package gems is an index of Ruby's gems on loopback, in the place of
// rubygems.org, for tests that build with a real Bundler. It offers letters,
// shout, which needs that, and adder, which has an extension in C.
//
// It speaks the compact index (guides.rubygems.org, "RubyGems.org Compact Index
// API"), whose answers carry the hash of each gem.
package gems

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/imgmgr/imgmgr/integration/pack"
)

//go:embed all:testdata
var sources embed.FS

// version is that of every gem.
const version = "1.0.0"

// Index is a running index.
type Index struct {
	// URL is that of a proxy which answers for any host.
	URL string

	server *httptest.Server
	files  map[string][]byte // by path
}

// Start makes an index of the gems below testdata. Who starts it closes it.
func Start() (*Index, error) {
	ix := &Index{files: map[string][]byte{}}
	if err := ix.fill(); err != nil {
		return nil, fmt.Errorf("make an index of gems: %w", err)
	}
	ix.server = httptest.NewServer(http.HandlerFunc(ix.answer))
	ix.URL = ix.server.URL
	return ix, nil
}

// Close stops the server.
func (ix *Index) Close() { ix.server.Close() }

// answer serves a file. Bundler keeps those of the index with their ETags, and
// asks for what was added to them by ranges.
func (ix *Index) answer(w http.ResponseWriter, req *http.Request) {
	content, ok := ix.files[req.URL.Path]
	if !ok {
		http.NotFound(w, req)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", fmt.Sprintf("\"%x\"", md5.Sum(content)))
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(content))
}

// fill packs the folders below testdata, and lists them.
func (ix *Index) fill() error {
	folders, err := sources.ReadDir("testdata")
	if err != nil {
		return err
	}
	list, names := "created_at: 2024-04-01T00:00:05Z\n---\n", "---\n"
	for _, folder := range folders {
		name := folder.Name()
		info, err := ix.add(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		ix.files["/info/"+name] = []byte(info)
		list += fmt.Sprintf("%s %s %x\n", name, version, md5.Sum([]byte(info)))
		names += name + "\n"
	}
	ix.files["/versions"], ix.files["/names"] = []byte(list), []byte(names)
	return nil
}

// gem is what a gem.json says.
type gem struct {
	Name, Version string            `json:"-"`
	Summary       string            `json:"summary"`
	Dependencies  map[string]string `json:"dependencies"` // by name: ">= 1.0"
	Executables   []string          `json:"executables"`  // in exe
	Extensions    []string          `json:"extensions"`
	Files         []string          `json:"-"`
}

// metadata is a specification as "gem build" writes it.
var metadata = template.Must(template.New("metadata").Funcs(template.FuncMap{"split": strings.Fields}).Parse(`--- !ruby/object:Gem::Specification
name: {{.Name}}
version: !ruby/object:Gem::Version
  version: {{.Version}}
platform: ruby
authors: [imgmgr]
bindir: exe
date: 2024-04-01 00:00:00.000000000 Z
dependencies:{{if not .Dependencies}} []{{end}}
{{- range $name, $wants := .Dependencies}}
- !ruby/object:Gem::Dependency
  name: {{$name}}
  requirement: &{{$name}} !ruby/object:Gem::Requirement
    requirements:
    - - "{{index (split $wants) 0}}"
      - !ruby/object:Gem::Version
        version: "{{index (split $wants) 1}}"
  type: :runtime
  prerelease: false
  version_requirements: *{{$name}}
{{- end}}
executables: [{{range $i, $x := .Executables}}{{if $i}}, {{end}}{{$x}}{{end}}]
extensions: [{{range $i, $x := .Extensions}}{{if $i}}, {{end}}{{$x}}{{end}}]
extra_rdoc_files: []
files:
{{- range .Files}}
- {{.}}
{{- end}}
homepage: https://example.com
licenses: [MIT]
metadata: {}
require_paths: [lib]
required_ruby_version: !ruby/object:Gem::Requirement
  requirements:
  - - ">="
    - !ruby/object:Gem::Version
      version: "3.0"
required_rubygems_version: !ruby/object:Gem::Requirement
  requirements:
  - - ">="
    - !ruby/object:Gem::Version
      version: "0"
rubygems_version: 3.3.15
specification_version: 4
summary: {{.Summary}}
test_files: []
`))

// add packs a gem, and returns its entry in the index.
func (ix *Index) add(name string) (info string, err error) {
	files, err := pack.Folder(sources, path.Join("testdata", name))
	if err != nil {
		return "", err
	}
	g := gem{Name: name, Version: version}
	if err := json.Unmarshal(files["gem.json"], &g); err != nil {
		return "", err
	}
	delete(files, "gem.json")
	g.Files = slices.Sorted(maps.Keys(files))
	var spec bytes.Buffer
	if err := metadata.Execute(&spec, g); err != nil {
		return "", err
	}
	data, err := pack.Tar(files)
	if err != nil {
		return "", err
	}
	parts := map[string][]byte{}
	if parts["data.tar.gz"], err = pack.Gz(data); err != nil {
		return "", err
	}
	if parts["metadata.gz"], err = pack.Gz(spec.Bytes()); err != nil {
		return "", err
	}
	archive, err := pack.Tar(parts)
	if err != nil {
		return "", err
	}
	ix.files[fmt.Sprintf("/gems/%s-%s.gem", name, version)] = archive
	var needs []string
	for _, other := range slices.Sorted(maps.Keys(g.Dependencies)) {
		needs = append(needs, other+":"+g.Dependencies[other])
	}
	return fmt.Sprintf("---\n%s %s|checksum:%x,ruby:>= 3.0\n", version, strings.Join(needs, ","), sha256.Sum256(archive)), nil
}
