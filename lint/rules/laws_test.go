package rules_test

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/config"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/linttest"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// own are the rules that aren't BuildKit's, and those of BuildKit's that have a
// fix of ours.
func own() []*lint.Rule {
	return slices.DeleteFunc(slices.Clone(rules.All), func(r *lint.Rule) bool {
		return slices.Contains(rules.BuildKit, r) && r.Safety == lint.None
	})
}

func TestGolden(t *testing.T) { linttest.Golden(t, "testdata", own()) }

func TestRegistry(t *testing.T) {
	pascal := regexp.MustCompile(`^([A-Z][a-z0-9]*)+$|^([A-Z]+[a-z0-9]+)+$`)
	byName := map[string]*lint.Rule{}
	for _, r := range rules.All {
		if !pascal.MatchString(r.Name) {
			t.Errorf("%s is not in PascalCase", r.Name)
		}
		if byName[strings.ToLower(r.Name)] != nil {
			t.Errorf("two rules have the name %s", r.Name)
		}
		byName[strings.ToLower(r.Name)] = r
		if r.Run == nil || r.Severity < lint.Info || r.Severity > lint.Error {
			t.Errorf("%s has no Run or no severity", r.Name)
		}
		if r.Edition != 0 && (r.Edition <= lint.FirstEdition || r.Edition > lint.LatestEdition+1) {
			t.Errorf("%s is new in %d: leave the first edition out, and name the next at most", r.Name, r.Edition)
		}
		if d := r.Doc; d.Title == "" || strings.HasSuffix(d.Title, ".") || strings.Contains(d.Title, "\n") || len(d.Why) < 40 {
			t.Errorf("%s: the title is one line without a full stop, and the reason is more than a few words", r.Name)
		}
	}
	// An alias names one check. Two rules may only share one where the first
	// says that the second's name means itself, too.
	owner := map[string]*lint.Rule{}
	for _, r := range rules.All {
		for _, alias := range r.Aliases {
			key := strings.ToLower(alias)
			if other := owner[key]; other != nil && !slices.Contains(other.Aliases, r.Name) {
				t.Errorf("%s is an alias of both %s and %s", alias, other.Name, r.Name)
			}
			if other := byName[key]; other == r {
				t.Errorf("%s has its own name among its aliases", r.Name)
			}
			if owner[key] == nil {
				owner[key] = r
			}
		}
	}
}

// TestHadolint holds that each of hadolint's checks is a rule of ours, and that
// no rule claims to be a check that hadolint doesn't have.
func TestHadolint(t *testing.T) {
	known := map[string]bool{}
	for _, c := range config.Codes() {
		known[c.Code] = true
		if !slices.ContainsFunc(rules.All, func(r *lint.Rule) bool { return slices.Contains(r.Aliases, c.Code) }) {
			t.Errorf("no rule is %s: %s", c.Code, c.What)
		}
	}
	if len(known) != 71 {
		t.Errorf("hadolint 2.15.1 has 71 checks; %d are listed", len(known))
	}
	for _, r := range rules.All {
		for _, alias := range r.Aliases {
			if strings.HasPrefix(alias, "DL") && !known[alias] {
				t.Errorf("%s says that it is %s, which hadolint doesn't have", r.Name, alias)
			}
		}
	}
}

// TestOneFlawOnce holds a flaw that BuildKit reports, too, to one finding.
func TestOneFlawOnce(t *testing.T) {
	src := "FROM alpine:3.20@sha256:" + strings.Repeat("a", 64) + "\nENV DB_TOKEN=hunter2horse\nARG API_TOKEN\nUSER app\n"
	var got []string
	for _, d := range check(t, src, facts.Context{}, lint.Config{}.Rules(rules.All)...) {
		got = append(got, d.Rule)
	}
	if want := []string{"SecretInArgOrEnv", "SecretsUsedInArgOrEnv"}; !slices.Equal(got, want) {
		t.Errorf("findings are %v, want %v: the value by our rule alone, the bare name by BuildKit's", got, want)
	}
}

func TestDocumentation(t *testing.T) {
	for _, r := range rules.All {
		t.Run(r.Name, func(t *testing.T) {
			bad, good := r.Doc.Bad, r.Doc.Good
			if found := check(t, bad.Dockerfile, linttest.Facts(t, bad), beside(r, linttest.Configured(t, bad, r))...); !slices.ContainsFunc(found, func(d lint.Diagnostic) bool { return d.Rule == r.Name }) {
				t.Error("the rule finds nothing in its bad example")
			}
			for _, d := range check(t, good.Dockerfile, linttest.Facts(t, good), beside(r, linttest.Configured(t, good, r))...) {
				if d.Rule == r.Name || !r.Last {
					t.Errorf("the rule finds something in its good example: %s", d.Message)
				}
			}
			if r.Safety == lint.None {
				return
			}
			fixed := rewrite(t, bad.Dockerfile, linttest.Facts(t, bad), lint.Unsafe, r)
			if fixed != bad.Dockerfile && fixed != good.Dockerfile {
				t.Errorf("the fix of the bad example is not the good one:\n%s", fixed)
			}
			if fixed == bad.Dockerfile && linttest.Facts(t, bad).Images != nil {
				t.Error("the bad example brings its facts, and has no fix with them")
			}
		})
	}
}

