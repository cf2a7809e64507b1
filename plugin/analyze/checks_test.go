package analyze

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"slices"
	"strings"
	"testing"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint/rules"
	"github.com/imgmgr/imgmgr/plugin/analyze/budget"
	"github.com/imgmgr/imgmgr/plugin/analyze/compare"
	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// contents are files by their paths; "-> " is a symbolic link.
type contents map[string]string

// made is an image of files with contents.
func made(t testing.TB, config dockerspec.DockerOCIImageConfig, layers ...contents) *image.Image {
	t.Helper()
	img := &image.Image{Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}}
	img.Config.Config = config
	for _, files := range layers {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		var names []string
		for name := range files {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			h := &tar.Header{Name: name, Mode: 0o755, Size: int64(len(files[name])), Typeflag: tar.TypeReg}
			if target, ok := strings.CutPrefix(files[name], "-> "); ok {
				h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target, 0
			}
			err := w.WriteHeader(h)
			if err == nil && h.Typeflag == tar.TypeReg {
				_, err = io.WriteString(w, files[name])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		table, err := Walker(nil, false).Start().Layer(t.Context(), image.Blob{Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(out.Bytes())), nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		img.Layers = append(img.Layers, &image.Layer{Table: table})
	}
	return img
}

// key is a private key as tools write it.
func key(t *testing.T) string {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// A finding leads to the page of its rule.
func TestRulesAreThere(t *testing.T) {
	there := map[string]bool{"": true}
	for _, r := range rules.All {
		there[r.Name] = true
	}
	config := dockerspec.DockerOCIImageConfig{ImageConfig: ocispec.ImageConfig{Env: []string{"A_TOKEN=1"}}}
	for _, f := range Analyze(made(t, config), Facts{}).Findings {
		if !there[f.Rule] {
			t.Errorf("%s names the rule %s, and there is none", f.Kind, f.Rule)
		}
	}
}

func TestSecrets(t *testing.T) {
	random := strings.Repeat("a1B2c3D4", 10)
	img := made(t, dockerspec.DockerOCIImageConfig{}, contents{
		"root/.ssh/id":    "# mine\n" + key(t),
		"etc/aws":         "aws_access_key_id=AKIA" + "QWERTYUIOPASDFGH" + "\naws_secret_access_key=" + random[:40] + "\n",
		"etc/token":       "token: ghp" + "_" + random[:36] + "\n",
		"root/.npmrc":     "//r/:_authToken=" + random[:36] + "\n",
		"config.json":     `{"auths":{"r.example.com":{"auth":"dXNlcjpwYXNz"}}}`,
		"src/crypto.go":   `if strings.Contains(s, "-----BEGIN PRIVATE KEY-----") {` + strings.Repeat(" ", 50),
		"doc/example.txt": "AKIA" + "IOSFODNN7EXAMPLE" + " secret=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"id.txt":          "AKIA" + "QWERTYUIOPASDFGH" + " is an ID without its secret",
		"app/tests/k.pem": key(t),
		"login.json":      `{"auths":{"r.example.com":{}}}`,
		"binary":          "\x7fELF\x00" + key(t),
	}, contents{"etc/.wh.aws": ""})
	var found []string
	for _, f := range Analyze(img, Facts{}).Findings {
		if f.Kind == "secret" {
			found = append(found, f.Paths[0])
			if recoverable := strings.Contains(f.Message, "can be recovered"); recoverable != (f.Paths[0] == "etc/aws") {
				t.Errorf("%s: %s", f.Paths[0], f.Message)
			}
			if strings.Contains(f.Message, random[:30]) {
				t.Errorf("the message tells the secret: %s", f.Message)
			}
		}
	}
	slices.Sort(found)
	if want := []string{"config.json", "etc/aws", "etc/token", "root/.npmrc", "root/.ssh/id"}; !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
}

func TestEntrypoint(t *testing.T) {
	for _, c := range []struct {
		name    string
		config  ocispec.ImageConfig
		missing bool
	}{
		{"by its path", ocispec.ImageConfig{Entrypoint: []string{"/bin/app"}}, false},
		{"by PATH", ocispec.ImageConfig{Cmd: []string{"app"}, Env: []string{"PATH=/nowhere:/bin"}}, false},
		{"by the default PATH", ocispec.ImageConfig{Cmd: []string{"app"}}, false},
		{"relative to the folder", ocispec.ImageConfig{Cmd: []string{"./app"}, WorkingDir: "/bin"}, false},
		{"through links", ocispec.ImageConfig{Cmd: []string{"/opt/link/app"}}, false},
		{"through an absolute link", ocispec.ImageConfig{Cmd: []string{"/abs"}}, false},
		{"not there", ocispec.ImageConfig{Cmd: []string{"/bin/other"}}, true},
		{"not in PATH", ocispec.ImageConfig{Cmd: []string{"app"}, Env: []string{"PATH=/nowhere"}}, true},
		{"a link to itself", ocispec.ImageConfig{Cmd: []string{"/loop"}}, true},
		{"a link to nothing", ocispec.ImageConfig{Cmd: []string{"/dangling"}}, true},
		{"none", ocispec.ImageConfig{}, false},
	} {
		img := made(t, dockerspec.DockerOCIImageConfig{ImageConfig: c.config}, contents{
			"bin/app": "#!/bin/sh", "opt/link": "-> ../bin", "abs": "-> /opt/link/app", "loop": "-> loop", "dangling": "-> /gone",
		})
		f, found := kinds(Analyze(img, Facts{}))["entrypoint -1"]
		if found != c.missing {
			t.Errorf("%s: %v %s", c.name, found, f.Message)
		}
	}
}

func TestConfigurationAndAccounts(t *testing.T) {
	risky := dockerspec.DockerOCIImageConfig{ImageConfig: ocispec.ImageConfig{
		Env: []string{"DB_PASSWORD=geheim", "PATH=/bin", "TOKEN_FILE=/run/secrets/t", "API_KEY=", "KEYBOARD=de"}, Volumes: map[string]struct{}{"/etc": {}, "/data": {}},
	}}
	img := made(t, risky, contents{"etc/passwd": "root:x:0:0::/root:/bin/sh\nadmin:x:0:0::/:/bin/sh\n", "etc/shadow": "root::1::::::\nme:*:1::::::\n"})
	var got []string
	for _, f := range Analyze(img, Facts{}).Findings {
		got = append(got, f.Kind)
	}
	slices.Sort(got)
	if want := []string{"duplicate-id", "empty-password", "no-healthcheck", "root", "secret-in-env", "sensitive-volume"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	good := dockerspec.DockerOCIImageConfig{ImageConfig: ocispec.ImageConfig{User: "1000"}}
	good.Healthcheck = &dockerspec.HealthcheckConfig{Test: []string{"CMD", "true"}}
	if f := Analyze(made(t, good, contents{"a": "b"}), Facts{}).Findings; len(f) > 0 {
		t.Errorf("found %+v", f)
	}
}

func TestPackagesByTheirFirstLayer(t *testing.T) {
	status := func(names ...string) string {
		var out string
		for _, n := range names {
			out += "Package: " + n + "\nStatus: install ok installed\nInstalled-Size: 2\nVersion: 1.0\nDescription: x\n Version: 9\n\n"
		}
		return out
	}
	img := made(t, dockerspec.DockerOCIImageConfig{},
		contents{"var/lib/dpkg/status": status("zlib1g"), "lib/apk/db/installed": "C:Q1\nP:musl\nV:1.2\nI:600\n\nP:busybox\nV:1.36\nI:9\n"},
		contents{"var/lib/dpkg/status": status("zlib1g", "curl") + "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n"},
		contents{
			"app/node_modules/left/package.json": `{"name":"left","version":"3.0.0"}`, "app/node_modules/@me/right/package.json": `{"name":"@me/right","version":"1.0.0"}`,
			"app/node_modules/left/test/package.json": `{"name":"no","version":"1"}`, "app/package.json": `{"name":"app","version":"1"}`,
			"usr/lib/python3/dist-packages/six-1.16.dist-info/METADATA": "Metadata-Version: 2.1\nName: six\nVersion: 1.16\n\nVersion: 2\n",
		},
	)
	want := []report.Package{
		{Type: "apk", Name: "busybox", Version: "1.36", Layer: 0, Bytes: 9}, {Type: "apk", Name: "musl", Version: "1.2", Layer: 0, Bytes: 600},
		{Type: "deb", Name: "curl", Version: "1.0", Layer: 1, Bytes: 2048}, {Type: "deb", Name: "zlib1g", Version: "1.0", Layer: 0, Bytes: 2048},
		{Type: "npm", Name: "@me/right", Version: "1.0.0", Layer: 2, Bytes: 38}, {Type: "npm", Name: "left", Version: "3.0.0", Layer: 2, Bytes: 60},
		{Type: "pypi", Name: "six", Version: "1.16", Layer: 2, Bytes: 0},
	}
	if got := Analyze(img, Facts{}).Packages; !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestCompareAndGates(t *testing.T) {
	old := made(t, dockerspec.DockerOCIImageConfig{}, contents{"a": "1", "b": "22", "c": "same"})
	now := made(t, dockerspec.DockerOCIImageConfig{ImageConfig: ocispec.ImageConfig{User: "me"}}, contents{"a": "333", "c": "same", "d": "4444"})
	r, was := Analyze(now, Facts{}), Analyze(old, Facts{})
	c := compare.Images(now, old, r, was)
	want := []report.PathChange{{Path: "d", Change: "added", Bytes: 4}, {Path: "a", Change: "content", Bytes: 2}, {Path: "b", Change: "removed", Bytes: -2}}
	if !slices.Equal(c.Paths, want) || c.Equal || c.ShippedBytes != 4 || c.Added != 1 || c.Changed != 1 || c.Removed != 1 || len(c.Config) != 1 {
		t.Errorf("%+v, want %v", c, want)
	}
	if same := compare.Images(old, old, was, was); !same.Equal {
		t.Errorf("an image differs from itself: %+v", same)
	}
	r.Comparison = c
	for _, g := range []struct {
		limits budget.Limits
		passed bool
	}{
		{budget.Limits{MaxSize: "11B"}, true}, {budget.Limits{MaxSize: "10B"}, false}, {budget.Limits{MinEfficiency: "100%"}, true}, {budget.Limits{MaxWasted: "0"}, true},
		{budget.Limits{MaxGrowth: "4B"}, true}, {budget.Limits{MaxGrowth: "3B"}, false}, {budget.Limits{MaxGrowth: "58%"}, true}, {budget.Limits{MaxGrowth: "57%"}, false},
	} {
		if err := g.limits.Check(true); err != nil {
			t.Fatal(err)
		}
		held := *r
		if budget.Hold(&held, g.limits); held.Passed() != g.passed {
			t.Errorf("%+v: %+v", g.limits, held.Gates)
		}
	}
	for _, wrong := range []budget.Limits{{MaxSize: "big"}, {MaxSize: "5%"}, {MinEfficiency: "5MB"}, {MaxWasted: "-1%"}, {MaxGrowth: "1MB"}} {
		if err := wrong.Check(false); err == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
}
