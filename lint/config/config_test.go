package config_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/config"
)

func read(t *testing.T, name, text string) *config.File {
	t.Helper()
	f, err := config.Read(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestHadolintFile(t *testing.T) {
	f := read(t, "a/.hadolint.yaml", `
failure-threshold: style
format: sarif
no-color: true
ignored: [DL3008, SC2086]
override:
  error: [DL3015]
  style: [DL3007]
trustedRegistries: [docker.io, "*.example.com"]
label-schema: {author: text, url: url, other: rawtext}
strict-labels: true
disable-ignore-pragma: true
`)
	want := lint.Config{
		Severities: map[string]lint.Severity{"dl3008": lint.Off, "sc2086": lint.Off, "dl3015": lint.Error, "dl3007": lint.Info},
		Registries: []string{"docker.io", "*.example.com"},
		Labels:     map[string]string{"author": "text", "url": "url", "other": "text"},
		LabelsOnly: true, Deaf: true,
	}
	if !reflect.DeepEqual(f.Config, want) {
		t.Errorf("got %+v\nwant %+v", f.Config, want)
	}
	if f.FailOn == nil || *f.FailOn != lint.Info {
		t.Errorf("the threshold style is %v, want info", f.FailOn)
	}
	if f := read(t, ".hadolint.yml", "no-fail: true\ntrustedRegistries: docker.io"); !f.NoFail || !slices.Equal(f.Registries, []string{"docker.io"}) {
		t.Errorf("no-fail, and one registry without a list, are %+v", f)
	}
	for _, text := range []string{"failure-threshold: none", "failure-threshold: ignore"} {
		if f := read(t, ".hadolint.yml", text); f.FailOn == nil || *f.FailOn != lint.Off {
			t.Errorf("%s: findings fail the run from %v", text, f.FailOn)
		}
	}
}

// TestHadolintVariables holds that lists of the variables add to the file's, and
// that other values replace them.
func TestHadolintVariables(t *testing.T) {
	f := read(t, ".hadolint.yaml", `
failure-threshold: error
no-fail: true
ignored: [DL3008]
override: {error: [DL3015]}
trustedRegistries: [docker.io]
label-schema: {author: text}
strict-labels: true
`)
	variables := map[string]string{
		"HADOLINT_NOFAIL": "0", "HADOLINT_FAILURE_THRESHOLD": "style",
		"HADOLINT_IGNORE": "DL3009,SC2086", "HADOLINT_OVERRIDE_WARNING": "DL3015", "HADOLINT_OVERRIDE_STYLE": "DL3007",
		"HADOLINT_STRICT_LABELS": "no", "HADOLINT_DISABLE_IGNORE_PRAGMA": "Yes",
		"HADOLINT_TRUSTED_REGISTRIES": "a.example.com", "HADOLINT_ALLOWED_REGISTRIES": "b.example.com", "HADOLINT_REQUIRE_LABELS": "url:url,author:email",
	}
	lookup := func(name string) (string, bool) { value, ok := variables[name]; return value, ok }
	got, err := f.WithHadolintVariables(lookup)
	if err != nil {
		t.Fatal(err)
	}
	want := lint.Config{
		Severities: map[string]lint.Severity{"dl3008": lint.Off, "dl3009": lint.Off, "sc2086": lint.Off, "dl3015": lint.Warning, "dl3007": lint.Info},
		Registries: []string{"docker.io", "a.example.com", "b.example.com"},
		Labels:     map[string]string{"author": "email", "url": "url"},
		Deaf:       true,
	}
	if !reflect.DeepEqual(got.Config, want) || got.NoFail || *got.FailOn != lint.Info {
		t.Errorf("got %+v, failing from %v (never: %v)\nwant %+v", got.Config, *got.FailOn, got.NoFail, want)
	}
	if len(f.Severities) != 2 || len(f.Labels) != 1 || !f.NoFail {
		t.Errorf("the file itself was changed: %+v", f)
	}
	variables["HADOLINT_FAILURE_THRESHOLD"] = "fatal"
	if _, err := f.WithHadolintVariables(lookup); err == nil || !strings.Contains(err.Error(), "failure-threshold") {
		t.Errorf("a threshold that there isn't gives %v", err)
	}
}

func TestOverrides(t *testing.T) {
	f := read(t, ".imgmgr.yaml", `
profile: strict
fail-on: never
ignore-comments: false
rules: {LatestTag: error, DL3008: off}
overrides:
  - paths: ["test/**", "*.Dockerfile"]
    rules: {LatestTag: off}
  - paths: [test/a/Dockerfile]
    rules: {latesttag: info}
`)
	if f.Profile != lint.Strict || !f.Deaf || f.FailOn == nil || *f.FailOn != lint.Off {
		t.Errorf("got %+v, failing from %v", f.Config, f.FailOn)
	}
	for path, want := range map[string]lint.Severity{
		"Dockerfile": lint.Error, "web/Dockerfile": lint.Error, "a.Dockerfile": lint.Off,
		"test/Dockerfile": lint.Off, "test/b/c/Dockerfile": lint.Off, "test/a/Dockerfile": lint.Info,
	} {
		c := f.For(path, nil)
		if got := c.Severities["latesttag"]; got != want {
			t.Errorf("%s: LatestTag is %s, want %s", path, got, want)
		}
		if c.Severities["dl3008"] != lint.Off {
			t.Errorf("%s: an override loses what holds for all", path)
		}
	}
	hadolint := lint.Hadolint
	if c := f.For("Dockerfile", &hadolint); c.Profile != lint.Hadolint || c.Codes["dl3008"] != lint.Warning || c.Codes["dl3057"] != lint.Off {
		t.Errorf("the caller's profile gives %s with %d codes", c.Profile, len(c.Codes))
	}
}

func TestMistakes(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{".imgmgr.yaml", "profile: nice", "recommended, strict, all or hadolint"},
		{".imgmgr.yaml", "edition: 1999", "no edition 1999 in this version of imgmgr: use 2026"},
		{".imgmgr.yaml", "rules: {LatestTag: fatal}", "error, warning, info or off"},
		{".imgmgr.yaml", "fail-on: sometimes", "fail-on"},
		{".imgmgr.yaml", "labels: {a: number}", "rfc3339"},
		{".imgmgr.yaml", "overrides: [{rules: {LatestTag: off}}]", "has to name paths"},
		{".imgmgr.yaml", "overrides: [{paths: ['[']}]", "pattern"},
		{".imgmgr.yaml", "\nignore: [DL3008]", "line 2: there is no key ignore"},
		{".imgmgr.yaml", "a: [", "did not find"},
		{".hadolint.yaml", "ignore: [DL3008]", "no key ignore"},
		{".hadolint.yaml", "failure-threshold: fatal", "failure-threshold"},
		{".hadolint.yaml", "ignored: DL3008", "line 1"},
	} {
		_, err := config.Read("dir/"+tt.name, []byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "dir/"+tt.name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one line with %q and the file's name", tt.text, err, tt.want)
		}
	}
	if f := read(t, ".imgmgr.yaml", ""); f.Profile != lint.Recommended || f.FailOn != nil {
		t.Errorf("an empty file says something: %+v", f)
	}
}
