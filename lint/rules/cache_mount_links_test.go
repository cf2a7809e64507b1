package rules_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/linttest"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// TestCacheMountBehindLinks: in an image that nobody knows, only a look tells
// that no link leads away from the cache's path.
func TestCacheMountBehindLinks(t *testing.T) {
	link := &fstest.MapFile{Mode: fs.ModeSymlink | 0o777, Data: []byte("/data")}
	folder := &fstest.MapFile{Mode: fs.ModeDir | 0o755}
	for name, test := range map[string]struct {
		base  string
		files fs.FS
		want  string
	}{
		"no look":           {"example.com/node", nil, "safe: whether the way to /root/.npm/_cacache is a link in example.com/node is not known"},
		"nothing there":     {"example.com/node", fstest.MapFS{}, "build-safe"},
		"folders":           {"example.com/node", fstest.MapFS{"root": folder, "root/.npm": folder}, "build-safe"},
		"a link above":      {"example.com/node", fstest.MapFS{"root": link}, "unsafe: /root is a link in example.com/node"},
		"a link":            {"example.com/node", fstest.MapFS{"root": folder, "root/.npm": link}, "unsafe: /root/.npm is a link in example.com/node"},
		"an official image": {"node", nil, "build-safe"},
	} {
		t.Run(name, func(t *testing.T) {
			fc := world()
			fc.Images = linttest.Images{test.base: &facts.Image{
				Digest: "sha256:" + strings.Repeat("a", 64), Files: test.files,
				Config: ocispec.Image{Config: ocispec.ImageConfig{Env: []string{"PATH=/bin"}}},
			}}
			if got := verdicts(t, rules.CacheMountMissing, "FROM "+test.base+"\nCOPY package.json ./\nRUN npm ci\n", fc); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
