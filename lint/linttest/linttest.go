// Package linttest runs rules over golden files.
//
// A golden file is a txtar archive named after a rule. Each folder in it is a
// case: "Dockerfile" is the input, "want" the findings, one a line, "fixed" the
// file after all of the rule's fixes, and "settled" what the rule then leaves and why;
// both are absent where there is none. "images.json"
// (reference to facts.Image, with its files by path), "registry.json" (reference to
// facts.Manifest), "shellcheck.json" (see [Shell]) and "facts.json" say what is known of the world;
// every other file is the build context.
package linttest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
)

var update = flag.Bool("update", false, "rewrite want and fixed of the golden files with what the rules give")

// Golden runs each rule over dir/<Rule>.txtar. A rule without a file fails.
func Golden(t *testing.T, dir string, rules []*lint.Rule) {
	for _, rule := range rules {
		t.Run(rule.Name, func(t *testing.T) { golden(t, filepath.Join(dir, rule.Name+".txtar"), rule) })
	}
}

func golden(t *testing.T, path string, rule *lint.Rule) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatalf("read the golden file of %s: %v", rule.Name, err)
	}
	cases := cases(archive)
	if len(cases) == 0 {
		t.Fatalf("%s holds no case: a case is a folder with a Dockerfile", path)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want, fixed, settled := c.run(t, rule)
			if *update {
				c.put("want", want)
				c.put("fixed", fixed)
				c.put("settled", settled)
				return
			}
			if diff := cmp.Diff(c.files["want"], want); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.files["fixed"], fixed); diff != "" {
				t.Errorf("fixed Dockerfile (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.files["settled"], settled); diff != "" {
				t.Errorf("what is left without a finding (-want +got):\n%s", diff)
			}
		})
	}
	if *update {
		write(t, path, archive.Comment, cases)
	}
}

// testCase is one folder of a golden file.
type testCase struct {
	name  string
	order []string
	files map[string]string
}

func cases(a *txtar.Archive) []*testCase {
	var all []*testCase
	for _, f := range a.Files {
		name, file, ok := strings.Cut(f.Name, "/")
		if !ok {
			continue
		}
		i := slices.IndexFunc(all, func(c *testCase) bool { return c.name == name })
		if i < 0 {
			all = append(all, &testCase{name: name, files: map[string]string{}})
			i = len(all) - 1
		}
		all[i].order = append(all[i].order, file)
		all[i].files[file] = string(f.Data)
	}
	return all
}

func (c *testCase) put(file, text string) {
	if _, ok := c.files[file]; !ok {
		c.order = append(c.order, file)
	}
	c.files[file] = text
}

func write(t *testing.T, path string, comment []byte, cases []*testCase) {
	out := &txtar.Archive{Comment: comment}
	for _, c := range cases {
		for _, file := range c.order {
			if (file == "fixed" || file == "settled") && c.files[file] == "" {
				continue
			}
			out.Files = append(out.Files, txtar.File{Name: c.name + "/" + file, Data: []byte(c.files[file])})
		}
	}
	if err := os.WriteFile(path, txtar.Format(out), 0o644); err != nil {
		t.Fatal(err)
	}
}

// world is facts.json.
type world struct {
	Platform string `json:"platform"`
	// Platforms are all that are built.
	Platforms []string          `json:"platforms"`
	Target    string            `json:"target"`
	Args      map[string]string `json:"args"`
	Today     string            `json:"today"` // as 2006-01-02
	// Sizes are bytes of files of the context that aren't written out.
	Sizes map[string]int `json:"sizes"`
	// Downloads are digests by address.
	Downloads map[string]string `json:"downloads"`
	// Context false means that the build context isn't known.
	Context *bool `json:"context"`
	// CRLF gives the Dockerfile Windows line endings.
	CRLF bool `json:"crlf"`
	// Group are the bases of other targets.
	Group []facts.GroupBase `json:"group"`
	// Config is the text of a .imgmgr.yaml.
	Config string `json:"config"`
}