// beside gives a rule that judges what others said those others.
func beside(r *lint.Rule, configured []*lint.Rule) []*lint.Rule {
	if r.Last {
		return lint.Config{}.Rules(rules.All)
	}
	return configured
}

// constructs are what a Dockerfile may be written with, and how it is seen.
func constructs() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"a case with a target":              regexp.MustCompile(`^$`), // seen in its facts
		"a case with several stages":        regexp.MustCompile(`(?s)\nFROM .*\nCOPY[^\n]* --from=`),
		"a case that starts from a stage":   regexp.MustCompile(`(?s)FROM [^\n]* AS base\n.*\nFROM base\b`),
		"a case with ONBUILD":               regexp.MustCompile(`(?m)^ONBUILD `),
		"a case with SHELL":                 regexp.MustCompile(`(?m)^SHELL `),
		"a case with a pair of platforms":   regexp.MustCompile(`(?s)FROM --platform=\$BUILDPLATFORM.*\nARG TARGET`),
		"a case with a Windows stage":       regexp.MustCompile(`(?m)^FROM mcr\.microsoft\.com/windows/`),
		"a case with an escape directive":   regexp.MustCompile("(?s)^# escape=`\n.*FROM debian|^# escape=`\n.*FROM (node|alpine|golang|scratch)"),
		"a case with words behind a syntax": regexp.MustCompile(`(?m)^# syntax=\S+ \S`),
		"a case with a pragma":              regexp.MustCompile(`(?m)^\s*# imgmgr: `),
	}
}

// TestGoldensAreComplete holds each golden file to the cases that every rule
// has to stand.
func TestGoldensAreComplete(t *testing.T) {
	for _, r := range own() {
		archive, err := txtar.ParseFile(filepath.Join("testdata", r.Name+".txtar"))
		if err != nil {
			t.Error(err)
			continue
		}
		seen := map[string]bool{}
		for _, f := range archive.Files {
			text := string(f.Data)
			switch filepath.Base(f.Name) {
			case "Dockerfile":
				seen["a case with continuation lines"] = seen["a case with continuation lines"] || strings.Contains(text, "\\\n")
				seen["a case with a heredoc"] = seen["a case with a heredoc"] || strings.Contains(text, "<<")
				for what, pattern := range constructs() {
					seen[what] = seen[what] || pattern.MatchString(text)
				}
			case "want":
				seen["a case without findings"] = seen["a case without findings"] || text == ""
				seen["a case with findings"] = seen["a case with findings"] || text != ""
				seen["a fix"] = seen["a fix"] || strings.Contains(text, " to .dockerignore]")
			case "facts.json":
				seen["a case with CRLF"] = seen["a case with CRLF"] || strings.Contains(text, `"crlf": true`)
				seen["a case with a target"] = seen["a case with a target"] || strings.Contains(text, `"target"`)
			case "fixed":
				seen["a fix"] = true
			}
		}
		want := []string{"a case with findings", "a case without findings", "a case with continuation lines", "a case with a heredoc", "a case with CRLF"}
		if r.Safety > lint.None {
			want = append(want, "a fix")
		}
		if r.Safety == lint.BuildSafe { // what is made unseen has to stand whatever files are written with
			want = append(want, slices.Sorted(maps.Keys(constructs()))...)
		}
		for _, what := range want {
			if !seen[what] {
				t.Errorf("testdata/%s.txtar lacks %s", r.Name, what)
			}
		}
	}
}

// TestEveryRuleOnEveryFile runs all rules together, and each that has a fix alone, over
// every Dockerfile that there is, without facts: nothing fails, nothing claims
// a proof, and fixes come to an end, stay, and leave a file that parses.
func TestEveryRuleOnEveryFile(t *testing.T) {
	files := dockerfiles(t)
	if len(files) < 40 {
		t.Fatalf("only %d Dockerfiles were found", len(files))
	}
	fixing := slices.DeleteFunc(slices.Clone(rules.All), func(r *lint.Rule) bool { return r.Safety == lint.None })
	// BuildKit's checks all come from one run of its linter, which is most of
	// their time.
	alone := slices.DeleteFunc(slices.Clone(fixing), func(r *lint.Rule) bool { return slices.Contains(rules.BuildKit, r) })
	for name, src := range files {
		if _, err := dockerfile.Parse(name, []byte(src)); err != nil {
			continue // reported by the caller of the parser
		}
		fixes := map[string]bool{} // by rules; the others have nothing to rewrite
		for _, d := range check(t, src, facts.Context{}, rules.All...) {
			lawful(t, name, src, d)
			fixes[d.Rule] = fixes[d.Rule] || d.Fix != nil
		}
		for _, r := range alone {
			if fixes[r.Name] {
				stays(t, name, src, facts.Context{}, lint.Unsafe, r)
			}
		}
		for _, floor := range []lint.Safety{lint.Unsafe, lint.Safe} {
			stays(t, name, src, facts.Context{}, floor, fixing...)
		}
		if got := rewrite(t, src, facts.Context{}, lint.BuildSafe, fixing...); got != src {
			t.Errorf("%s: a rewrite without facts claims to be proven:\n%s", name, got)
		}
	}
}

