package retention

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestPolicyErrorsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "p.yaml:1:1: the policy is empty",
		"version: 1\n":                  "p.yaml:1:1: rules is missing",
		"rules: []\n":                   "p.yaml:1:1: version is missing",
		"version: 2\nrules: []":         "p.yaml:1:10: want version 1",
		"version: 1\nrules: [":          "p.yaml:",
		"version: 1\nrules: x":          "p.yaml:2:8: want a list",
		"- 1":                           "p.yaml:1:1: want a mapping of version, age",
		"version: 1\nrules:\n- nmae: a": `p.yaml:3:3: there is no field "nmae" here, only name, select, group, age, keep, keep_latest, remove, max_age, max_count, when; did you mean name?`,
		"version: 1\nrules:\n- name: a": `p.yaml:3:3: rule "a" does nothing`,
		"version: 1\nrules:\n- {name: a, max_age: 30}":                                          `p.yaml:3:22: "30" is no length of time: want a time such as`,
		"version: 1\nrules:\n- {name: a, max_age: 3x}":                                          `p.yaml:3:22: "3x" is no length of time`,
		"version: 1\nrules:\n- {name: a, max_count: -1}":                                        `p.yaml:3:24: "-1" is none: want a number from 0`,
		"version: 1\nrules:\n- {name: a, keep: yes}":                                            `p.yaml:3:19: "yes" is neither: want true or false`,
		"version: 1\nrules:\n- {name: a, keep: true, max_age: 1d}":                              "keeps all and removes some",
		"version: 1\nrules:\n- {name: a, remove: true, max_age: 1d}":                            "removes all, so max_age and max_count mean nothing",
		"version: 1\nrules:\n- {name: a, group: capture, remove: true}":                         "groups by capture: it needs a tag",
		"version: 1\nrules:\n- {name: a, group: env, remove: true}":                             `"env" is none of them: want repository, capture or label:NAME`,
		"version: 1\nrules:\n- {name: a, remove: true, select: {tag: '/v(/'}}":                  `p.yaml:3:41: "/v(/" is no regular expression`,
		"version: 1\nrules:\n- {name: a, remove: true, select: {tag: '/v'}}":                    "has no / at its end",
		"version: 1\nrules:\n- {name: a, remove: true, select: {tag: '[a'}}":                    "is no glob",
		"version: 1\nrules:\n- {name: a, remove: true, select: {tag: ''}}":                      "an empty pattern",
		"version: 1\nrules:\n- {name: a, remove: true, select: {larger_than: big}}":             `"big" is no size`,
		"version: 1\nrules:\n- {name: a, remove: true}\n- {name: a, keep: true}":                `two rules are called "a"`,
		"version: 1\nversion: 1\nrules: []":                                                     "p.yaml:2:1: version is given twice",
		"version: 1\nage: old\nrules: []":                                                       `p.yaml:2:6: "old" is not known: want created, pushed, pulled, used, first-seen`,
		"version: 1\nlimits: {share: 50}\nrules: []":                                            `"50" is not between 0% and 100%`,
		"version: 1\nrules: []\n---\na: b":                                                      "p.yaml:3:1: a second document",
		"version: 1\nrules: []\ntests: [{name: a, given: [{ref: app}], expect: {removed: []}}]": `"app" is no NAME:TAG`,
		"version: 1\nrules: []\ntests: [{name: a, given: [], expect: {}}]":                      "removed is missing",
		"version: 1\nrules: &r [*r]":                                                            "p.yaml:2:",
	} {
		_, err := ParsePolicy("p.yaml", []byte(text))
		if _, positioned := errors.AsType[*Error](err); !positioned || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n\t%v\nwant\n\t%s", text, err, want)
		}
	}
}

func TestAges(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30d": 720 * time.Hour, "1w": 168 * time.Hour, "1d12h": 36 * time.Hour, "90m": 90 * time.Minute, "0.5h": 30 * time.Minute, "1y": 8760 * time.Hour, "0s": 0,
	} {
		if got, err := ParseAge(text); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "30", "1d2", "-1d", "99999999999y", "1 d"} {
		if got, err := ParseAge(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func TestPatternsMatchWholeNames(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"v1", "v1", true}, {"v1", "v10", false}, {"v*", "v10", true}, {"*", "team/app", false}, {"**", "team/app:1", true}, {"team/**", "team/a/b:1", true},
		{`/v\d+/`, "v10", true}, {`/v\d+/`, "rev10", false}, {`/v\d+|latest/`, "latest-2", false}, {"{dev,test}-*", "test-1", true}, {".*", "anything", false},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil || p.Match(c.name) != c.want {
			t.Errorf("%s matches %s: %v (%v), want %v", c.pattern, c.name, !c.want, err, c.want)
		}
	}
}

func TestPolicyTests(t *testing.T) {
	const text = `version: 1
limits: {share: 100%}
rules: [{name: old, select: {tag: "f*"}, max_age: 7d, keep_latest: 1}]
tests:
- name: old features go
  given:
  - {ref: "app:f1", age: 9d}
  - {ref: "app:f2", age: 8d, in_use: pod web}
  - {ref: "app:f3", age: 10d}
  - {ref: "app:f0", age: 1d}
  - {ref: "app:v1", age: 90d}
  - {ref: "app@dangling", age: 90d}
  expect: {removed: ["app:f1", "app:f2", "app:gone"]}
`
	p, err := ParsePolicy("p.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	failures := p.Check()
	if len(failures) != 1 || failures[0].Case.Line != 5 {
		t.Fatalf("failures: %+v", failures)
	}
	want := "app:f2 stays: in use by pod web\napp:f3 is removed: built 10 days ago, over 7 days\napp:gone is not among the given images"
	if got := strings.Join(failures[0].Details, "\n"); got != want {
		t.Errorf("details:\n%s\nwant\n%s", got, want)
	}
}

// TestSchemaIsWhole finds fields of every mapping in the schema.
func TestSchemaIsWhole(t *testing.T) {
	text, err := json.Marshal(Schema())
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"keep_latest", "in_use", "larger_than", "min_age", "removed", "description", "additionalProperties"} {
		if !strings.Contains(string(text), `"`+field+`"`) {
			t.Errorf("the schema lacks %s", field)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add("version: 1\nrules: [{name: a, max_age: 1d, select: {tag: ['a*', '/b/'], label: {x: null}}}]\ntests: [{name: t, given: [{ref: a:1, age: 2d}], expect: {removed: []}}]")
	f.Add("version: 1\nrules: &r [*r]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy("p.yaml", []byte(text))
		if err == nil {
			p.Check()
		}
	})
}
