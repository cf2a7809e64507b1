package frontend

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	lintrequest "github.com/moby/buildkit/frontend/subrequests/lint"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// allRules are the rules that a build runs with.
func allRules() []*lint.Rule { return rules.All }

func checked(t *testing.T, dockerfile string, opts map[string]string, all []*lint.Rule) (lintrequest.LintResults, string, *daemon) {
	t.Helper()
	d := newDaemon(dockerfile, opts)
	d.opts["requestid"] = lintrequest.RequestLint
	res, err := run(context.Background(), d, all)
	if err != nil {
		t.Fatal(err)
	}
	var results lintrequest.LintResults
	if err := json.Unmarshal(res.Metadata["result.json"], &results); err != nil {
		t.Fatal(err)
	}
	return results, string(res.Metadata["result.txt"]), d
}

func found(results lintrequest.LintResults) (names []string) {
	for _, w := range results.Warnings {
		names = append(names, w.RuleName)
	}
	slices.Sort(names)
	return names
}

const flawed = "FROM debian:12\nCOPY . .\nRUN true\nCMD echo $HOME\n"

func TestCheck(t *testing.T) {
	planted := append([]*lint.Rule{
		findingRule("PlantedWarning", lint.Warning), findingRule("PlantedInfo", lint.Info),
	}, rules.BuildKit...)
	for _, tc := range []struct {
		name, dockerfile string
		opts             map[string]string
		want             []string
		fails            string
	}{
		{name: "both", dockerfile: flawed, want: []string{"JSONArgsRecommended", "PlantedWarning"}},
		{name: "neither", dockerfile: "FROM debian:12\n"},
		{name: "skip", dockerfile: "# check=skip=PlantedWarning\n" + flawed, want: []string{"JSONArgsRecommended"}},
		{name: "skip all", dockerfile: "# check=skip=all\n" + flawed},
		{name: "skip by argument", dockerfile: flawed, opts: map[string]string{checkArg: "skip=PlantedWarning"}, want: []string{"JSONArgsRecommended"}},
		{name: "our comment ignores BuildKit's", dockerfile: "# imgmgr global ignore=JSONArgsRecommended\n" + flawed, want: []string{"PlantedWarning"}},
		{name: "a comment above the instruction", dockerfile: "FROM debian:12\n# imgmgr ignore=PlantedWarning\nRUN true\n# hadolint ignore=JSONArgsRecommended\nCMD echo $HOME\n"},
		{name: "ours as an error", dockerfile: "# check=error=true\nFROM debian:12\nRUN true\n", want: []string{"PlantedWarning"}, fails: "PlantedWarning"},
		{name: "BuildKit's as an error", dockerfile: "# check=error=true\n" + flawed, want: []string{"JSONArgsRecommended", "PlantedWarning"}, fails: "JSONArgsRecommended"},
		{name: "refused", dockerfile: "FROM debian:12\nADD --chmod=nonsense a b\n", fails: "invalid syntax"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			results, text, d := checked(t, tc.dockerfile, tc.opts, planted)
			if got := found(results); !slices.Equal(got, tc.want) {
				t.Errorf("found %q, not %q", got, tc.want)
			}
			for _, name := range tc.want {
				if !strings.Contains(text, "WARNING: "+name) {
					t.Errorf("the text lacks %s:\n%s", name, text)
				}
			}
			switch {
			case tc.fails == "" && results.Error != nil:
				t.Errorf("it fails: %v", results.Error)
			case tc.fails != "" && (results.Error == nil || !strings.Contains(results.Error.Message, tc.fails)):
				t.Errorf("it does not fail because of %s: %v", tc.fails, results.Error)
			}
			requireNoWarnings(t, d)
			if len(d.built()) > 0 {
				t.Error("a check built the image")
			}
		})
	}
}

func TestCheckShowsTheUsersLines(t *testing.T) {
	results, text, _ := checked(t, flawed, nil, []*lint.Rule{findingRule("PlantedWarning", lint.Warning), hoistRule()})
	for _, w := range results.Warnings {
		if w.RuleName == "PlantedWarning" && (w.Location.Ranges[0].Start.Line != 3 || string(results.Sources[w.Location.SourceIndex].Data) != flawed) {
			t.Errorf("it is at %v", w.Location)
		}
		if w.RuleName == "PlantedWarning" && !strings.HasSuffix(w.URL, "/docs/rules/PlantedWarning.md") {
			t.Errorf("its page is %q", w.URL)
		}
	}
	if !strings.Contains(text, ">>> RUN true") {
		t.Errorf("the text does not show the line:\n%s", text)
	}
}

func TestCheckSurvivesARule(t *testing.T) {
	results, _, d := checked(t, flawed, nil, []*lint.Rule{panicRule()})
	if got := found(results); !slices.Equal(got, []string{"JSONArgsRecommended"}) {
		t.Errorf("found %q", got)
	}
	if !hasMessage(d.messages(), "panic: planted") {
		t.Errorf("warned: %q", d.messages())
	}
	results, _, d = checked(t, flawed, nil, []*lint.Rule{failingRule(), findingRule("PlantedWarning", lint.Warning)})
	if got := found(results); !slices.Equal(got, []string{"JSONArgsRecommended", "PlantedWarning"}) {
		t.Errorf("found %q", got)
	}
	if !hasMessage(d.messages(), "planted failure") {
		t.Errorf("warned: %q", d.messages())
	}
}

// With the real rules each of BuildKit's findings stands once.
func TestCheckWithAllRules(t *testing.T) {
	results, _, d := checked(t, flawed, nil, allRules())
	n := 0
	for _, name := range found(results) {
		if name == "JSONArgsRecommended" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("found %q", found(results))
	}
	requireNoWarnings(t, d)
}