var lineNumber = regexp.MustCompile(`(?i)\bline \d`)

// lawful holds one finding to what a finding is.
func lawful(t *testing.T, name, src string, d lint.Diagnostic) {
	t.Helper()
	rule := rules.All[slices.IndexFunc(rules.All, func(r *lint.Rule) bool { return r.Name == d.Rule })]
	if d.Start < 0 || d.End < d.Start || d.End > len(src) {
		t.Errorf("%s: %s is at bytes %d to %d of %d", name, d.Rule, d.Start, d.End, len(src))
	}
	if d.Message == "" || strings.ContainsAny(d.Message, "\r\n") || (!slices.Contains(rules.BuildKit, rule) && (strings.HasSuffix(d.Message, ".") || lineNumber.MatchString(d.Message))) {
		t.Errorf("%s: %s says %q", name, d.Rule, d.Message)
	}
	if d.Fix == nil {
		return
	}
	if d.Fix.Safety <= lint.None || d.Fix.Safety > rule.Safety || d.Fix.Message == "" ||
		(len(d.Fix.Edits) == 0) != (len(d.Fix.Ignore) > 0) || len(d.Fix.Ignore) > 0 && d.Fix.Safety > lint.Safe {
		t.Errorf("%s: the fix of %s is none: %+v", name, d.Rule, *d.Fix)
	}
	if d.Fix.Safety == lint.BuildSafe {
		t.Errorf("%s: %s claims a proof without facts", name, d.Rule)
	}
}

// stays holds a rewrite to its own result: rewritten again it doesn't change.
func stays(t *testing.T, name, src string, fc facts.Context, floor lint.Safety, list ...*lint.Rule) {
	t.Helper()
	once := rewrite(t, src, fc, floor, list...)
	if twice := rewrite(t, once, fc, floor, list...); twice != once {
		t.Errorf("%s: %d rules at %s go on rewriting their own result:\n%s\n%s", name, len(list), floor, once, twice)
	}
	if bytes.Count([]byte(src), []byte("\n")) == bytes.Count([]byte(src), []byte("\r\n")) && strings.Contains(src, "\n") &&
		strings.Count(once, "\n") != strings.Count(once, "\r\n") {
		t.Errorf("%s: a fix mixes line endings:\n%q", name, once)
	}
}

func check(t *testing.T, src string, fc facts.Context, list ...*lint.Rule) []lint.Diagnostic {
	t.Helper()
	file, err := dockerfile.Parse("Dockerfile", []byte(src))
	if err != nil {
		t.Fatalf("parse: %v\n%s", err, src)
	}
	found, err := lint.Check(context.Background(), file, fc, list)
	if err != nil {
		t.Errorf("check: %v\n%s", err, src)
	}
	return found
}

func rewrite(t *testing.T, src string, fc facts.Context, floor lint.Safety, list ...*lint.Rule) string {
	t.Helper()
	out, err := lint.Rewrite(context.Background(), "Dockerfile", []byte(src), fc, list, floor)
	if err != nil {
		t.Errorf("rewrite: %v\n%s", err, src)
		return src
	}
	return string(out.Src)
}

// dockerfiles are those of the examples, the golden files, the rules'
// documentation, and the folder that IMGMGR_CORPUS names.
func dockerfiles(t testing.TB) map[string]string {
	files := map[string]string{}
	for _, r := range rules.All {
		files[r.Name+", bad"] = r.Doc.Bad.Dockerfile
		files[r.Name+", good"] = r.Doc.Good.Dockerfile
	}
	folders := []string{"../..", os.Getenv("IMGMGR_CORPUS")}
	for _, folder := range folders {
		if folder == "" {
			continue
		}
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && d.Name() != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "fuzz") {
				return fs.SkipDir
			}
			return read(path, d, files)
		})
		if err != nil {
			t.Fatalf("look for Dockerfiles in %s: %v", folder, err)
		}
	}
	return files
}

func read(path string, d fs.DirEntry, files map[string]string) error {
	name := d.Name()
	isDockerfile := name == "Dockerfile" || strings.HasSuffix(name, ".Dockerfile") || strings.HasPrefix(name, "Dockerfile.")
	if d.IsDir() || !isDockerfile && !strings.HasSuffix(name, ".txtar") {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if isDockerfile {
		files[path] = string(text)
		return nil
	}
	for _, f := range txtar.Parse(text).Files {
		if filepath.Base(f.Name) == "Dockerfile" || filepath.Base(f.Name) == "fixed" {
			files[path+"/"+f.Name] = string(f.Data)
			files[path+"/"+f.Name+", CRLF"] = strings.ReplaceAll(string(f.Data), "\n", "\r\n")
		}
	}
	return nil
}
