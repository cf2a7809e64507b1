//go:build linux

// Package pypi is an index of Python packages on loopback, in the place of
// pypi.org, for tests that build with a real pip. It offers the wheels that
// Debian packages for Python's own use, and two source distributions: greeter,
// which is pure Python, and adder, which has a module in C.
//
// It speaks the simple repository API (packaging.python.org) and sends the
// headers that decide what pip keeps in its cache: files never change, and
// pages are revalidated.
package pypi

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed all:testdata
var sources embed.FS

// wheels are Debian's packages of wheels.
var wheels = []string{"python3-setuptools-whl", "python3-wheel-whl"}

// Index is a running index.
type Index struct {
	// URL is what pip takes as --index-url.
	URL string

	server *httptest.Server
	files  map[string][]byte // by file name
}

// Start makes an index of what this machine's apt has. Who starts it closes it.
func Start(ctx context.Context) (*Index, error) {
	ix := &Index{files: map[string][]byte{}}
	if err := ix.addWheels(ctx); err != nil {
		return nil, fmt.Errorf("make a Python package index of Debian's wheels: %w", err)
	}
	for _, name := range []string{"greeter", "adder"} {
		if err := ix.addSource(name, "1.0.0"); err != nil {
			return nil, fmt.Errorf("make a source distribution of %s: %w", name, err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /simple/{name}/", ix.page)
	mux.HandleFunc("GET /files/{file}", ix.file)
	ix.server = httptest.NewServer(mux)
	ix.URL = ix.server.URL + "/simple"
	return ix, nil
}

// Close stops the server.
func (ix *Index) Close() { ix.server.Close() }

// page lists the files of a project.
func (ix *Index) page(w http.ResponseWriter, r *http.Request) {
	var links strings.Builder
	for _, file := range slices.Sorted(maps.Keys(ix.files)) {
		if project, _, _ := strings.Cut(file, "-"); project == r.PathValue("name") {
			fmt.Fprintf(&links, "<a href=\"/files/%s#sha256=%x\">%s</a>\n", file, sha256.Sum256(ix.files[file]), file)
		}
	}
	if links.Len() == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("Cache-Control", "max-age=600, public")
	w.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256([]byte(links.String())))))
	fmt.Fprintf(w, "<!DOCTYPE html>\n%s", links.String())
}

func (ix *Index) file(w http.ResponseWriter, r *http.Request) {
	content, ok := ix.files[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "max-age=365000000, immutable, public")
	w.Header().Set("ETag", fmt.Sprintf("\"%x\"", sha256.Sum256(content)))
	w.Write(content)
}

// addWheels takes the wheels out of Debian's packages.
func (ix *Index) addWheels(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "pypi")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	script := `apt-get download -qq "$@" && for p in *.deb; do dpkg-deb --extract "$p" .; done`
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-ec", script, "sh"}, wheels...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	found, err := filepath.Glob(filepath.Join(dir, "usr/share/python-wheels/*.whl"))
	if err != nil || len(found) == 0 {
		return fmt.Errorf("%s have no wheels: %w", strings.Join(wheels, ", "), err)
	}
	for _, name := range found {
		if ix.files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			return err
		}
	}
	return nil
}

// addSource packs one of the folders below testdata.
func (ix *Index) addSource(name, version string) error {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	add := func(file string, content []byte) error {
		err := w.WriteHeader(&tar.Header{Name: path.Join(name+"-"+version, file), Mode: 0o644, Size: int64(len(content))})
		if err == nil {
			_, err = w.Write(content)
		}
		return err
	}
	root := path.Join("testdata", name)
	err := fs.WalkDir(sources, root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := sources.ReadFile(file)
		if err != nil {
			return err
		}
		return add(strings.TrimPrefix(file, root+"/"), content)
	})
	if err == nil {
		err = add("PKG-INFO", fmt.Appendf(nil, "Metadata-Version: 2.1\nName: %s\nVersion: %s\n", name, version))
	}
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	ix.files[name+"-"+version+".tar.gz"] = out.Bytes()
	return nil
}
