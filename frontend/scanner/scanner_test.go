package scanner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	intoto "github.com/in-toto/in-toto-golang/in_toto"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
)

// environ is what BuildKit gives a scanner of core and extras.
func environ(core, extras, dest string) map[string]string {
	return map[string]string{EnvSource: core, EnvExtras: extras, EnvDestination: dest}
}

// licenses is made once for all tests: see withLicenses.
var licenses = sync.OnceValues(func() (context.Context, error) {
	return withLicenses(context.Background())
})

func runIn(t *testing.T, env map[string]string) error {
	t.Helper()
	return run(t.Context(), func(name string) string { return env[name] }, "v0.0.0-test", licensesOf)
}

func licensesOf(context.Context) (context.Context, error) { return licenses() }

// scanned scans root as BuildKit has it scanned and gives the SBOM's bytes.
func scanned(t *testing.T, root string) []byte {
	t.Helper()
	dest := t.TempDir()
	if err := runIn(t, environ(root, "", dest)); err != nil {
		t.Fatal(err)
	}
	return read(t, filepath.Join(dest, filepath.Base(root)+".spdx.json"))
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decode reads a statement as BuildKit does and its predicate as the readers
// of SBOMs do.
func decode(t *testing.T, text []byte) *spdx.Document {
	t.Helper()
	var s struct {
		intoto.StatementHeader
		Predicate json.RawMessage `json:"predicate"`
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if s.Type != "https://in-toto.io/Statement/v0.1" || s.PredicateType != "https://spdx.dev/Document" {
		t.Fatalf("BuildKit would refuse a statement of type %q around a %q", s.Type, s.PredicateType)
	}
	if s.Subject == nil || len(s.Subject) > 0 {
		t.Fatalf("subjects are %v, want an empty list for BuildKit to fill", s.Subject)
	}
	doc := &spdx.Document{}
	if err := spdxjson.ReadInto(bytes.NewReader(s.Predicate), doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// purls maps the package URLs of doc, without qualifiers, to the qualifiers.
func purls(doc *spdx.Document) map[string]string {
	found := map[string]string{}
	for _, p := range doc.Packages {
		for _, ref := range p.PackageExternalReferences {
			if ref.RefType == "purl" {
				url, qualifiers, _ := strings.Cut(ref.Locator, "?")
				found[url] = qualifiers
			}
		}
	}
	return found
}

func TestPackages(t *testing.T) {
	root := filepath.Join(t.TempDir(), "sbom")
	writeRoot(t, root)
	doc := decode(t, scanned(t, root))

	if doc.SPDXVersion != "SPDX-2.3" || doc.DocumentName != "sbom" {
		t.Errorf("document is %q named %q, want SPDX-2.3 named sbom", doc.SPDXVersion, doc.DocumentName)
	}
	got := purls(doc)
	for _, want := range []string{
		"pkg:deb/debian/libc6@2.41-3",
		"pkg:npm/left-pad@1.3.0",
		"pkg:pypi/requests@2.32.3",
		"pkg:maven/org.example/widget@4.5.6",
		"pkg:rpm/debian/bash@5.2.37-1.fc42",                                // the distribution is os-release's
		"pkg:golang/stdlib@" + strings.TrimPrefix(runtime.Version(), "go"), // of the Go binary, this test
	} {
		if _, ok := got[want]; !ok {
			t.Errorf("no %s in the document, which has %v", want, slices.Sorted(maps.Keys(got)))
		}
	}
	// The lock file of an image's application declares, it does not install.
	if _, ok := got["pkg:npm/only-in-lock@9.9.9"]; ok {
		t.Error("the document names a package of a lock file that is not installed")
	}
	// os-release is an absolute link, which must resolve in the root.
	if q := got["pkg:deb/debian/libc6@2.41-3"]; !strings.Contains(q, "distro=debian-42") {
		t.Errorf("libc6 has the qualifiers %q, want the root's own distribution debian-42", q)
	}
}

func TestEvidenceHasDigests(t *testing.T) {
	root := filepath.Join(t.TempDir(), "sbom")
	writeFile(t, root, "app/node_modules/left-pad/package.json", leftPad)
	doc := decode(t, scanned(t, root))
	if len(doc.Files) != 1 {
		t.Fatalf("%d files, want the one package.json", len(doc.Files))
	}
	got := map[string]string{}
	for _, sum := range doc.Files[0].Checksums {
		got[string(sum.Algorithm)] = sum.Value
	}
	want := map[string]string{"SHA1": sha1Hex(leftPad), "SHA256": sha256Hex(leftPad)}
	if !maps.Equal(got, want) {
		t.Errorf("digests of %s are %v, want %v", doc.Files[0].FileName, got, want)
	}
}

func TestEqualRootsGiveEqualBytes(t *testing.T) {
	var first []byte
	for range 4 {
		root := filepath.Join(t.TempDir(), "sbom") // elsewhere each time
		writeRoot(t, root)
		text := scanned(t, root)
		if first == nil {
			first = text
		}
		if !bytes.Equal(text, first) {
			t.Fatal("two scans of equal roots gave different documents")
		}
	}
	root := filepath.Join(t.TempDir(), "sbom")
	writeRoot(t, root)
	writeFile(t, root, "app/node_modules/left-pad/package.json", strings.Replace(leftPad, "1.3.0", "1.3.1", 1))
	other := decode(t, scanned(t, root)).DocumentNamespace
	if other == decode(t, first).DocumentNamespace {
		t.Error("two roots that differ share a document namespace")
	}
}

func TestCreated(t *testing.T) {
	root := filepath.Join(t.TempDir(), "sbom")
	writeFile(t, root, "etc/hostname", "a\n")
	for _, c := range []struct{ name, value, want string }{
		{"", "", "1970-01-01T00:00:00Z"},
		{"SOURCE_DATE_EPOCH", "1700000000", "2023-11-14T22:13:20Z"},
		{"BUILDKIT_SCAN_SOURCE_DATE_EPOCH", "1700000000", "2023-11-14T22:13:20Z"},
	} {
		dest := t.TempDir()
		env := environ(root, "", dest)
		env[c.name] = c.value
		if err := runIn(t, env); err != nil {
			t.Fatal(err)
		}
		got := decode(t, read(t, filepath.Join(dest, "sbom.spdx.json"))).CreationInfo.Created
		if got != c.want {
			t.Errorf("%s=%s: created %s, want %s", c.name, c.value, got, c.want)
		}
	}
}

func TestExtras(t *testing.T) {
	dir := t.TempDir()
	core, extras, dest := filepath.Join(dir, "core", "sbom"), filepath.Join(dir, "extras"), t.TempDir()
	writeFile(t, core, "app/node_modules/left-pad/package.json", leftPad)
	writeFile(t, extras, "sbom-deps/usr/lib/python3/dist-packages/requests-2.32.3.dist-info/METADATA", requests)
	writeFile(t, extras, "sbom-context/package-lock.json", packageLock)
	writeFile(t, extras, "sbom-imgmgr-apt/keep-cache", "the rewrite's own stage\n")
	env := environ(core, extras, dest)
	if err := Run(t.Context(), func(name string) string { return env[name] }, "v0"); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"sbom.spdx.json":         {"pkg:npm/left-pad@1.3.0"},
		"sbom-deps.spdx.json":    {"pkg:pypi/requests@2.32.3"},
		"sbom-context.spdx.json": {"pkg:npm/app@1.0.0", "pkg:npm/only-in-lock@9.9.9"}, // declared, in a context
	}
	entries, err := os.ReadDir(dest)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(want) {
		t.Errorf("%d documents, want %d", len(entries), len(want))
	}
	for name, urls := range want {
		doc := decode(t, read(t, filepath.Join(dest, name)))
		if got := slices.Sorted(maps.Keys(purls(doc))); !slices.Equal(got, urls) {
			t.Errorf("%s has %v, want %v", name, got, urls)
		}
		if stem := strings.TrimSuffix(name, ".spdx.json"); doc.DocumentName != stem {
			t.Errorf("%s is named %q, want %q", name, doc.DocumentName, stem)
		}
	}
}

// The protocol: an unset or missing directory of extras is no error.
func TestNoExtras(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "sbom")
	writeFile(t, root, "etc/hostname", "a\n")
	if err := runIn(t, environ(root, filepath.Join(dir, "missing"), t.TempDir())); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "sbom/etc/hostname", "a\n")
	writeFile(t, dir, "extras/sbom/etc/hostname", "a\n")
	root := filepath.Join(dir, "sbom")
	with := func(env map[string]string, name, value string) map[string]string {
		env[name] = value
		return env
	}
	for name, c := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"no source":           {environ("", "", dir), []string{"BUILDKIT_SCAN_SOURCE is not set", "--attest type=sbom,generator="}},
		"no destination":      {environ(root, "", ""), []string{"BUILDKIT_SCAN_DESTINATION is not set", "--attest type=sbom,generator="}},
		"missing source":      {environ(filepath.Join(dir, "nowhere"), "", dir), []string{filepath.Join(dir, "nowhere"), "no such file or directory", "IMGMGR_SBOM=off"}},
		"source is a file":    {environ(filepath.Join(root, "etc/hostname"), "", dir), []string{"is not a directory", "IMGMGR_SBOM=off"}},
		"missing destination": {environ(root, "", filepath.Join(dir, "nowhere")), []string{`write the SBOM "sbom"`, "nowhere", "IMGMGR_SBOM=off"}},
		"extra named as core": {environ(root, filepath.Join(dir, "extras"), dir), []string{`"sbom"`, "rename that stage"}},
		"date":                {with(environ(root, "", dir), "SOURCE_DATE_EPOCH", "today"), []string{`SOURCE_DATE_EPOCH="today"`, "seconds since 1970"}},
	} {
		err := runIn(t, c.env)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error has more than one line: %v", name, err)
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q lacks %q", name, err, want)
			}
		}
	}
}

func TestCancelledScanWritesNothing(t *testing.T) {
	dir, dest := t.TempDir(), t.TempDir()
	writeFile(t, dir, "sbom/etc/hostname", "a\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	env := environ(filepath.Join(dir, "sbom"), "", dest)
	err := Run(ctx, func(name string) string { return env[name] }, "v0")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if entries, err := os.ReadDir(dest); err != nil || len(entries) > 0 {
		t.Errorf("the destination has %d files, %v, after a failure", len(entries), err)
	}
}

func TestOptional(t *testing.T) {
	env := map[string]string{}
	get := func(name string) string { return env[name] }
	if Optional(get) {
		t.Error("optional without being told")
	}
	if env[EnvOptional] = "true"; !Optional(get) {
		t.Error("not optional, though told")
	}
}
