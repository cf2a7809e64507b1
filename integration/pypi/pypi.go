//go:build linux

// Package pypi is an index of Python packages on loopback, in the place of
// pypi.org, for tests that build with a real pip or poetry. It offers the wheels
// that Debian packages for Python's own use, two that are always the same, waver
// and nodder, which needs it, and two source distributions: greeter, which is
// pure Python, and adder, which has a module in C.
//
// It speaks the simple repository API (packaging.python.org) and sends the
// headers that decide what pip keeps in its cache: files never change, and
// pages are revalidated.
package pypi

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/integration/pack"
)

//go:embed all:testdata
var sources embed.FS

// wheels are Debian's packages of wheels.
var wheels = []string{"python3-setuptools-whl", "python3-wheel-whl"}

// Index is a running index.
type Index struct {
	// URL is the server's: URL/simple is what pip takes as --index-url, and URL
	// itself is a proxy that answers for any host.
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
	if err := errors.Join(ix.addWheel("waver"), ix.addWheel("nodder", "waver>=1")); err != nil {
		return nil, fmt.Errorf("make a wheel: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /simple/{name}/", ix.page)
	mux.HandleFunc("GET /files/{file}", ix.file)
	ix.server = httptest.NewServer(mux)
	ix.URL = ix.server.URL
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
	if err := pack.Debian(ctx, dir, wheels...); err != nil {
		return err
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
func (ix *Index) addSource(name, version string) (err error) {
	info := fmt.Appendf(nil, "Metadata-Version: 2.1\nName: %s\nVersion: %s\n", name, version)
	ix.files[name+"-"+version+".tar.gz"], err = pack.TarGz(sources, path.Join("testdata", name), name+"-"+version, map[string][]byte{"PKG-INFO": info})
	return err
}

// addWheel makes a wheel (packaging.python.org, "Binary distribution format"):
// lock files know its hash.
func (ix *Index) addWheel(name string, needs ...string) error {
	info := name + "-1.0.0.dist-info/"
	metadata := "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.0.0\n"
	for _, other := range needs {
		metadata += "Requires-Dist: " + other + "\n"
	}
	files := map[string][]byte{
		name + "/__init__.py":     []byte("def main():\n    print(\"" + name + "\")\n"),
		info + "METADATA":         []byte(metadata),
		info + "WHEEL":            []byte("Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
		info + "entry_points.txt": []byte("[console_scripts]\n" + name + " = " + name + ":main\n"),
	}
	record := info + "RECORD,,\n"
	for _, file := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256(files[file])
		record += fmt.Sprintf("%s,sha256=%s,%d\n", file, base64.RawURLEncoding.EncodeToString(sum[:]), len(files[file]))
	}
	files[info+"RECORD"] = []byte(record)
	var err error
	ix.files[name+"-1.0.0-py3-none-any.whl"], err = pack.Zip(files)
	return err
}
