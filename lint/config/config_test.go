package config_test

import (
	"reflect"
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
	for _, text := range []string{"no-fail: true", "failure-threshold: none", "failure-threshold: ignore"} {
		if f := read(t, ".hadolint.yml", text); f.FailOn == nil || *f.FailOn != lint.Off {
			t.Errorf("%s: findings fail the run from %v", text, f.FailOn)
		}
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
