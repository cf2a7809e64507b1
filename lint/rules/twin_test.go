package rules_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/linttest"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// anyImage knows every image: what the official images of languages have in
// their configuration, and otherwise a PATH.
type anyImage struct{}

func (anyImage) Image(_ context.Context, ref, _ string) (*facts.Image, error) {
	config := ocispec.ImageConfig{Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}}
	switch {
	case strings.Contains(ref, "golang"):
		config.Env = []string{"PATH=/go/bin:/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin", "GOPATH=/go", "GOTOOLCHAIN=local"}
		config.WorkingDir = "/go"
	case strings.Contains(ref, "nonroot"), strings.Contains(ref, "distroless"):
		config.User = "65532"
	}
	return &facts.Image{Digest: digest.FromString(ref).String(), Config: ocispec.Image{Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}, Config: config}}, nil
}

// likely is a world in which many rules fire: a context with the manifests of
// several languages, and images that are all known.
func likely() facts.Context {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"package.json":      `{"name":"a","dependencies":{"b":"1.0.0"}}`,
		"package-lock.json": `{"name":"a","lockfileVersion":3,"packages":{"":{"name":"a","dependencies":{"b":"1.0.0"}},"node_modules/b":{"version":"1.0.0","resolved":"https://registry.example.com/b/-/b-1.0.0.tgz","integrity":"sha512-x"}}}`,
		"pnpm-lock.yaml":    "lockfileVersion: '9.0'\n",
		"yarn.lock":         "# yarn lockfile v1\n",
		"go.mod":            "module example.com/a\n\ngo 1.26\n",
		"go.sum":            "",
		"main.go":           "package main\n",
		"requirements.txt":  "flask==3.0.0\n",
		"Cargo.toml":        "[package]\nname = \"a\"\n",
		"Cargo.lock":        "version = 4\n",
		"Gemfile":           "source 'https://rubygems.org'\n",
		"Gemfile.lock":      "GEM\n",
		"composer.json":     "{}\n",
		"composer.lock":     "{}\n",
		"pom.xml":           "<project/>\n",
		"src/main.c":        "int main(void) { return 0; }\n",
		"Dockerfile":        "FROM scratch\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return facts.Context{Files: files, Images: anyImage{}, NewestSyntax: true, Args: map[string]string{}}
}

// proven are the rules whose fixes a build makes unseen.
func proven() []*lint.Rule {
	return slices.DeleteFunc(slices.Clone(rules.All), func(r *lint.Rule) bool { return r.Safety < lint.BuildSafe })
}

// differences rewrites a file as a build does, and compares what BuildKit makes
// of both texts. It returns the fixes made, too; none where BuildKit refuses the
// file itself.
func differences(t *testing.T, src string, fc facts.Context) (list []string, out *lint.Rewritten) {
	t.Helper()
	if _, err := dockerfile.Parse("Dockerfile", []byte(src)); err != nil {
		return nil, nil
	}
	out, err := lint.Rewrite(t.Context(), "Dockerfile", []byte(src), fc, proven(), lint.BuildSafe)
	if err != nil {
		return []string{err.Error()}, nil
	}
	if len(out.Applied) == 0 {
		return nil, out
	}
	before, err := linttest.Lower(t.Context(), []byte(src), fc)
	if err != nil {
		return nil, nil
	}
	after, err := linttest.Lower(t.Context(), out.Src, fc)
	if err != nil {
		return []string{"BuildKit builds the original and refuses the rewrite: " + err.Error()}, out
	}
	return linttest.Twins(before, after, out.Applied), out
}

// TestTwins is the differential oracle without a daemon, over every Dockerfile
// that there is: what BuildKit makes of a rewrite is what it makes of the
// original, but for what the fixes declare.
func TestTwins(t *testing.T) {
	t.Parallel()
	files := dockerfiles(t)
	rewritten := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		list, out := differences(t, files[name], likely())
		for _, d := range list {
			t.Errorf("%s: %s", name, d)
		}
		if len(list) > 0 && out != nil {
			t.Logf("%s\nbecomes\n%s", files[name], out.Src)
		}
		if out != nil {
			for _, fix := range out.Applied {
				rewritten[fix.Rule]++
			}
		}
	}
	t.Logf("fixes compared in %d files: %v", len(files), rewritten)
	for _, rule := range []*lint.Rule{rules.SystemPackagesAfterSource, rules.DependenciesAfterSource, rules.VolatileArgEarly, rules.CacheMountMissing} {
		if rewritten[rule.Name] < 3 {
			t.Errorf("only %d fixes of %s were compared, which proves little", rewritten[rule.Name], rule.Name)
		}
	}
}
