//go:build linux

// Package packagist is a repository of Composer on loopback, in the place of
// packagist.org, for tests that build with a real composer. It offers
// example/greeting and example/shouting, which needs that.
package packagist

import (
	"crypto/sha1"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"

	"github.com/imgmgr/imgmgr/integration/pack"
)

//go:embed all:testdata
var sources embed.FS

// Host is what the repository says that its name is, as lock files name it: a
// build reaches it by a proxy.
const Host = "http://packagist.test"

// Repository is a running repository.
type Repository struct {
	// URL is that of a proxy which answers for any host.
	URL string

	server *httptest.Server
	files  map[string][]byte // by path
}

// Start makes a repository of the packages below testdata. Who starts it closes
// it.
func Start() (*Repository, error) {
	r := &Repository{files: map[string][]byte{}}
	if err := r.fill(); err != nil {
		return nil, fmt.Errorf("make a repository of Composer: %w", err)
	}
	r.server = httptest.NewServer(http.HandlerFunc(r.answer))
	r.URL = r.server.URL
	return r, nil
}

// Close stops the server.
func (r *Repository) Close() { r.server.Close() }

func (r *Repository) answer(w http.ResponseWriter, req *http.Request) {
	content, ok := r.files[req.URL.Path]
	if !ok {
		http.NotFound(w, req)
		return
	}
	w.Write(content)
}

// fill packs the folders below testdata, and lists them (getcomposer.org/doc,
// 05-repositories, "Composer").
func (r *Repository) fill() error {
	folders, err := sources.ReadDir("testdata")
	if err != nil {
		return err
	}
	list := map[string]map[string]map[string]any{}
	for _, folder := range folders {
		files, err := pack.Folder(sources, path.Join("testdata", folder.Name()))
		if err != nil {
			return err
		}
		archive, err := pack.Zip(files)
		if err != nil {
			return err
		}
		var described map[string]any
		if err := json.Unmarshal(files["composer.json"], &described); err != nil {
			return err
		}
		at := "/files/" + folder.Name() + ".zip"
		r.files[at] = archive
		sum := fmt.Sprintf("%x", sha1.Sum(archive))
		described["version"] = "1.0.0"
		described["dist"] = map[string]string{"type": "zip", "url": Host + at, "reference": sum, "shasum": sum}
		list["example/"+folder.Name()] = map[string]map[string]any{"1.0.0": described}
	}
	r.files["/packages.json"], err = json.Marshal(map[string]any{"packages": list})
	return err
}
