package linttest

import (
	"bytes"
	"encoding/json"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/config"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// Configured is the rule with the configuration of an example.
func Configured(t testing.TB, e lint.Example, rule *lint.Rule) []*lint.Rule {
	return configured(t, e.Config, rule)
}

// configured is the rule with a .imgmgr.yaml, where there is one; in the profile
// for hadolint it may be none.
func configured(t testing.TB, text string, rule *lint.Rule) []*lint.Rule {
	rules := []*lint.Rule{rule}
	if text == "" {
		return rules
	}
	file, err := config.Read(".imgmgr.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return file.For("Dockerfile", nil).Rules(rules)
}

// Facts makes the world that a rule's documentation describes.
func Facts(t testing.TB, e lint.Example) facts.Context {
	fc := facts.Context{Args: map[string]string{}, NewestSyntax: true}
	if e.Files != nil {
		files := fstest.MapFS{"Dockerfile": &fstest.MapFile{Data: []byte(e.Dockerfile), Mode: 0o644}}
		for name, text := range e.Files {
			if name == ".dockerignore" {
				fc.Ignored = []byte(text)
				continue
			}
			files[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
		}
		for name, size := range e.Sizes {
			files[name] = &fstest.MapFile{Data: make([]byte, size), Mode: 0o644}
		}
		fc.Files = without(t, files, fc.Ignored)
	}
	if e.Images != nil {
		images := Images{}
		for ref, config := range e.Images {
			var c ocispec.Image
			if err := json.Unmarshal([]byte(config), &c); err != nil {
				t.Fatalf("configuration of %s in the documentation: %v", ref, err)
			}
			images[ref] = &facts.Image{Digest: digest.FromString(ref).String(), Config: c, Files: rootOf(e.Roots[ref])}
		}
		fc.Images = images
	}
	if e.Registry != nil {
		registry := Registry{}
		for ref, text := range e.Registry {
			var m facts.Manifest
			if err := json.Unmarshal([]byte(text), &m); err != nil {
				t.Fatalf("manifest of %s in the documentation: %v", ref, err)
			}
			registry[ref] = &m
		}
		fc.Registry = registry
	}
	if e.Group != nil {
		fc.Group = Group(e.Group)
	}
	fc.Today = day(t, e.Today)
	if e.Shell != nil {
		fc.ShellCheck = Shell(e.Shell)
	}
	return fc
}

// day reads 2006-01-02; "" is unknown.
func day(t testing.TB, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return day
}

// without takes the files away that a .dockerignore leaves out.
func without(t testing.TB, files fstest.MapFS, ignored []byte) fstest.MapFS {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(ignored))
	if err != nil {
		t.Fatalf("read .dockerignore: %v", err)
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatalf("read .dockerignore: %v", err)
	}
	for name := range files {
		if ignored, err := matcher.MatchesOrParentMatches(name); err != nil {
			t.Fatalf("match %s with .dockerignore: %v", name, err)
		} else if ignored {
			delete(files, name)
		}
	}
	return files
}