// run returns the findings, the fixed file, and what is left without a finding, as
// the golden file writes them.
func (c *testCase) run(t *testing.T, rule *lint.Rule) (want, fixed, settled string) {
	var w world
	if text, ok := c.files["facts.json"]; ok {
		if err := json.Unmarshal([]byte(text), &w); err != nil {
			t.Fatalf("facts.json: %v", err)
		}
	}
	src := c.files["Dockerfile"]
	if w.CRLF {
		src = strings.ReplaceAll(src, "\n", "\r\n")
	}
	fc := c.facts(t, w)
	rules := configured(t, w.Config, rule)
	parsed, err := dockerfile.Parse("Dockerfile", []byte(src))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	found, err := lint.Check(context.Background(), parsed, fc, rules)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	for _, d := range found {
		want += Line(parsed, d) + "\n"
	}
	if rule.Safety == lint.None {
		return want, "", ""
	}
	out, err := lint.Rewrite(context.Background(), "Dockerfile", []byte(src), fc, rules, lint.Unsafe)
	if err != nil {
		t.Fatalf("rewrite: %v", err)
	}
	for _, d := range out.Settled {
		settled += fmt.Sprintf("%d %s\n", parsed.Lines.Line(out.Map.Offset(d.Start)), d.Why)
	}
	if bytes.Equal(out.Src, []byte(src)) {
		return want, "", settled
	}
	if w.CRLF && strings.Count(string(out.Src), "\n") != strings.Count(string(out.Src), "\r\n") {
		t.Errorf("the fix mixes line endings:\n%q", out.Src)
	}
	return want, strings.ReplaceAll(string(out.Src), "\r\n", "\n"), settled
}

func (c *testCase) facts(t *testing.T, w world) facts.Context {
	fc := facts.Context{NewestSyntax: true, Platform: w.Platform, Platforms: w.Platforms, Target: w.Target, Args: w.Args, Today: day(t, w.Today)}
	if fc.Args == nil {
		fc.Args = map[string]string{}
	}
	if w.Downloads != nil {
		fc.Downloads = downloads(w.Downloads)
	}
	if text, ok := c.files["images.json"]; ok {
		fc.Images = readImages(t, text)
	}
	if text, ok := c.files["registry.json"]; ok {
		registry := Registry{}
		if err := json.Unmarshal([]byte(text), &registry); err != nil {
			t.Fatalf("registry.json: %v", err)
		}
		fc.Registry = registry
	}
	if w.Group != nil {
		fc.Group = Group(w.Group)
	}
	if text, ok := c.files["shellcheck.json"]; ok {
		says := Shell{}
		if err := json.Unmarshal([]byte(text), &says); err != nil {
			t.Fatalf("shellcheck.json: %v", err)
		}
		fc.ShellCheck = says
	}
	if w.Context != nil && !*w.Context {
		return fc
	}
	files := fstest.MapFS{}
	for name, text := range c.files {
		switch name {
		case "want", "fixed", "settled", "images.json", "registry.json", "facts.json", "shellcheck.json":
		case ".dockerignore":
			fc.Ignored = []byte(text)
		default:
			files[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
		}
	}
	for name, size := range w.Sizes {
		files[name] = &fstest.MapFile{Data: make([]byte, size), Mode: 0o644}
	}
	fc.Files = without(t, files, fc.Ignored)
	return fc
}

// Line writes a finding as golden files do:
//
//	3:1-3:12 warning message [fix safe: Do this] [doubt: what is missing]
func Line(f *dockerfile.File, d lint.Diagnostic) string {
	line, column := f.Lines.Position(d.Start)
	endLine, endColumn := f.Lines.Position(d.End)
	text := fmt.Sprintf("%d:%d-%d:%d %s %s", line, column, endLine, endColumn, d.Severity, d.Message)
	if d.Fix != nil {
		text += fmt.Sprintf(" [fix %s: %s]", d.Fix.Safety, d.Fix.Message)
		if d.Fix.Doubt != "" {
			text += fmt.Sprintf(" [doubt: %s]", d.Fix.Doubt)
		}
		if len(d.Fix.Drops) > 0 {
			text += fmt.Sprintf(" [drops: %s]", strings.Join(d.Fix.Drops, " "))
		}
	}
	return text
}

// downloads are digests by address.
type downloads map[string]string

func (d downloads) Digest(_ context.Context, url string) (string, error) {
	if digest, ok := d[url]; ok {
		return digest, nil
	}
	return "", fmt.Errorf("%s: %w", url, facts.ErrUnknown)
}
